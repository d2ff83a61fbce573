// A write to an unmapped address without a handler ends the program.
// want: fault page-fault write
#include <stdint.h>

int main(void)
{
	*(volatile int *)(uintptr_t)0x1000 = 1;
	return 0;
}
