// A frame larger than the stack reaches far beyond its guard page.
// want: fault page-fault write
#include "hostile.h"

static __attribute__((noinline)) int jump_over(size_t size)
{
	volatile char *frame = __builtin_alloca(size);
	frame[0] = 1;
	return frame[0];
}

int main(void)
{
	volatile size_t size = 1UL << 30;
	return jump_over(size);
}
