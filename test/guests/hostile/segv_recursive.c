// The handler for SIGSEGV faults itself and may nest, until the stack is full of signal frames.
// want: any
#include "hostile.h"

static void handler(int sig)
{
	*(volatile int *)(uintptr_t)(sig * 8) = 1;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_NODEFER};
	sigaction(SIGSEGV, &sa, NULL);
	return *(volatile int *)0;
}
