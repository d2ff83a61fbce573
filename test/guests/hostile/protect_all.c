// Takes all rights from its own code, data and stack.
// want: any
#include "hostile.h"

int main(void)
{
	for (uintptr_t at = (uintptr_t)main & ~4095UL; at != 0; at += 4096) {
		if (syscall(SYS_mprotect, at, 4096, PROT_NONE) != 0) {
			break;
		}
	}
	uintptr_t stack = (uintptr_t)__builtin_frame_address(0) & ~4095UL;
	return (int)syscall(SYS_mprotect, stack, 4096, PROT_NONE);
}
