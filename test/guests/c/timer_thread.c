// POSIX timers with SIGEV_THREAD call a function in a thread of the C library.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <semaphore.h>
#include <signal.h>

static sem_t called;

static void notify(union sigval value)
{
	CHECK_EQ(value.sival_int, 99);
	sem_post(&called);
}

int main(void)
{
	struct sigevent ev;
	memset(&ev, 0, sizeof ev);
	ev.sigev_notify = SIGEV_THREAD;
	ev.sigev_notify_function = notify;
	ev.sigev_value.sival_int = 99;
	timer_t timer;
	sem_init(&called, 0, 0);
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
	struct itimerspec its = {{0, 5000000}, {0, 5000000}};
	CHECK_EQ(timer_settime(timer, 0, &its, NULL), 0);
	for (int i = 0; i < 5; i++) {
		struct timespec until = after_ms(CLOCK_REALTIME, 3000);
		CHECK_EQ(sem_timedwait(&called, &until), 0);
	}
	CHECK_EQ(timer_delete(timer), 0);
	return success();
}
