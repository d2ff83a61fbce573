// Uses ports beside those that there are, and forms of OUT and IN that no hypercall has.
// call: Attack
// want: bad-hypercall
// run: bad-hypercall
// args: port 0xa100
// args: port 0xa10d
// args: port 0
// args: port 0x60
// args: port 0xcf8
// args: port 0xfffc
// args: value 1
// args: value 0xffffffff
// args: width 1
// args: width 2
// args: in 1
// args: in 4
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	unsigned n = number(how);
	(void)call;
	if (is(how, "port")) {
		hypercall(n);
	} else if (is(how, "value")) {
		__asm__ volatile("outl %0, %w1" ::"a"(n), "d"(AIRLOCK_PORT_OUTPUT));
	} else if (is(how, "width") && n == 1) {
		__asm__ volatile("outb %b0, %w1" ::"a"(0), "d"(AIRLOCK_PORT_OUTPUT));
	} else if (is(how, "width")) {
		__asm__ volatile("outw %w0, %w1" ::"a"(0), "d"(AIRLOCK_PORT_OUTPUT));
	} else if (n == 1) {
		__asm__ volatile("inb %w1, %b0" : "=a"(n) : "d"(AIRLOCK_PORT_OUTPUT));
	} else {
		__asm__ volatile("inl %w1, %0" : "=a"(n) : "d"(AIRLOCK_PORT_OUTPUT));
	}
	return "lives";
}
