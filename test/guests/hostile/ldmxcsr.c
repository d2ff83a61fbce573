// Loads reserved bits into the SSE control register. It is a general-protection fault on
// hardware; KVM-PVM tries to emulate the instruction, fails, and makes it an invalid opcode.
// want: any
#include "hostile.h"

int main(void)
{
	unsigned garbage = 0xffffffff;
	__asm__ volatile("ldmxcsr %0" ::"m"(garbage));
	return 0;
}
