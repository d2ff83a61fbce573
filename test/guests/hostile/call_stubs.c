// Jumps into the ring-0 stubs from ring 3: that of each exception, the tick's, that of system
// calls and that of the flush, also past their first instruction.
// call: Attack
// want: any
// run: any
// args: trap 0
// args: trap 1
// args: trap 2
// args: trap 3
// args: trap 4
// args: trap 5
// args: trap 6
// args: trap 7
// args: trap 8
// args: trap 9
// args: trap 10
// args: trap 11
// args: trap 12
// args: trap 13
// args: trap 14
// args: trap 15
// args: trap 16
// args: trap 17
// args: trap 18
// args: trap 19
// args: trap 20
// args: trap 21
// args: trap 22
// args: trap 23
// args: trap 24
// args: trap 25
// args: trap 26
// args: trap 27
// args: trap 28
// args: trap 29
// args: trap 30
// args: trap 31
// args: inside 13
// args: inside 14
// args: tick 0
// args: tick 7
// args: syscall 0
// args: syscall 7
// args: syscall 14
// args: flush 0
// args: flush 3
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	const struct airlock_kernel_info *k = KERNEL_INFO;
	volatile uint64_t n = number(how), to = k->tick_stub + n;
	(void)call;
	if (is(how, "trap")) {
		to = k->trap_stubs + n * k->trap_stub_size;
	} else if (is(how, "inside")) {
		to = k->trap_stubs + n * k->trap_stub_size + 7;
	} else if (is(how, "syscall")) {
		to = k->syscall_stub + n;
	} else if (is(how, "flush")) {
		to = k->ring0_end - 14 + n; // the last stub: MOV to CR3, LEA, IRETQ
	}
	catch_faults();
	(void)SURVIVES(__asm__ volatile("call *%0" ::"r"(to), "a"(0x1000)
	                                : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory"));
	use_kernel();
	return "done";
}
