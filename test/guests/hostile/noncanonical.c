// Reads an address that no page table can map.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	return *(volatile int *)(uintptr_t)0x8000000000000000;
}
