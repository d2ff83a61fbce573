// Loads an interrupt table.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("lidt (%%rsp)" ::: "rax", "rcx", "rdx", "memory");
	return 0;
}
