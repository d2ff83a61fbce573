// Real-time signals queue in order with their values; sigwaitinfo and sigtimedwait take them.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <signal.h>

static int values[16];
static volatile int count;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	CHECK_EQ(info->si_code, SI_QUEUE);
	CHECK_EQ(info->si_pid, getpid());
	CHECK_EQ(info->si_uid, getuid());
	values[count++] = (sig - SIGRTMIN) * 100 + info->si_value.sival_int;
}

static void *send_later(void *arg)
{
	sleep_ms(10);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	return arg;
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	sigset_t set, old;
	sigfillset(&sa.sa_mask);
	sigemptyset(&set);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(sigaction(SIGRTMIN + i, &sa, NULL), 0);
		sigaddset(&set, SIGRTMIN + i);
	}
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, &old), 0);
	for (int i = 0; i < 9; i++) { // the highest number first
		CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 2 - i / 3, (union sigval){.sival_int = i % 3}), 0);
	}
	CHECK_EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	CHECK_EQ(count, 9);
	for (int i = 0; i < 9; i++) {
		CHECK_EQ(values[i], i / 3 * 100 + i % 3);
	}

	siginfo_t info;
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_ptr = &info}), 0);
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = -5}), 0);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
	CHECK(info.si_signo == SIGRTMIN && info.si_code == SI_QUEUE && info.si_value.sival_int == -5);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 1);
	CHECK(info.si_value.sival_ptr == &info);

	struct timespec ts = {0, 20000000}, none = {0, 0};
	long long start = now_ms();
	CHECK_ERR(sigtimedwait(&set, &info, &ts), EAGAIN);
	CHECK(now_ms() - start >= 19);
	CHECK_ERR(sigtimedwait(&set, NULL, &none), EAGAIN);
	ts.tv_nsec = 1000000000;
	CHECK_ERR(sigtimedwait(&set, &info, &ts), EINVAL);
	raise(SIGUSR1);
	CHECK_EQ(sigtimedwait(&set, &info, &none), SIGUSR1);
	CHECK(info.si_code == SI_TKILL || info.si_code == SI_USER); // glibc says SI_USER

	pthread_t t; // inherits the mask
	CHECK_EQ(pthread_create(&t, NULL, send_later, NULL), 0);
	int sig;
	CHECK(sigwait(&set, &sig) == 0 && sig == SIGUSR1);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(count, 9);
	return success();
}
