// Says that its message is longer than the buffer, past the kernel, which would not pass that on.
// call: Attack
// want: protocol
// args: 0xa109 0xffffffffffffffff
// args: 0xa109 0x8000000000000000
// args: 0xa10a 0x7fffffffffffffff
// args: 0xa10a 0x100000000
// args: 0xa10b 0x80000000
// args: 0xa10c 0x7fffffff
// args: 0xa108 0x20000000
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	(void)call;
	CONTROL->message.length = number(how);
	hypercall((uint16_t)strtoul(how, NULL, 0));
	return "lives";
}
