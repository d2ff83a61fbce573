// Every kind of fault in the middle of a call.
// call: Attack
// want: guest-fault
// args: read
// args: write
// args: exec
// args: divide
// args: opcode
// args: protection
// args: breakpoint
// args: noncanonical
// args: stack
// args: float
// args: x87
// args: single-step
// args: kernel
// args: physmap
// args: signal
#include "attack.h"
#include <fenv.h>

static __attribute__((noinline)) int recurse(volatile int depth)
{
	volatile char frame[4096];
	frame[0] = (char)depth;
	return depth < 0 ? 0 : recurse(depth + 1) + frame[0];
}

static const char *attack(struct airlock_call *call, const char *how)
{
	volatile int zero = 0;
	volatile double zero_double = 0;
	volatile long double zero_long = 0;
	(void)call;
	if (is(how, "read")) {
		zero = *(volatile int *)(16 + (size_t)zero);
	} else if (is(how, "write")) {
		touch((uint64_t)call_attack);
	} else if (is(how, "exec")) {
		((void (*)(void))(uintptr_t)0x123456)();
	} else if (is(how, "divide")) {
		__asm__ volatile("cltd; idivl %0" ::"r"(0), "a"(1) : "edx", "cc");
	} else if (is(how, "opcode")) {
		__asm__ volatile("ud2");
	} else if (is(how, "protection")) {
		__asm__ volatile("mov %0, %%cr3" ::"r"(0L));
	} else if (is(how, "breakpoint")) {
		__asm__ volatile("int3");
	} else if (is(how, "noncanonical")) {
		zero = *(volatile int *)0x8000000000000000;
	} else if (is(how, "stack")) {
		zero = recurse(0);
	} else if (is(how, "float")) {
		feenableexcept(FE_ALL_EXCEPT);
		zero_double = 1 / zero_double;
	} else if (is(how, "x87")) {
		feenableexcept(FE_ALL_EXCEPT);
		zero_long = 1 / zero_long;
		__asm__ volatile("fwait");
	} else if (is(how, "single-step")) {
		__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop" ::: "memory", "cc");
	} else if (is(how, "kernel")) {
		*(volatile int *)AIRLOCK_KERNEL_BASE = 1;
	} else if (is(how, "physmap")) {
		zero = *(volatile int *)(AIRLOCK_PHYSMAP + (64ull << 30));
	} else if (is(how, "signal")) {
		raise(SIGABRT);
	}
	return "no fault";
}
