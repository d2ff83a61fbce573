// Reads an address in the middle of nowhere.
// want: fault page-fault read
#include "hostile.h"

int main(void)
{
	return *(volatile int *)(uintptr_t)0x123456789000;
}
