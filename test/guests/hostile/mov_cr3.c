// Loads the page table register.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("xor %%eax, %%eax; mov %%rax, %%cr3" ::: "rax", "rcx", "rdx", "memory");
	return 0;
}
