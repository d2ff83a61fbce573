// Divides by zero with the exceptions of the x87 unit enabled.
// want: fault float
#include "../c/check.h"

int main(void)
{
	unsigned short control = 0x0340; // nothing is masked
	__asm__ volatile("fldcw %0; fld1; fldz; fdivrp; fwait" ::"m"(control));
	return 0;
}
