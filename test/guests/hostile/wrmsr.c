// Writes the address of the system call entry.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("mov $0xc0000082, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr" ::: "rax", "rcx", "rdx", "memory");
	return 0;
}
