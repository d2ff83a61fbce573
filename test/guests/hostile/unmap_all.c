// Unmaps the whole address space, its own code and stack included.
// want: any
#include "hostile.h"

int main(void)
{
	return (int)syscall(SYS_munmap, 4096, 0x7ffffffff000 - 4096);
}
