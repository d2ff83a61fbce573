// timerfd: one shot, intervals, absolute times, disarming, reading and polling.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <poll.h>
#include <stdint.h>
#include <sys/timerfd.h>

static struct itimerspec spec(long value_ms, long interval_ms)
{
	return (struct itimerspec){{0, interval_ms * 1000000}, {0, value_ms * 1000000}};
}

int main(void)
{
	uint64_t count;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_ERR(read(fd, &count, 8), EAGAIN);
	struct itimerspec its = {{0, 0}, {1000, 0}}, old;
	CHECK_EQ(timerfd_settime(fd, 0, &its, NULL), 0);
	CHECK_EQ(timerfd_gettime(fd, &old), 0);
	CHECK(old.it_value.tv_sec >= 900 && old.it_value.tv_sec <= 1000);
	struct pollfd p = {fd, POLLIN, 0};
	long long start = now_ms();
	its = spec(10, 0);
	CHECK_EQ(timerfd_settime(fd, 0, &its, NULL), 0);
	CHECK_EQ(poll(&p, 1, 50000), 1);
	CHECK(now_ms() - start >= 9 && now_ms() - start < 30000);
	CHECK_ERR(read(fd, &count, 4), EINVAL);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK_EQ(count, 1);
	CHECK_ERR(read(fd, &count, 8), EAGAIN);
	CHECK_EQ(timerfd_gettime(fd, &old), 0);
	CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);

	its = spec(5, 5);
	CHECK_EQ(timerfd_settime(fd, 0, &its, NULL), 0);
	sleep_ms(32);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK(count >= 6 && count < 1000);
	its = spec(0, 0);
	CHECK_EQ(timerfd_settime(fd, 0, &its, &old), 0);
	CHECK_EQ(old.it_interval.tv_nsec, 5000000);
	CHECK_EQ(poll(&p, 1, 15), 0);
	CHECK_EQ(close(fd), 0);

	CHECK((fd = timerfd_create(CLOCK_REALTIME, 0)) >= 0);
	its = spec(0, 0);
	start = now_ms();
	its.it_value = after_ms(CLOCK_REALTIME, 15);
	CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL), 0);
	CHECK_EQ(read(fd, &count, 8), 8); // blocks
	CHECK(count == 1 && now_ms() - start >= 13);
	its.it_value.tv_sec -= 100; // in the past: expires at once
	CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL), 0);
	CHECK_EQ(read(fd, &count, 8), 8);

	CHECK_ERR(timerfd_create(77, 0), EINVAL);
	CHECK_ERR(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	its.it_value.tv_nsec = -1;
	CHECK_ERR(timerfd_settime(fd, 0, &its, NULL), EINVAL);
	its.it_value.tv_nsec = 1;
	CHECK_ERR(timerfd_settime(0, 0, &its, NULL), EINVAL);
	CHECK_ERR(timerfd_settime(99, 0, &its, NULL), EBADF);
	CHECK(write(fd, &count, 8) < 0);
	return success();
}
