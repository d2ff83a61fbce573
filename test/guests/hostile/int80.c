// Makes a system call in the 32-bit way, which a sandbox does not have.
// want: any
// native: no
#include "hostile.h"

int main(void)
{
	int rc;
	__asm__ volatile("int $0x80" : "=a"(rc) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
	return rc < 0;
}
