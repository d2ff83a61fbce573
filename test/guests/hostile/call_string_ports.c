// Uses string instructions on a hypercall's port. Some hypervisors show each repetition as an OUT
// of its own, which is a hypercall then, and others the instruction as a whole.
// call: Attack
// want: any
// run: any
// args: out 1
// args: out 100
// args: out 0
// args: in 1
// args: in 100
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	static uint32_t zeros[128];
	void *at = zeros;
	uint64_t n = number(how);
	(void)call;
	if (is(how, "out")) {
		__asm__ volatile("rep outsl" : "+S"(at), "+c"(n) : "d"(AIRLOCK_PORT_OUTPUT) : "memory");
	} else {
		__asm__ volatile("rep insl" : "+D"(at), "+c"(n) : "d"(AIRLOCK_PORT_OUTPUT) : "memory");
	}
	return "done";
}
