// Loads garbage into the extended processor state.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	static unsigned char area[4096] __attribute__((aligned(64)));
	memset(area, 0xff, sizeof area);
	__asm__ volatile("xrstor (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
	return 0;
}
