// Waits with a timeout end in time under periodic signals, timers that are due fire at once, and SIGPIPE says who sent it.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum { WAIT_PRIVATE = 128, WAIT_BITSET_PRIVATE = 9 | 128 };
static volatile sig_atomic_t ticks;
static siginfo_t pipe_info;

static void tick(int number)
{
	(void)number;
	if (++ticks == 100) {
		static const char text[] = "a wait doesn't end\n";
		(void)!write(2, text, sizeof(text) - 1);
		_exit(1);
	}
}

static void broken(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	pipe_info = *info;
}

static void interval(long first_us, long every_us)
{
	struct itimerval value = {.it_value.tv_usec = first_us, .it_interval.tv_usec = every_us};
	CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
}

int main(void)
{
	struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
	struct timespec relative = {.tv_nsec = 300000000}, absolute;
	unsigned word = 0;
	CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);

	// A wait for a futex with a timeout is EINTR after a handler, for it would wait for the whole timeout again.
	interval(50000, 0);
	CHECK_ERR(syscall(SYS_futex, &word, WAIT_PRIVATE, 0, &relative, NULL, 0), EINTR);
	absolute = after_ms(CLOCK_MONOTONIC, 300);
	interval(50000, 0);
	CHECK_ERR(syscall(SYS_futex, &word, WAIT_BITSET_PRIVATE, 0, &absolute, NULL, ~0u), EINTR);

	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	interval(50000, 50000);
	long long start = now_ms();
	absolute = after_ms(CLOCK_REALTIME, 300);
	CHECK_EQ(pthread_cond_timedwait(&cond, &mutex, &absolute), ETIMEDOUT);
	CHECK(now_ms() - start >= 290);
	interval(0, 0);

	// Without an interval nothing is left of a timer that is disarmed.
	interval(0, 5000);
	struct itimerval left;
	CHECK_EQ(getitimer(ITIMER_REAL, &left), 0);
	CHECK_EQ(left.it_interval.tv_usec, 0);

	// What is due when it is set has fired when the call returns.
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	struct itimerspec past = {.it_value.tv_sec = 1};
	CHECK_EQ(timer_create(CLOCK_REALTIME, &event, &timer), 0);
	ticks = 0;
	CHECK_EQ(timer_settime(timer, TIMER_ABSTIME, &past, NULL), 0);
	CHECK_EQ(ticks, 1);

	int pair[2];
	struct sigaction pipes = {.sa_sigaction = broken, .sa_flags = SA_SIGINFO};
	CHECK_EQ(sigaction(SIGPIPE, &pipes, NULL), 0);
	CHECK_EQ(pipe(pair), 0);
	close(pair[0]);
	CHECK_ERR(write(pair[1], "x", 1), EPIPE);
	CHECK_EQ(pipe_info.si_code, SI_USER);
	CHECK_EQ(pipe_info.si_pid, getpid());
	return success();
}
