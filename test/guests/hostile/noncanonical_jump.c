// Jumps to an address that no page table can map.
// want: fault general-protection
#include "hostile.h"

int main(void)
{
	__asm__ volatile("movabs $0x8000000000000000, %rax; jmp *%rax");
	return 0;
}
