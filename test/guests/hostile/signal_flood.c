// A timer of one microsecond, real-time signals and alarms, while it spins in and out of handlers.
// want: any
#include "hostile.h"
#include <sys/time.h>

static volatile long handled;

static void handler(int sig)
{
	handled++;
	if (sig != SIGALRM && handled < 50000) {
		sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1});
	}
}

int main(void)
{
	struct itimerval every = {{0, 1}, {0, 1}};
	signal(SIGALRM, handler);
	signal(SIGRTMIN, handler);
	setitimer(ITIMER_REAL, &every, NULL);
	raise(SIGRTMIN);
	while (handled < 50000) {
	}
	return 0;
}
