// A fault whose signal is blocked or ignored ends the program all the same.
// want: fault page-fault write
#include <signal.h>
#include <stdint.h>

int main(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, 0);
	signal(SIGSEGV, SIG_IGN);
	*(volatile int *)(uintptr_t)0x1000 = 1;
	return 0;
}
