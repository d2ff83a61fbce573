// POSIX timers with signals: one shot, interval, overrun, value, to one thread, and with SIGEV_NONE.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static volatile int fired, value, code;
static atomic_int thread_stop;
static volatile pid_t thread_id, fired_in;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	code = info->si_code;
	value = info->si_value.sival_int;
	fired_in = syscall(SYS_gettid);
	fired++;
}

static void *work(void *arg)
{
	thread_id = syscall(SYS_gettid);
	while (!thread_stop) {
		sleep_ms(1);
	}
	return arg;
}

// A timer that is set anew has no overruns yet.
static void overruns(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 4};
	struct itimerspec often = {{0, 1000000}, {0, 1000000}}, late = {{0, 0}, {100, 0}};
	siginfo_t info;
	timer_t timer;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 4);
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
	CHECK_EQ(timer_settime(timer, 0, &often, NULL), 0);
	sleep_ms(20);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 4);
	CHECK(timer_getoverrun(timer) > 0);
	CHECK_EQ(timer_settime(timer, 0, &late, NULL), 0);
	CHECK_EQ(timer_getoverrun(timer), 0);
	CHECK_EQ(timer_delete(timer), 0);
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	CHECK_EQ(sigaction(SIGRTMIN + 3, &sa, NULL), 0);
	struct sigevent ev;
	memset(&ev, 0, sizeof ev);
	ev.sigev_notify = SIGEV_SIGNAL;
	ev.sigev_signo = SIGRTMIN + 3;
	ev.sigev_value.sival_int = 4711;
	timer_t timer;
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
	struct itimerspec its = {{0, 0}, {1000, 0}}, old;
	CHECK_EQ(timer_settime(timer, 0, &its, NULL), 0);
	CHECK_EQ(timer_gettime(timer, &old), 0);
	CHECK(old.it_value.tv_sec >= 900 && old.it_value.tv_sec <= 1000);
	its.it_value = (struct timespec){0, 10000000};
	CHECK_EQ(timer_settime(timer, 0, &its, NULL), 0);
	long long start = now_ms();
	while (!fired) {
		sleep_ms(100);
	}
	CHECK(fired == 1 && value == 4711 && code == SI_TIMER);
	CHECK(now_ms() - start < 30000);

	fired = 0;
	its = (struct itimerspec){{0, 2000000}, {0, 2000000}};
	CHECK_EQ(timer_settime(timer, 0, &its, NULL), 0);
	while (fired < 10) {
		sleep_ms(1);
	}
	sigset_t set, before;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, &before);
	sleep_ms(30);
	siginfo_t info;
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 3);
	CHECK_EQ(info.si_code, SI_TIMER);
	CHECK(timer_getoverrun(timer) >= 5); // missed ones are counted, not queued
	CHECK_EQ(timer_delete(timer), 0);
	struct timespec none = {0, 0};
	while (sigtimedwait(&set, NULL, &none) > 0) {
	}

	// SIGEV_THREAD_ID, which the Go runtime uses for profiling.
	pthread_t t;
	CHECK_EQ(pthread_create(&t, NULL, work, NULL), 0); // the signal is blocked in it
	while (!thread_id) {
		sleep_ms(1);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	struct { // the kernel's struct sigevent
		union sigval value;
		int signo, notify, tid, pad[11];
	} kernel_ev = {.value.sival_int = 42, .signo = SIGRTMIN + 3, .notify = 4, .tid = (int)syscall(SYS_gettid)};
	int id;
	CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, &kernel_ev, &id), 0);
	fired = 0;
	CHECK_EQ(syscall(SYS_timer_settime, id, 0, &its, NULL), 0);
	while (fired < 5) {
		sleep_ms(1);
	}
	CHECK(value == 42 && fired_in == getpid());
	CHECK_EQ(syscall(SYS_timer_delete, id), 0);
	CHECK_ERR(syscall(SYS_timer_delete, id), EINVAL);
	thread_stop = 1;
	CHECK_EQ(pthread_join(t, NULL), 0);

	overruns();

	ev.sigev_notify = SIGEV_NONE;
	CHECK_EQ(timer_create(CLOCK_REALTIME, &ev, &timer), 0);
	its = (struct itimerspec){{0, 0}, {1000, 0}};
	CHECK_EQ(timer_settime(timer, 0, &its, NULL), 0);
	CHECK_EQ(timer_gettime(timer, &old), 0);
	CHECK(old.it_value.tv_sec >= 900 && old.it_value.tv_sec <= 1000);
	return success();
}
