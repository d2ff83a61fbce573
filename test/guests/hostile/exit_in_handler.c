// Exits from a fault handler on the alternate stack.
// want: exit 6
#include "hostile.h"

static void handler(int sig)
{
	_exit(sig - 5);
}

int main(void)
{
	static char stack[65536];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
	sigaltstack(&ss, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	return *(volatile int *)0;
}
