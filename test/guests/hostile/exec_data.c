// Jumps to bytes in the data section, which are a return instruction.
// want: fault page-fault exec
#include "hostile.h"

int main(void)
{
	static char code[] = {(char)0xc3};
	__asm__ volatile("call *%0" ::"r"(code) : "memory");
	return 0;
}
