// Reads the time stamp counter for ever.
// want: timeout
#include "hostile.h"

int main(void)
{
	for (;;) {
		__asm__ volatile("rdtsc; rdtscp" ::: "rax", "rcx", "rdx");
	}
}
