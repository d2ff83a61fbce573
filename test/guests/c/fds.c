// File descriptors: dup, dup2, dup3, fcntl, the lowest free number, limits and error codes.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

int main(void)
{
	int p[2], q[2];
	char c;
	CHECK_EQ(pipe(p), 0);
	CHECK(p[0] == 3 && p[1] == 4);
	CHECK_EQ(dup(p[1]), 5);
	CHECK_EQ(close(p[1]), 0);
	CHECK_EQ(write(5, "a", 1), 1); // still open through the copy
	CHECK_EQ(eventfd(0, 0), 4);    // the lowest free number
	CHECK_EQ(dup2(5, 4), 4);       // closes the eventfd
	CHECK_EQ(write(4, "b", 1), 1);
	CHECK_EQ(dup2(4, 4), 4);
	CHECK_ERR(dup2(77, 77), EBADF);
	CHECK_ERR(dup(77), EBADF);
	CHECK_EQ(dup3(4, 40, O_CLOEXEC), 40);
	CHECK_EQ(fcntl(40, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(dup3(4, 4, 0), EINVAL);
	CHECK_ERR(syscall(SYS_dup3, 4, 41, 77), EINVAL);
	CHECK_ERR(dup2(4, -1), EBADF);
	CHECK_ERR(dup2(4, 1 << 28), EBADF);

	CHECK_EQ(fcntl(4, F_GETFD), 0);
	CHECK_EQ(fcntl(4, F_SETFD, FD_CLOEXEC), 0);
	CHECK_EQ(fcntl(4, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(5, F_GETFD), 0); // of the number, not of the pipe
	CHECK_EQ(fcntl(4, F_DUPFD, 20), 20);
	CHECK_EQ(fcntl(4, F_DUPFD_CLOEXEC, 20), 21);
	CHECK_EQ(fcntl(21, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(3, F_GETFL) & O_ACCMODE, O_RDONLY);
	CHECK_EQ(fcntl(4, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_WRONLY);
	CHECK_EQ(fcntl(3, F_SETFL, O_NONBLOCK), 0);
	CHECK_EQ(fcntl(3, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	int copy = dup(3);
	CHECK_EQ(fcntl(copy, F_GETFL) & O_NONBLOCK, O_NONBLOCK); // of the pipe's end, so shared
	CHECK(read(3, &c, 1) == 1 && c == 'a' && read(copy, &c, 1) == 1 && c == 'b');
	CHECK_ERR(read(3, &c, 1), EAGAIN);
	int off = 0;
	CHECK_EQ(ioctl(3, FIONBIO, &off), 0);
	CHECK_EQ(fcntl(copy, F_GETFL) & O_NONBLOCK, 0);
	CHECK_ERR(fcntl(77, F_GETFD), EBADF);
	CHECK_ERR(fcntl(3, 9999), EINVAL);
	CHECK_ERR(fcntl(3, F_DUPFD, -1), EINVAL);
	CHECK_ERR(close(77), EBADF);
	CHECK_ERR(close(-1), EBADF);

	int writers[] = {4, 5, 20, 21, 40};
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(fcntl(3, F_SETFL, O_NONBLOCK), 0);
		CHECK_ERR(read(3, &c, 1), EAGAIN); // not yet the end
		CHECK_EQ(close(writers[i]), 0);
	}
	CHECK_EQ(read(3, &c, 1), 0);

	// Run into the limit and recover.
	struct rlimit limit;
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 32;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	int n = 0;
	while (dup(3) >= 0) {
		n++;
	}
	CHECK_EQ(errno, EMFILE);
	CHECK(n > 20 && n < 32);
	CHECK_ERR(pipe(q), EMFILE);
	CHECK_ERR(eventfd(0, 0), EMFILE);
	CHECK_EQ(close(31), 0);
	CHECK_ERR(pipe(q), EMFILE); // needs two
	CHECK_EQ(eventfd(0, 0), 31);
	return success();
}
