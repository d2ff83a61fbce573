// eventfd: counting, semaphore mode, nonblocking and blocking, overflow, threads.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>

static int fd;

static void *drain_later(void *arg)
{
	uint64_t value;
	sleep_ms(10);
	CHECK_EQ(read(fd, &value, 8), 8);
	*(uint64_t *)arg = value;
	return arg;
}

static void *write_later(void *arg)
{
	sleep_ms(10);
	CHECK_EQ(write(fd, arg, 8), 8);
	return arg;
}

int main(void)
{
	uint64_t value = 0, most = 0xfffffffffffffffe, seen = 0;
	CHECK((fd = eventfd(3, EFD_NONBLOCK)) >= 0);
	CHECK_EQ(read(fd, &value, 8), 8);
	CHECK_EQ(value, 3);
	CHECK_ERR(read(fd, &value, 8), EAGAIN);
	for (uint64_t i = 1; i <= 10; i++) {
		CHECK_EQ(write(fd, &i, 8), 8);
	}
	CHECK_EQ(read(fd, &value, 8), 8);
	CHECK_EQ(value, 55);
	CHECK_ERR(write(fd, &value, 4), EINVAL);
	CHECK_ERR(read(fd, &value, 7), EINVAL);
	value = ~(uint64_t)0;
	CHECK_ERR(write(fd, &value, 8), EINVAL);
	CHECK_EQ(write(fd, &most, 8), 8);
	value = 1;
	CHECK_ERR(write(fd, &value, 8), EAGAIN);
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	value = 0;
	CHECK_EQ(write(fd, &value, 8), 8);
	CHECK_EQ(eventfd_read(fd, &value), 0);
	CHECK(value == most);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
	CHECK_EQ(close(fd), 0);

	CHECK((fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC)) >= 0);
	for (int i = 0; i < 2; i++) {
		CHECK(read(fd, &value, 8) == 8 && value == 1);
	}
	CHECK_ERR(read(fd, &value, 8), EAGAIN);
	CHECK_EQ(close(fd), 0);

	pthread_t t;
	CHECK((fd = eventfd(0, 0)) >= 0);
	value = 42;
	CHECK_EQ(pthread_create(&t, NULL, write_later, &value), 0);
	CHECK_EQ(read(fd, &seen, 8), 8); // blocks
	CHECK_EQ(seen, 42);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(write(fd, &most, 8), 8);
	CHECK_EQ(pthread_create(&t, NULL, drain_later, &seen), 0);
	value = 7;
	CHECK_EQ(write(fd, &value, 8), 8); // blocks
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK(seen == most);
	CHECK_EQ(read(fd, &value, 8), 8);
	CHECK_EQ(value, 7);
	CHECK_ERR(eventfd(0, 0x10), EINVAL);
	return success();
}
