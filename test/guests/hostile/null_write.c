// Writes address 0.
// want: fault page-fault write
#include "hostile.h"

int main(void)
{
	*(volatile int *)0 = 1;
	return 0;
}
