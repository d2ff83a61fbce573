// Changes the count by which it learns of restores, the clock's line, and the seed.
// call: Attack
// want: any
// run: any
// args: 0
// args: 0xffffffffffffffff
// args: 0x7fffffffffffffff
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	struct timespec ts;
	char random[32];
	(void)call;
	CLOCK->generation = number(how);
	getentropy(random, sizeof random);
	CLOCK->multiplier = number(how);
	CLOCK->base_tsc = number(how);
	CLOCK->base_ns = number(how);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	CLOCK->sequence = 0; // an odd one would make readers wait
	return "done";
}
