// Executes CPUID for ever, which traps each time.
// want: timeout
#include "hostile.h"

int main(void)
{
	for (unsigned leaf = 0;; leaf++) {
		unsigned a = leaf, c = leaf >> 4;
		__asm__ volatile("cpuid" : "+a"(a), "+c"(c)::"rbx", "rdx");
	}
}
