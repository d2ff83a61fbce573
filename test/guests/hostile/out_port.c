// Writes to a port that is no hypercall.
// want: bad-hypercall
// native: no
#include "hostile.h"

int main(void)
{
	__asm__ volatile("outb %0, %w1" ::"a"((char)1), "d"(0x3f8));
	return 0;
}
