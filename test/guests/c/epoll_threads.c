// epoll_wait is woken by other threads and by signals; epoll_pwait swaps the mask; sets can nest.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { threads = 4, rounds = 500 };
static int ep, ev, done;
static atomic_int taken;
static volatile int signals;

static void handler(int sig)
{
	(void)sig;
	signals++;
}

static void *take(void *arg)
{
	struct epoll_event e;
	uint64_t value;
	while (epoll_wait(ep, &e, 1, -1) == 1 && e.data.fd == ev) {
		if (read(ev, &value, 8) == 8) { // semaphore: one at a time
			CHECK_EQ(value, 1);
			taken++;
		}
	}
	CHECK_EQ(e.data.fd, done);
	return arg;
}

static void *kick(void *arg)
{
	sleep_ms(10);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	return arg;
}

static int add(int set, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &e);
}

int main(void)
{
	pthread_t t[threads], k;
	uint64_t one = 1;
	ep = epoll_create1(0);
	ev = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
	done = eventfd(0, 0);
	CHECK_EQ(add(ep, ev), 0);
	for (int i = 0; i < threads; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, take, NULL), 0);
	}
	for (int i = 0; i < rounds; i++) {
		CHECK_EQ(write(ev, &one, 8), 8);
		if (i % 50 == 0) {
			sleep_ms(1);
		}
	}
	while (taken < rounds) {
		sleep_ms(1);
	}
	CHECK_EQ(write(done, &one, 8), 8); // added ready: wakes all
	CHECK_EQ(add(ep, done), 0);
	for (int i = 0; i < threads; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	CHECK_EQ(taken, rounds);

	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	int empty = epoll_create1(0);
	struct epoll_event e;
	sigset_t blocked, open_mask;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &blocked, &open_mask);
	raise(SIGUSR1); // pending: epoll_wait does not see it, epoll_pwait does
	CHECK_EQ(epoll_wait(empty, &e, 1, 5), 0);
	CHECK_EQ(signals, 0);
	CHECK_ERR(epoll_pwait(empty, &e, 1, -1, &open_mask), EINTR);
	CHECK_EQ(signals, 1);
	sigset_t now;
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR1));
	CHECK_EQ(pthread_create(&k, NULL, kick, NULL), 0);
	CHECK_ERR(epoll_pwait(empty, &e, 1, 5000, &open_mask), EINTR);
	CHECK_EQ(signals, 2);
	CHECK_EQ(pthread_join(k, NULL), 0);

	CHECK_EQ(add(empty, ep), 0); // a set in a set; "done" is ready in the inner one
	CHECK_EQ(epoll_wait(empty, &e, 1, 0), 1);
	CHECK_EQ(e.data.fd, ep);
	CHECK_EQ(read(done, &one, 8), 8);
	CHECK_EQ(epoll_wait(empty, &e, 1, 0), 0);
	return success();
}
