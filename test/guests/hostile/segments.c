// Loads every kind of selector into the data segment registers, and jumps through odd code segments.
// want: any
// native: no
#include "hostile.h"

static void load(unsigned selector)
{
	__asm__ volatile("mov %0, %%ds" ::"r"(selector));
	__asm__ volatile("mov %0, %%es" ::"r"(selector));
	__asm__ volatile("mov %0, %%gs" ::"r"(selector));
}

static void far_call(unsigned short selector, uint64_t to)
{
	struct {
		uint64_t offset;
		unsigned short selector;
	} __attribute__((packed)) target = {to, selector};
	__asm__ volatile("rex.W lcall *%0" ::"m"(target) : "memory");
}

int main(void)
{
	sandbox_only();
	catch_faults();
	for (volatile unsigned selector = 0; selector < 0x10000; selector++) {
		if (SURVIVES(load(selector)) && selector % 8 == 3) {
			syscall(SYS_getppid);
			syscall(SYS_sched_yield);
		}
	}
	(void)SURVIVES(load(0));
	for (volatile unsigned selector = 0; selector < 256; selector++) {
		(void)SURVIVES(far_call(selector, (uintptr_t)"\xc3"));
		(void)SURVIVES(far_call(selector, 0));
	}
	(void)SURVIVES(__asm__ volatile("lldt %w0" ::"r"(0)));
	(void)SURVIVES(__asm__ volatile("mov %0, %%ss" ::"r"(0x10)));
	use_kernel();
	return 0;
}
