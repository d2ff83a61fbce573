// Loads a descriptor table.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("lgdt (%%rsp)" ::: "rax", "rcx", "rdx", "memory");
	return 0;
}
