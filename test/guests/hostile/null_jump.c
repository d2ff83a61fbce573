// Jumps to address 0.
// want: fault page-fault exec
#include "hostile.h"

int main(void)
{
	__asm__ volatile("xor %eax, %eax; jmp *%rax");
	return 0;
}
