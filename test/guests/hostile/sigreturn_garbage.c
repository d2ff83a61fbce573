// Calls rt_sigreturn with garbage frames: random ones, and ones that ask for the kernel's rights.
// want: any
// args: 1
// args: 2
// args: 3
// args: 4
// args: 5
// args: zero
// args: ones
#include "hostile.h"

int main(int argc, char **argv)
{
	static uint64_t frame[1024] __attribute__((aligned(64)));
	const char *what = argc > 1 ? argv[1] : "1";
	unsigned seed = 1 + strtoul(what, NULL, 0) * 7919;
	for (size_t i = 0; i < 1024; i++) {
		frame[i] = what[0] == 'z' ? 0 : what[0] == 'o' ? ~0UL : (uint64_t)random32(&seed) << 32 | random32(&seed);
	}
	__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall; ud2" ::"r"(frame + 512) : "memory");
	return 0;
}
