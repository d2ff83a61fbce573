// abort() ends the program even when a handler for SIGABRT returns.
// want: signal SIGABRT
#include <signal.h>
#include <stdlib.h>

static void handler(int sig)
{
	(void)sig;
}

int main(void)
{
	signal(SIGABRT, handler);
	abort();
}
