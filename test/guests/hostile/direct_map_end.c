// Reads and writes physical memory upwards until it ends, and far behind that.
// want: any
// native: no
#include "hostile.h"

int main(void)
{
	sandbox_only();
	catch_faults();
	volatile size_t at = 0;
	while (at < (size_t)1 << 40 && SURVIVES((void)*(volatile char *)(DIRECT_MAP + at))) {
		at += 4096;
	}
	printf("physical memory ends at %#zx\n", at);
	for (volatile int shift = 12; shift < 38; shift++) {
		uintptr_t far = DIRECT_MAP + at + ((uintptr_t)1 << shift);
		if (SURVIVES(++*(volatile char *)far)) {
			printf("%#zx can be written\n", (size_t)far);
		}
	}
	return 0;
}
