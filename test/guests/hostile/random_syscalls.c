// 5000 system calls with random numbers and arguments; the seed is the argument.
// want: any
// native: no
// args: 1
// args: 2
// args: 3
// args: 4
// args: 5
// args: 6
// args: 7
// args: 8
// args: 9
// args: 10
#include "hostile.h"

static char scratch[65536];

static uintptr_t pick(unsigned *seed)
{
	uint32_t r = random32(seed);
	switch (r % 10) {
	case 0:
		return 0;
	case 1:
		return r >> 8 & 15; // a file descriptor, a flag
	case 2:
		return r >> 8;
	case 3:
		return (uintptr_t)scratch + (r >> 8) % sizeof scratch;
	case 4:
		return ((uintptr_t)scratch + (r >> 8) % sizeof scratch) & ~4095UL;
	case 5:
		return KERNEL + (r >> 8 & 0xfffff);
	case 6:
		return DIRECT_MAP + (r >> 8 & 0xfffff);
	case 7:
		return (uintptr_t)-(intptr_t)(r >> 24);
	case 8:
		return 1UL << (r >> 8 & 63);
	default:
		return (uintptr_t)&seed + (r >> 20);
	}
}

int main(int argc, char **argv)
{
	sandbox_only();
	catch_faults();
	unsigned seed = 1 + (argc > 1 ? strtoul(argv[1], NULL, 0) * 2654435761u : 0);
	for (int i = 0; i < 5000; i++) {
		long nr = random32(&seed) % 16 == 0 ? random32(&seed) : random32(&seed) % 460;
		if (nr == SYS_exit || nr == SYS_exit_group || nr == SYS_pause || nr == SYS_rt_sigsuspend || nr == SYS_rt_sigreturn) {
			continue;
		}
		memset(scratch, random32(&seed), 512);
		syscall(nr, pick(&seed), pick(&seed), pick(&seed), pick(&seed), pick(&seed), pick(&seed));
	}
	return 0;
}
