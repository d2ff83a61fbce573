// poll with far too many entries, and epoll sets nested into each other, deep and in a circle.
// want: exit 0
// stdout: SUCCESS
#include "hostile.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

int main(void)
{
	enum { many = 1 << 18 };
	struct pollfd *fds = calloc(many, sizeof *fds);
	CHECK(fds != NULL);
	for (int i = 0; i < many; i++) {
		fds[i] = (struct pollfd){.fd = i % 5 - 1, .events = POLLOUT};
	}
	int rc = poll(fds, many, 0); // the limit of open files may forbid it
	CHECK(rc >= 0 || errno == EINVAL || errno == ENOMEM);
	CHECK_ERR(syscall(SYS_poll, fds, ~0u, 0), EINVAL);
	CHECK(poll(fds, 32, 0) >= 0);

	int sets[64], bottom = eventfd(1, 0), n = 0;
	struct epoll_event e = {.events = EPOLLIN};
	for (; n < 64; n++) {
		CHECK((sets[n] = epoll_create1(0)) >= 0);
		if (epoll_ctl(sets[n], EPOLL_CTL_ADD, n ? sets[n - 1] : bottom, &e) != 0) {
			break;
		}
	}
	CHECK(n > 1 && (n == 64 || errno == ELOOP || errno == EINVAL));
	CHECK(epoll_ctl(sets[0], EPOLL_CTL_ADD, sets[n - 1], &e) == -1); // a circle
	CHECK(errno == ELOOP || errno == EINVAL);
	CHECK(epoll_wait(sets[n - 1], &e, 1, 0) >= 0);
	uint64_t value;
	CHECK_EQ(read(bottom, &value, 8), 8);
	CHECK_EQ(epoll_wait(sets[0], &e, 1, 0), 0);
	return success();
}
