// Returns with timers armed, signals pending, handlers that never end, pipes full and spinning
// threads. The next call is for the host to judge, and a restore undoes all of it.
// call: Attack
// want: any
// args: timers
// args: handlers
// args: threads
// args: descriptors
// args: signals
#include "attack.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/time.h>

static void never_ends(int sig)
{
	(void)sig;
	for (;;) {
	}
}

static void *spin(void *unused)
{
	for (;;) {
	}
	return unused;
}

static const char *attack(struct airlock_call *call, const char *how)
{
	struct itimerval fast = {{0, 1}, {0, 1}};
	struct sigaction handler = {.sa_handler = never_ends};
	pthread_t thread;
	sigset_t all;
	int ends[2];
	(void)call;
	if (is(how, "timers") || is(how, "handlers")) {
		handler.sa_handler = is(how, "handlers") ? never_ends : SIG_IGN;
		sigaction(SIGALRM, &handler, NULL);
		setitimer(ITIMER_REAL, &fast, NULL);
	} else if (is(how, "threads")) {
		for (int i = 0; i < 30; i++) {
			pthread_create(&thread, NULL, spin, NULL);
		}
	} else if (is(how, "descriptors")) {
		while (pipe(ends) == 0) {
			fcntl(ends[1], F_SETFL, O_NONBLOCK);
			write(ends[1], spin, 4096);
		}
	} else {
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		for (int i = 1; i < 64; i++) {
			if (i != SIGKILL && i != SIGSTOP) {
				kill(getpid(), i);
			}
		}
	}
	return "done";
}
