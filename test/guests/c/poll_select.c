// poll, ppoll, select and pselect: readiness, hang-up, errors, timeouts and signal masks.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/select.h>

static int p[2];
static volatile int signals;

static void handler(int sig)
{
	(void)sig;
	signals++;
}

static void *write_later(void *arg)
{
	sleep_ms(10);
	CHECK_EQ(write(p[1], "x", 1), 1);
	return arg;
}

int main(void)
{
	char c;
	pthread_t t;
	CHECK_EQ(pipe(p), 0);
	struct pollfd fds[3] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}, {-1, POLLIN, 77}};
	CHECK_EQ(poll(fds, 3, 0), 1);
	CHECK(fds[0].revents == 0 && fds[1].revents == POLLOUT && fds[2].revents == 0);
	fds[2].fd = 99;
	CHECK_EQ(poll(fds, 3, -1), 2);
	CHECK_EQ(fds[2].revents, POLLNVAL);
	long long start = now_ms();
	CHECK_EQ(poll(fds, 1, 15), 0);
	CHECK(now_ms() - start >= 14);
	CHECK_EQ(poll(NULL, 0, 5), 0);
	CHECK_EQ(pthread_create(&t, NULL, write_later, NULL), 0);
	CHECK_EQ(poll(fds, 1, 50000), 1);
	CHECK_EQ(fds[0].revents, POLLIN);
	CHECK_EQ(pthread_join(t, NULL), 0);

	fd_set r, w;
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	struct timeval tv = {1000, 0};
	CHECK_EQ(select(p[1] + 1, &r, &w, NULL, &tv), 2);
	CHECK(FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w));
	CHECK(tv.tv_sec >= 900 && tv.tv_sec <= 1000); // what remains
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(select(p[0] + 1, &r, NULL, NULL, &(struct timeval){0, 5000}), 0);
	CHECK(!FD_ISSET(p[0], &r));
	FD_SET(99, &r);
	CHECK_ERR(select(100, &r, NULL, NULL, &tv), EBADF);
	CHECK_ERR(select(-1, NULL, NULL, NULL, &tv), EINVAL);

	struct sigaction sa = {.sa_handler = handler};
	sigset_t blocked, open_mask;
	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &open_mask);
	raise(SIGUSR1);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	CHECK_ERR(pselect(p[0] + 1, &r, NULL, NULL, NULL, &open_mask), EINTR);
	CHECK_EQ(signals, 1);
	raise(SIGUSR1);
	CHECK_ERR(ppoll(fds, 1, NULL, &open_mask), EINTR);
	CHECK_EQ(signals, 2);
	struct timespec ts = {0, 5000000};
	CHECK_EQ(ppoll(fds, 1, &ts, &blocked), 0);
	CHECK_EQ(ts.tv_nsec, 5000000); // the library keeps it

	CHECK_EQ(write(p[1], "y", 1), 1);
	CHECK_EQ(close(p[1]), 0);
	CHECK_EQ(poll(fds, 1, -1), 1);
	CHECK_EQ(fds[0].revents, POLLIN | POLLHUP);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(poll(fds, 1, -1), 1);
	CHECK_EQ(fds[0].revents, POLLHUP);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	CHECK_EQ(select(p[0] + 1, &r, NULL, NULL, NULL), 1); // end of file is readable
	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(close(p[0]), 0);
	fds[0] = (struct pollfd){p[1], 0, 0};
	CHECK_EQ(poll(fds, 1, 0), 1);
	CHECK_EQ(fds[0].revents, POLLERR);
	struct pollfd out = {1, POLLOUT, 0}; // stdout can always be written
	CHECK_EQ(poll(&out, 1, 1000), 1);
	return success();
}
