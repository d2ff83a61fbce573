// Writes to the program's own code.
// want: fault page-fault write
#include "hostile.h"

int main(void)
{
	*(volatile char *)(uintptr_t)main = 1;
	return 0;
}
