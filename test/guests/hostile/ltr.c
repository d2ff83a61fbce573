// Loads the task register.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("mov $0x28, %%eax; ltr %%ax" ::: "rax", "rcx", "rdx", "memory");
	return 0;
}
