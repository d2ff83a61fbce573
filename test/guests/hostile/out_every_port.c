// Writes a byte to every port there is; the arguments are the first port and the number of ports.
// want: any
// native: no
// args: 0 65536
// args: 1 65535
// args: 0x80 16
// args: 0x3f8 8
// args: 0xcf8 8
// args: 0x500 16
// args: 0x8000 65536
#include "hostile.h"

int main(int argc, char **argv)
{
	sandbox_only();
	catch_faults();
	unsigned first = argc > 1 ? strtoul(argv[1], NULL, 0) : 0, count = argc > 2 ? strtoul(argv[2], NULL, 0) : 65536;
	for (volatile unsigned i = 0; i < count; i++) {
		(void)SURVIVES(__asm__ volatile("outb %b0, %w1" ::"a"(i), "d"(first + i)));
	}
	return 0;
}
