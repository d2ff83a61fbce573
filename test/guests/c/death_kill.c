// SIGKILL ends the program whatever it blocks.
// want: signal SIGKILL
#include <signal.h>
#include <unistd.h>

int main(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, 0);
	kill(getpid(), SIGKILL);
	for (;;) {
		pause();
	}
}
