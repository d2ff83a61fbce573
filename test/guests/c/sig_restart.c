// SA_RESTART resumes read, wait and futex; without it they give EINTR; sleeps tell what remains.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/time.h>

static int fds[2];
static volatile int alarms, write_at = -1;

static void handler(int sig)
{
	int saved = errno;
	(void)sig;
	if (++alarms == write_at) {
		CHECK_EQ(write(fds[1], "x", 1), 1);
	}
	errno = saved;
}

// arm sends SIGALRM every ms milliseconds.
static void arm(int flags, int ms)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
	CHECK_EQ(sigaction(SIGALRM, &sa, NULL), 0);
	struct itimerval every = {{0, ms * 1000}, {0, ms * 1000}};
	CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
	alarms = 0;
}

int main(void)
{
	char c;
	CHECK_EQ(pipe(fds), 0);

	arm(0, 10);
	CHECK_ERR(read(fds[0], &c, 1), EINTR);
	CHECK(alarms >= 1);

	write_at = 4;
	arm(SA_RESTART, 10);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK(alarms >= 4);
	write_at = -1;

	// Some calls are interrupted in any case.
	struct pollfd p = {fds[0], POLLIN, 0};
	fd_set set;
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	CHECK_ERR(poll(&p, 1, -1), EINTR);
	CHECK_ERR(select(fds[0] + 1, &set, NULL, NULL, NULL), EINTR);
	CHECK_ERR(pause(), EINTR);

	struct timespec ts = {100, 0}, rest = {0, 0};
	CHECK_ERR(nanosleep(&ts, &rest), EINTR);
	CHECK(rest.tv_sec >= 50 && rest.tv_sec < 100);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &rest), EINTR);
	CHECK(rest.tv_sec >= 50 && rest.tv_sec < 100);
	rest.tv_sec = 123;
	ts = after_ms(CLOCK_MONOTONIC, 100000);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, &rest), EINTR);
	CHECK_EQ(rest.tv_sec, 123); // absolute sleeps leave it alone
	long long start = now_ms();
	sleep_ms(50); // restarts with what remains
	CHECK(now_ms() - start >= 49 && now_ms() - start < 20000);

	sem_t sem;
	sem_init(&sem, 0, 0);
	arm(0, 10);
	CHECK_ERR(sem_wait(&sem), EINTR);

	struct itimerval none = {{0, 0}, {0, 0}}, left;
	CHECK_EQ(setitimer(ITIMER_REAL, &none, &left), 0);
	CHECK(left.it_interval.tv_usec == 10000 && left.it_value.tv_usec <= 11000);
	CHECK_EQ(getitimer(ITIMER_REAL, &left), 0);
	CHECK_EQ(left.it_value.tv_usec, 0);
	CHECK_EQ(alarm(100), 0);
	CHECK(alarm(0) >= 80);
	return success();
}
