// Tries to raise its I/O privilege by calls and by POPF; neither may help.
// want: exit 0
// stdout: SUCCESS
// native: no
#include "hostile.h"

int main(void)
{
	sandbox_only();
	long before, after;
	CHECK_ERR(syscall(SYS_iopl, 3), ENOSYS);
	CHECK_ERR(syscall(SYS_ioperm, 0, 65536, 1), ENOSYS);
	// The flags may or may not show an IOPL, but it cannot be changed to more than it is.
	__asm__ volatile("pushfq; pop %0; pushfq; orq $0x3000, (%%rsp); popfq; pushfq; pop %1" : "=r"(before), "=r"(after));
	CHECK_EQ(after & 0x3000 & ~before, 0);
	use_kernel();
	return success();
}
