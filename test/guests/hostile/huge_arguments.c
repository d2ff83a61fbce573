// Lengths and counts that are absurd: they give errors or partial results, at once.
// want: exit 0
// stdout: SUCCESS
#include "hostile.h"
#include <limits.h>
#include <sys/uio.h>

int main(void)
{
	static char data[65536];
	int fds[2];
	size_t huge = (size_t)1 << 62;
	CHECK_EQ(pipe2(fds, 04000), 0); // O_NONBLOCK
	long rc = syscall(SYS_write, fds[1], data, huge);
	CHECK(rc == -1 || (rc > 0 && rc <= (1 << 20)));
	rc = syscall(SYS_read, fds[0], data, huge);
	CHECK(rc == -1 || (rc > 0 && rc <= (1 << 20)));
	CHECK(syscall(SYS_write, fds[1], data, (size_t)-1) != 0);
	struct iovec iov[3] = {{data, huge}, {data, huge}, {data, huge}};
	CHECK_ERR(syscall(SYS_writev, fds[1], iov, -1L), EINVAL);
	CHECK_ERR(syscall(SYS_writev, fds[1], iov, 1025), EINVAL);
	iov[0].iov_len = (size_t)-1;
	CHECK_ERR(syscall(SYS_writev, fds[1], iov, 3), EINVAL);
	CHECK_ERR(syscall(SYS_getrandom, (void *)8, huge, 0), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, data, 0, 128), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, data, 0, 4), EINVAL);
	CHECK(syscall(SYS_epoll_create, 0) == -1);
	int ep = syscall(SYS_epoll_create1, 0);
	CHECK_ERR(syscall(SYS_epoll_wait, ep, data, INT_MAX, 0), EINVAL);
	CHECK_ERR(syscall(SYS_epoll_wait, ep, data, -5, 0), EINVAL);
	CHECK(syscall(SYS_sched_getaffinity, 0, huge, data) >= -1);
	struct timespec ever = {LONG_MAX, 999999999};
	CHECK_ERR(syscall(SYS_futex, data, 0, 77, &ever, 0, 0), EAGAIN);
	CHECK_EQ(syscall(SYS_dup2, 1, INT_MAX) == -1, 1);
	CHECK(syscall(SYS_mmap, 0, (size_t)-4096, 3, 0x22, -1, 0) == -1);
	CHECK(syscall(SYS_getcwd, data, huge) != 0);
	return success();
}
