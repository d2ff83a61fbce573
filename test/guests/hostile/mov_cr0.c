// Reads a control register.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("mov %%cr0, %%rax" ::: "rax", "rcx", "rdx", "memory");
	return 0;
}
