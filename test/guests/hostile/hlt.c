// Halts the processor.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("hlt" ::: "rax", "rcx", "rdx", "memory");
	return 0;
}
