// Signals and system calls on a stack that is not aligned.
// want: exit 0
// stdout: SUCCESS
#include "hostile.h"

static volatile int handled;

static void handler(int sig)
{
	(void)sig;
	CHECK_EQ((uintptr_t)__builtin_frame_address(0) % 16, 0); // the kernel aligns the frame
	handled++;
}

int main(void)
{
	signal(SIGUSR1, handler);
	for (long shift = 0; shift < 64; shift++) {
		long rc;
		__asm__ volatile("mov %%rsp, %%r12; sub $512, %%rsp; sub %[shift], %%rsp\nsyscall\nmov %%r12, %%rsp"
		                 : "=a"(rc)
		                 : "a"((long)SYS_kill), "D"((long)getpid()), "S"((long)SIGUSR1), [shift] "r"(shift)
		                 : "rcx", "r11", "r12", "memory");
		CHECK_EQ(rc, 0);
		CHECK_EQ(handled, shift + 1);
	}
	return success();
}
