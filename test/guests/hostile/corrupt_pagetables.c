// Fills the first 16 MiB of physical memory, where page tables lie, then touches memory.
// want: any
// native: no
// args: 0xff
// args: 0x00
// args: 0x67
// args: random
// args: pte
#include "hostile.h"

int main(int argc, char **argv)
{
	sandbox_only();
	catch_faults();
	volatile unsigned seed = 99;
	for (volatile size_t at = 0; at < 16 << 20; at += 4096) {
		volatile unsigned s = seed + at;
		(void)SURVIVES(fill_words((void *)(DIRECT_MAP + at), 4096, argc > 1 ? argv[1] : "0xff", (unsigned *)&s));
	}
	for (volatile uintptr_t at = 4096; at < (uintptr_t)1 << 47; at *= 2) {
		(void)SURVIVES(++*(volatile char *)at);
	}
	use_kernel();
	return 0;
}
