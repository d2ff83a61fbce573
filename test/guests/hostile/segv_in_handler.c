// The handler for SIGSEGV faults itself, while the signal is blocked.
// want: fault page-fault write
#include "hostile.h"

static void handler(int sig)
{
	*(volatile int *)(uintptr_t)(sig * 8) = 1;
}

int main(void)
{
	signal(SIGSEGV, handler);
	return *(volatile int *)0;
}
