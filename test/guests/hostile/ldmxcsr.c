// Loads reserved bits into the SSE control register.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	unsigned garbage = 0xffffffff;
	__asm__ volatile("ldmxcsr %0" ::"m"(garbage));
	return 0;
}
