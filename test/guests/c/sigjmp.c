// siglongjmp out of SIGSEGV handlers, many times; the signal mask comes back.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <setjmp.h>
#include <signal.h>

static sigjmp_buf back;
static volatile sig_atomic_t caught;

static void handler(int sig)
{
	caught++;
	siglongjmp(back, sig);
}

int main(void)
{
	struct sigaction sa = {.sa_handler = handler};
	sigaddset(&sa.sa_mask, SIGUSR1);
	CHECK_EQ(sigaction(SIGSEGV, &sa, NULL), 0);
	CHECK_EQ(sigaction(SIGFPE, &sa, NULL), 0);
	volatile int *volatile null = NULL;
	volatile int one = 1, zero = 0, sink;
	for (volatile int i = 0; i < 500; i++) {
		int sig = sigsetjmp(back, 1);
		if (sig == 0) {
			if (i % 2) {
				sink = *null;
			} else {
				sink = one / zero;
			}
			CHECK(!"the fault did not come");
		}
		CHECK_EQ(sig, i % 2 ? SIGSEGV : SIGFPE);
		sigset_t mask;
		sigprocmask(SIG_BLOCK, NULL, &mask);
		CHECK(!sigismember(&mask, SIGSEGV) && !sigismember(&mask, SIGFPE) && !sigismember(&mask, SIGUSR1));
	}
	(void)sink;
	CHECK_EQ(caught, 500);

	// Without a saved mask the signal stays blocked.
	if (sigsetjmp(back, 0) == 0) {
		sink = *null;
	}
	sigset_t mask;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	CHECK(sigismember(&mask, SIGSEGV) && sigismember(&mask, SIGUSR1));
	return success();
}
