// Pending signals that the mask of ppoll, pselect and sigsuspend lets in; signals that stop, and SIGCONT.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

static volatile sig_atomic_t handled;
static sigset_t none;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

// Even calls that may not wait look for signals, but for epoll_pwait.
static void at_once(void)
{
	struct timespec zero = {0, 0};
	struct epoll_event event;
	int set = epoll_create1(0);
	raise(SIGUSR1);
	CHECK_ERR(ppoll(NULL, 0, &zero, &none), EINTR);
	CHECK_EQ(handled, 1);
	raise(SIGUSR1);
	CHECK_ERR(pselect(0, NULL, NULL, NULL, &zero, &none), EINTR);
	CHECK_EQ(handled, 2);
	raise(SIGUSR1);
	CHECK_EQ(epoll_pwait(set, &event, 1, 0, &none), 0);
	CHECK_EQ(handled, 2);
	CHECK_ERR(epoll_pwait(set, &event, 1, 5000, &none), EINTR);
	CHECK_EQ(handled, 3);
	close(set);
}

// What is ignored ends no call.
static void ignored(void)
{
	struct timespec soon = {0, 30000000};
	struct itimerval alarm_soon = {{0, 0}, {0, 30000}};
	raise(SIGWINCH);
	CHECK_EQ(ppoll(NULL, 0, &soon, &none), 0);
	raise(SIGWINCH);
	CHECK_EQ(pselect(0, NULL, NULL, NULL, &soon, &none), 0);
	handled = 0;
	raise(SIGWINCH);
	CHECK_EQ(setitimer(ITIMER_REAL, &alarm_soon, NULL), 0);
	CHECK_ERR(sigsuspend(&none), EINTR);
	CHECK_EQ(handled, 1);
}

static int pending(int sig)
{
	sigset_t set;
	CHECK_EQ(sigpending(&set), 0);
	return sigismember(&set, sig);
}

static void stop_and_continue(void)
{
	raise(SIGTSTP);
	CHECK(pending(SIGTSTP));
	raise(SIGCONT);
	CHECK(!pending(SIGTSTP) && pending(SIGCONT));
	raise(SIGTTIN);
	CHECK(pending(SIGTTIN) && !pending(SIGCONT));
}

int main(void)
{
	int blocked[] = {SIGUSR1, SIGWINCH, SIGALRM, SIGTSTP, SIGTTIN, SIGCONT};
	sigset_t set;
	sigemptyset(&none);
	sigemptyset(&set);
	for (int i = 0; i < 6; i++)
		sigaddset(&set, blocked[i]);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	signal(SIGUSR1, on_signal);
	signal(SIGALRM, on_signal);
	signal(SIGTSTP, on_signal);
	signal(SIGTTIN, on_signal);
	signal(SIGCONT, on_signal);
	at_once();
	ignored();
	stop_and_continue();
	return success();
}
