// alarm without a handler ends a program that spins.
// want: signal SIGALRM
#include <sys/time.h>

int main(void)
{
	struct itimerval soon = {{0, 0}, {0, 20000}};
	setitimer(ITIMER_REAL, &soon, 0);
	for (volatile unsigned long turns = 0;; turns++) {
	}
}
