// Overwrites one of the parts of physical memory, and returns: control page, clock page, the
// kernel's data, everything.
// call: Attack
// want: any
// run: any
// args: control 0x00
// args: control 0xff
// args: control 0x5a
// args: clock 0x00
// args: clock 0xff
// args: clock 0x5a
// args: boot 0xff
// args: kernel 0x00
// args: kernel 0xff
// args: all 0x00
// args: all 0xff
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	static char stack[65536];
	int byte = (int)number(how);
	(void)call;
	(void)stack;
	if (is(how, "control")) {
		memset((char *)CONTROL + sizeof(struct airlock_boot), byte, 4096 - sizeof(struct airlock_boot));
	} else if (is(how, "clock")) {
		memset((void *)CLOCK, byte, 4096);
	} else if (is(how, "boot")) {
		memset((void *)CONTROL, byte, sizeof(struct airlock_boot));
	} else if (is(how, "kernel")) {
		for (uint64_t at = KERNEL_INFO->tables_end; at < KERNEL_INFO->tables_end + (64 << 10); at++) {
			*(volatile char *)at = (char)byte;
		}
	} else {
		memset((char *)AIRLOCK_PHYSMAP + AIRLOCK_IMAGE_GPA, byte, 32 << 20);
	}
	return "done";
}
