// Executes a breakpoint instruction without a handler.
// want: signal SIGTRAP
#include "hostile.h"

int main(void)
{
	__asm__ volatile("int3");
	return 0;
}
