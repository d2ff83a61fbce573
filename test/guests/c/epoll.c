// epoll: level, edge and one-shot, MOD and DEL, several sources, timeouts, error codes.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static int ep;

static int ctl(int op, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u64 = 0x100000000u + fd};
	return epoll_ctl(ep, op, fd, &ev);
}

// wait_one expects just one ready fd, or none if fd is -1.
static uint32_t wait_one(int fd, int timeout)
{
	struct epoll_event ev[4];
	int n = epoll_wait(ep, ev, 4, timeout);
	CHECK_EQ(n, fd >= 0);
	if (n == 0) {
		return 0;
	}
	CHECK_EQ(ev[0].data.u64, 0x100000000u + fd);
	return ev[0].events;
}

int main(void)
{
	int p[2];
	char buf[16];
	uint64_t one = 1;
	CHECK((ep = epoll_create1(EPOLL_CLOEXEC)) >= 0);
	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN), 0);
	CHECK_ERR(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN), EEXIST);
	CHECK_ERR(ctl(EPOLL_CTL_MOD, p[1], EPOLLOUT), ENOENT);
	CHECK_ERR(ctl(EPOLL_CTL_DEL, p[1], 0), ENOENT);
	CHECK_ERR(ctl(EPOLL_CTL_ADD, 99, EPOLLIN), EBADF);
	CHECK_ERR(ctl(EPOLL_CTL_ADD, ep, EPOLLIN), EINVAL);
	CHECK_ERR(ctl(77, p[0], EPOLLIN), EINVAL);
	CHECK_ERR(epoll_wait(p[0], &(struct epoll_event){0}, 1, 0), EINVAL);
	CHECK_ERR(epoll_wait(ep, &(struct epoll_event){0}, 0, 0), EINVAL);
	CHECK_ERR(epoll_create1(1), EINVAL);

	// Level: ready as long as there is data.
	wait_one(-1, 0);
	long long start = now_ms();
	wait_one(-1, 15);
	CHECK(now_ms() - start >= 14);
	CHECK_EQ(write(p[1], "abc", 3), 3);
	CHECK_EQ(wait_one(p[0], -1), EPOLLIN);
	CHECK_EQ(wait_one(p[0], 100), EPOLLIN);
	CHECK_EQ(read(p[0], buf, 2), 2);
	CHECK_EQ(wait_one(p[0], 0), EPOLLIN);
	CHECK_EQ(read(p[0], buf, 2), 1);
	wait_one(-1, 0);

	// Edge: once for each arrival.
	CHECK_EQ(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET), 0);
	CHECK_EQ(write(p[1], "a", 1), 1);
	CHECK_EQ(wait_one(p[0], 0), EPOLLIN);
	wait_one(-1, 0);
	CHECK_EQ(write(p[1], "b", 1), 1);
	CHECK_EQ(wait_one(p[0], 0), EPOLLIN);
	wait_one(-1, 0);

	// One shot: silent until armed again.
	CHECK_EQ(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT), 0);
	CHECK_EQ(wait_one(p[0], 0), EPOLLIN);
	CHECK_EQ(write(p[1], "c", 1), 1);
	wait_one(-1, 0);
	CHECK_EQ(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT), 0);
	CHECK_EQ(wait_one(p[0], 0), EPOLLIN);

	// The writing end, then hang-up and error; both come unasked.
	CHECK_EQ(ctl(EPOLL_CTL_DEL, p[0], 0), 0);
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[1], EPOLLOUT), 0);
	CHECK_EQ(wait_one(p[1], 0), EPOLLOUT);
	CHECK_EQ(close(p[0]), 0);
	CHECK_EQ(wait_one(p[1], 0) & EPOLLERR, EPOLLERR);
	CHECK_EQ(close(p[1]), 0); // a closed fd leaves the set
	wait_one(-1, 0);
	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[0], 0), 0);
	CHECK_EQ(close(p[1]), 0);
	CHECK_EQ(wait_one(p[0], 0), EPOLLHUP);
	CHECK_EQ(close(p[0]), 0);

	int ev = eventfd(0, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
	CHECK(ctl(EPOLL_CTL_ADD, ev, EPOLLIN | EPOLLET) == 0 && ctl(EPOLL_CTL_ADD, timer, EPOLLIN) == 0);
	struct itimerspec its = {{0, 0}, {0, 5000000}};
	CHECK_EQ(timerfd_settime(timer, 0, &its, NULL), 0);
	CHECK_EQ(wait_one(timer, -1), EPOLLIN);
	CHECK_EQ(write(ev, &one, 8), 8);
	struct epoll_event both[2];
	CHECK_EQ(epoll_wait(ep, both, 2, 0), 2);
	CHECK_EQ(read(timer, &one, 8), 8);
	CHECK_EQ(write(ev, &one, 8), 8); // Go wakes its poller like this: no read in between
	CHECK_EQ(wait_one(ev, 0), EPOLLIN);
	return success();
}
