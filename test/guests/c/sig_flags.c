// SA_NODEFER, SA_RESETHAND, sa_mask and nested signals, with the mask restored after each.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <signal.h>

static volatile int depth, deepest, calls, order[8], steps;

static int blocked(int sig)
{
	sigset_t mask;
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	return sigismember(&mask, sig);
}

static void nodefer(int sig)
{
	CHECK(!blocked(sig));
	if (++depth > deepest) {
		deepest = depth;
	}
	if (depth < 20) {
		raise(sig);
	}
	depth--;
}

static void deferred(int sig)
{
	CHECK(blocked(sig));
	CHECK_EQ(depth, 0);
	depth++;
	if (++calls < 5) {
		raise(sig); // comes after this one returns
	}
	depth--;
}

static void reset_hand(int sig)
{
	struct sigaction now;
	CHECK_EQ(sigaction(sig, NULL, &now), 0);
	CHECK(now.sa_handler == SIG_DFL);
	calls++;
}

static void low(int sig)
{
	(void)sig;
	CHECK(!blocked(SIGUSR2) && blocked(SIGHUP));
	order[steps++] = 1;
	raise(SIGHUP); // waits until the end: it is in sa_mask
	raise(SIGUSR2); // nests
	order[steps++] = 3;
}

static void nested(int sig)
{
	order[steps++] = sig == SIGUSR2 ? 2 : 4;
}

static void install(int sig, void (*f)(int), int flags, int mask)
{
	struct sigaction sa = {.sa_handler = f, .sa_flags = flags};
	if (mask) {
		sigaddset(&sa.sa_mask, mask);
	}
	CHECK_EQ(sigaction(sig, &sa, NULL), 0);
}

int main(void)
{
	install(SIGUSR1, nodefer, SA_NODEFER, 0);
	raise(SIGUSR1);
	CHECK_EQ(deepest, 20);
	CHECK(!blocked(SIGUSR1));

	install(SIGUSR1, deferred, 0, 0);
	raise(SIGUSR1);
	CHECK_EQ(calls, 5);

	calls = 0;
	install(SIGUSR1, reset_hand, SA_RESETHAND, 0);
	raise(SIGUSR1);
	CHECK_EQ(calls, 1);

	install(SIGUSR1, low, 0, SIGHUP);
	install(SIGUSR2, nested, 0, 0);
	install(SIGHUP, nested, 0, 0);
	raise(SIGUSR1);
	CHECK_EQ(steps, 4);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(order[i], i + 1);
	}
	CHECK(!blocked(SIGHUP) && !blocked(SIGUSR1) && !blocked(SIGUSR2));
	return success();
}
