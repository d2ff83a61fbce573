// Blocked signals stay pending, coalesce, and come in order when unblocked; sigsuspend and sigaction work.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <signal.h>

static int log_[16];
static volatile int logged;

static void note(int sig)
{
	log_[logged++] = sig;
}

static sigset_t set_of(int a, int b)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, a);
	sigaddset(&set, b);
	return set;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = note}, old;
	sigfillset(&sa.sa_mask);
	CHECK_EQ(sigaction(SIGUSR1, &sa, &old), 0);
	CHECK(old.sa_handler == SIG_DFL);
	CHECK_EQ(sigaction(SIGUSR2, &sa, NULL), 0);
	CHECK_EQ(sigaction(SIGUSR2, NULL, &old), 0);
	CHECK(old.sa_handler == note && sigismember(&old.sa_mask, SIGHUP));
	CHECK_ERR(sigaction(SIGKILL, &sa, NULL), EINVAL);
	CHECK_ERR(sigaction(SIGSTOP, &sa, NULL), EINVAL);
	CHECK_ERR(sigaction(65, &sa, NULL), EINVAL);

	sigset_t both = set_of(SIGUSR1, SIGUSR2), before, pending;
	CHECK_EQ(sigprocmask(SIG_BLOCK, &both, &before), 0);
	CHECK(!sigismember(&before, SIGUSR1));
	CHECK_EQ(raise(SIGUSR2), 0);
	CHECK_EQ(raise(SIGUSR1), 0);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	CHECK_EQ(raise(SIGUSR1), 0); // a second one for the thread coalesces
	CHECK_EQ(logged, 0);
	CHECK_EQ(sigpending(&pending), 0);
	CHECK(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGUSR2) && !sigismember(&pending, SIGHUP));
	CHECK_EQ(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	CHECK_EQ(logged, 3); // USR1, USR2 of the thread, then USR1 of the process
	CHECK(log_[0] == SIGUSR1 && log_[1] == SIGUSR2 && log_[2] == SIGUSR1);
	CHECK_EQ(sigpending(&pending), 0);
	CHECK(!sigismember(&pending, SIGUSR1));

	logged = 0;
	sigprocmask(SIG_BLOCK, &both, NULL);
	raise(SIGUSR2);
	sigset_t without_usr2 = both;
	sigdelset(&without_usr2, SIGUSR2);
	CHECK_ERR(sigsuspend(&without_usr2), EINTR);
	CHECK(logged == 1 && log_[0] == SIGUSR2);
	sigprocmask(SIG_BLOCK, NULL, &pending);
	CHECK(sigismember(&pending, SIGUSR2)); // the mask is back

	// An ignored signal is dropped, also when it was pending.
	raise(SIGUSR1);
	sa.sa_handler = SIG_IGN;
	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGUSR1));
	sigprocmask(SIG_UNBLOCK, &both, NULL);
	raise(SIGUSR1);
	CHECK_EQ(logged, 1);
	// These are ignored by default; SIGKILL and SIGSTOP cannot be blocked.
	raise(SIGCHLD);
	raise(SIGURG);
	raise(SIGWINCH);
	raise(SIGCONT);
	sigset_t all;
	sigfillset(&all);
	CHECK_EQ(sigprocmask(SIG_SETMASK, &all, NULL), 0);
	sigprocmask(SIG_BLOCK, NULL, &all);
	CHECK(!sigismember(&all, SIGKILL) && !sigismember(&all, SIGSTOP) && sigismember(&all, SIGSEGV));
	CHECK_ERR(sigprocmask(77, &both, NULL), EINVAL);
	CHECK_ERR(kill(getpid(), 99), EINVAL);
	CHECK_EQ(kill(getpid(), 0), 0);
	return success();
}
