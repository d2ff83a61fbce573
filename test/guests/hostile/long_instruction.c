// Executes an instruction of more than 15 bytes.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile(".fill 20, 1, 0x66; nop");
	return 0;
}
