// Writes to stdout for ever.
// want: timeout
#include "hostile.h"

int main(void)
{
	static char block[65536];
	memset(block, 0x41, sizeof block);
	for (;;) {
		syscall(SYS_write, 1, block, sizeof block);
	}
}
