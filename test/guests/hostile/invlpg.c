// Invalidates a page translation.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("invlpg (%%rsp)" ::: "rax", "rcx", "rdx", "memory");
	return 0;
}
