// abort() ends the program, also from a thread that blocks SIGABRT.
// want: signal SIGABRT
#include <signal.h>
#include <stdlib.h>

int main(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, 0);
	abort();
}
