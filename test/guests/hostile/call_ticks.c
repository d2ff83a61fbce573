// Plays with the words that host and kernel use for the tick, with threads that need it.
// call: Attack
// want: any
// run: any
// args: 0 1
// args: 1 0
// args: 1 1
// args: 0xffffffff 0
// args: 0x80000000 0x80000000
#include "attack.h"
#include <pthread.h>

static volatile int stop;

static void *spin(void *unused)
{
	while (!stop) {
	}
	return unused;
}

static const char *attack(struct airlock_call *call, const char *how)
{
	unsigned wanted = strtoul(how, NULL, 0), pending = number(how);
	struct timespec pause = {0, 1000000};
	pthread_t threads[4];
	(void)call;
	for (int i = 0; i < 4; i++) {
		pthread_create(&threads[i], NULL, spin, NULL);
	}
	for (int i = 0; i < 100000; i++) {
		CONTROL->tick_wanted = wanted;
		CONTROL->tick_pending = pending;
		if (i % 10000 == 0) {
			nanosleep(&pause, NULL);
		}
	}
	stop = 1;
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
	}
	return "done";
}
