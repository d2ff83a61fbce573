// Returns from a call, or asks for the next one itself, with odd registers: flags, segments and
// their bases, control words of the floating-point units, a full x87 stack.
// call: Attack
// want: any
// args: flags
// args: bases
// args: selectors
// args: mxcsr
// args: x87
// args: masks
#include "attack.h"
#include <asm/prctl.h>

static const char *attack(struct airlock_call *call, const char *how)
{
	unsigned mxcsr = 0x0000ffc0 & ~0x1f80u;
	unsigned short control = 0;
	(void)call;
	if (is(how, "flags")) {
		__asm__ volatile("pushfq; orl $0x244ed5, (%%rsp); popfq" ::: "memory", "cc");
	} else if (is(how, "bases")) {
		syscall(SYS_arch_prctl, ARCH_SET_GS, 0x7fc000000000);
		__asm__ volatile("wrgsbase %0" ::"r"(0x7ffffffff000));
	} else if (is(how, "selectors")) {
		__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%gs" ::"r"(0));
	} else if (is(how, "mxcsr")) {
		__asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
	} else if (is(how, "x87")) {
		for (int i = 0; i < 8; i++) {
			__asm__ volatile("fld1");
		}
		__asm__ volatile("fldz; fldcw %0" ::"m"(control));
	} else {
		sigset_t all;
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
	}
	__asm__ volatile("xor %%eax, %%eax; out %%eax, %%dx" ::"d"(AIRLOCK_PORT_INPUT) : "rax");
	return "done";
}
