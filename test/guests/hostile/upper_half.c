// Reads an address of the half where kernels usually live.
// want: fault page-fault read
#include "hostile.h"

int main(void)
{
	return *(volatile int *)(uintptr_t)0xffffffff81000000;
}
