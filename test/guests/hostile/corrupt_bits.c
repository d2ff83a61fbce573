// Flips random bits of kernel memory one by one and uses the kernel after each.
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
#include "hostile.h"

int main(int argc, char **argv)
{
	sandbox_only();
	catch_faults();
	unsigned seed = argc > 1 ? strtoul(argv[1], NULL, 0) * 2654435761u + 1 : 1;
	for (volatile int i = 0; i < 2000; i++) {
		uint32_t where = random32(&seed), bit = random32(&seed) % 8;
		uintptr_t at = i % 4 == 0 ? KERNEL + where % (1 << 20) : DIRECT_MAP + where % (2 << 20);
		(void)SURVIVES(*(volatile char *)at ^= 1 << bit);
		if (i % 8 == 0) {
			use_kernel();
		}
		if (i % 64 == 0) {
			(void)SURVIVES(__asm__ volatile("ud2"));
		}
	}
	return 0;
}
