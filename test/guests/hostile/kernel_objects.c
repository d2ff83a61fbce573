// Makes as many kernel objects as it can, or very many: descriptors, timers, queued signals, mappings.
// Each kind ends in an error code at most, and is there again once some are given back.
// want: exit 0
// stdout: SUCCESS
// native: no
#include "hostile.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>

enum { most = 1 << 20, few = 10000 };

static void fds(void)
{
	int p[2], n = 0, ep = epoll_create1(0), ev = eventfd(0, 0);
	struct epoll_event e = {.events = EPOLLIN};
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	setrlimit(RLIMIT_NOFILE, &unlimited);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e), 0);
	for (; n < most; n++) {
		int fd = n % 4 == 0 ? eventfd(0, 0) : n % 4 == 1 ? timerfd_create(1, 0) : n % 4 == 2 ? epoll_create1(0) : dup(ev);
		if (fd < 0) {
			break;
		}
		if (n % 4 < 2) {
			epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
		}
	}
	CHECK(n < most && pipe(p) == -1);
	for (int fd = 3; fd < n + 10; fd++) {
		close(fd);
	}
	CHECK_EQ(pipe(p), 0);
	close(p[0]);
	close(p[1]);
}

static void timers(void)
{
	struct sigevent ev;
	memset(&ev, 0, sizeof ev);
	ev.sigev_notify = SIGEV_NONE;
	static timer_t all[few];
	int n = 0;
	for (; n < few && timer_create(CLOCK_MONOTONIC, &ev, &all[n]) == 0; n++) {
		struct itimerspec its = {{0, 1000000}, {1000, 0}};
		timer_settime(all[n], 0, &its, NULL);
	}
	while (n > 0) {
		CHECK_EQ(timer_delete(all[--n]), 0);
	}
}

static void queued_signals(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	int n = 0;
	while (n < few && sigqueue(getpid(), SIGRTMIN + n % 20, (union sigval){.sival_int = n}) == 0) {
		n++;
	}
	CHECK(n == few || errno == EAGAIN);
	struct timespec none = {0, 0};
	for (; n > 0; n--) {
		CHECK(sigtimedwait(&all, NULL, &none) > 0);
	}
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 0}), 0);
	CHECK(sigtimedwait(&all, NULL, &none) > 0);
}

// mappings cuts one mapping into single pages that differ in protection.
static void mappings(void)
{
	size_t page = 4096, size = page * most;
	char *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	size_t at = 0;
	while (at < size && mprotect(p + at, page, PROT_READ) == 0) {
		at += 2 * page;
	}
	CHECK(at >= size || errno == ENOMEM);
	CHECK_EQ(munmap(p, size), 0);
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED && (p[0] = 1));
}

int main(void)
{
	sandbox_only();
	fds();
	timers();
	queued_signals();
	mappings();
	return success();
}
