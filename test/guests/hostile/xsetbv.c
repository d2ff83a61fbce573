// Sets the extended control register.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("xor %%ecx, %%ecx; mov $7, %%eax; xor %%edx, %%edx; xsetbv" ::: "rax", "rcx", "rdx", "memory");
	return 0;
}
