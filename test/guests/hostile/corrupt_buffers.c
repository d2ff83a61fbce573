// Fills the pages that follow the control page, the message buffers, and makes hypercalls by system calls.
// want: any
// native: no
// args: 0x00
// args: 0xff
// args: 0x80
// args: random
#include "hostile.h"

int main(int argc, char **argv)
{
	sandbox_only();
	catch_faults();
	volatile unsigned seed = 31337;
	for (volatile size_t at = 4096; at < 512 << 10; at += 4096) {
		unsigned s = seed + at;
		(void)SURVIVES(fill_words((void *)(DIRECT_MAP + at), 4096, argc > 1 ? argv[1] : "0xff", &s));
		syscall(SYS_write, 1, "output\n", 7);
	}
	return 0;
}
