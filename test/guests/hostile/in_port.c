// Reads from an input port: no hypercall does.
// want: bad-hypercall
// native: no
#include "hostile.h"

int main(void)
{
	unsigned char value;
	__asm__ volatile("inb %w1, %0" : "=a"(value) : "d"(0x3f8));
	return value;
}
