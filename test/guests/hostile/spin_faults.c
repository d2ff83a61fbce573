// A fault handler returns without a cure: the program faults for ever.
// want: timeout
#include "hostile.h"

static void handler(int sig)
{
	(void)sig;
}

int main(void)
{
	signal(SIGSEGV, handler);
	return *(volatile int *)0;
}
