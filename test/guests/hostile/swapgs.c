// Swaps the GS base.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("swapgs" ::: "rax", "rcx", "rdx", "memory");
	return 0;
}
