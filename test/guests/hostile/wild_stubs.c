// Jumps into the guest kernel's text at many addresses, with registers of its own choice.
// want: any
// native: no
// args: 1 0
// args: 2 0
// args: 3 0
// args: 4 0
// args: 1 1
// args: 2 1
// args: 3 1
#include "hostile.h"
#include <sys/time.h>

static void jump(uintptr_t to, const uint64_t *regs)
{
	__asm__ volatile("mov (%1), %%rax; mov 8(%1), %%rbx; mov 16(%1), %%rcx; mov 24(%1), %%rdx\n"
	                 "mov 32(%1), %%rsi; mov 40(%1), %%rdi; mov 48(%1), %%r8; mov 56(%1), %%r9\n"
	                 "mov 64(%1), %%r10; call *%0" ::"r"(to),
	                 "r"(regs)
	                 : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r14", "r15", "memory");
}

int main(int argc, char **argv)
{
	sandbox_only();
	catch_faults();
	unsigned seed = 1 + (argc > 1 ? strtoul(argv[1], NULL, 0) * 99991 : 0);
	int low = argc > 2 && argv[2][0] == '1'; // vectors and stubs, reached through the direct map
	struct itimerval every = {{0, 2000}, {0, 2000}}; // gets us out of loops in there
	for (volatile int i = 0; i < 3000; i++) {
		uint64_t regs[9];
		for (int k = 0; k < 9; k++) {
			static const uint64_t bases[4] = {0, KERNEL, DIRECT_MAP, 0x1000};
			regs[k] = bases[random32(&seed) % 4] + random32(&seed) % 65536;
		}
		uintptr_t to = low ? DIRECT_MAP + random32(&seed) % 16384 : KERNEL + random32(&seed) % (256 << 10);
		setitimer(ITIMER_REAL, &every, NULL);
		(void)SURVIVES(jump(to, regs));
	}
	return 0;
}
