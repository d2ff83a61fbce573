// Reads a model-specific register.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("mov $0xc0000080, %%ecx; rdmsr" ::: "rax", "rcx", "rdx", "memory");
	return 0;
}
