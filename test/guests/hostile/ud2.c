// Executes an undefined instruction.
// want: fault invalid-opcode
#include "hostile.h"

int main(void)
{
	__asm__ volatile("ud2");
	return 0;
}
