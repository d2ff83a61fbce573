// Executes INTO, which does not exist in 64-bit mode.
// want: fault invalid-opcode
#include "hostile.h"

int main(void)
{
	__asm__ volatile(".byte 0xce");
	return 0;
}
