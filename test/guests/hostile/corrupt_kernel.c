// Writes one pattern over all of the guest kernel that it can write, then needs the kernel.
// want: any
// native: no
// args: 0x00 image
// args: 0xff image
// args: 0xcc image
// args: 0x90 image
// args: random image
// args: 0x00 memory
// args: 0xff memory
// args: 0xcc memory
// args: random memory
#include "hostile.h"

int main(int argc, char **argv)
{
	sandbox_only();
	catch_faults();
	// "image": where the kernel runs, text included. "memory": all physical memory, top first,
	// so that what lies at the bottom, tables and vectors, goes last.
	volatile int image = argc < 3 || strcmp(argv[2], "image") == 0;
	volatile size_t size = image ? 16 << 20 : 32 << 20;
	volatile unsigned seed = 1, written = 0;
	for (volatile size_t at = 0; at < size; at += 4096) {
		volatile uintptr_t page = image ? KERNEL + at : DIRECT_MAP + size - 4096 - at;
		volatile unsigned s = seed + at;
		if (SURVIVES(fill_words((void *)page, 4096, argc > 1 ? argv[1] : "0xff", (unsigned *)&s))) {
			written++;
		}
	}
	use_kernel();
	(void)SURVIVES(__asm__ volatile("ud2"));
	use_kernel();
	printf("%u pages were written\n", written);
	return 0;
}
