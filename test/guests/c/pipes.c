// Pipes in one thread: capacity, partial writes, EOF, EPIPE and SIGPIPE, FIONREAD, readv and writev.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

static volatile int signals;

static void handler(int sig)
{
	CHECK_EQ(sig, SIGPIPE);
	signals++;
}

int main(void)
{
	static char block[200000];
	char buf[64];
	int p[2], n;
	CHECK_EQ(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
	CHECK_ERR(read(p[0], buf, 1), EAGAIN);
	CHECK_ERR(read(p[1], buf, 1), EBADF);
	CHECK_ERR(write(p[0], buf, 1), EBADF);
	CHECK_ERR(lseek(p[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERR(pipe2(p, 1), EINVAL);
	struct stat st;
	CHECK(fstat(p[0], &st) == 0 && S_ISFIFO(st.st_mode));
	CHECK(!isatty(p[0]));
	CHECK_EQ(errno, ENOTTY);

	// Fill it with a pattern and empty it again in other portions.
	for (size_t i = 0; i < sizeof block; i++) {
		block[i] = (char)(i * 31 >> 3);
	}
	size_t capacity = fcntl(p[1], F_GETPIPE_SZ), sent = 0, got = 0;
	CHECK(capacity >= 4096 && capacity < sizeof block);
	ssize_t rc;
	while ((rc = write(p[1], block + sent, 4096)) > 0) {
		sent += rc;
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(sent, capacity);
	CHECK_EQ(ioctl(p[0], FIONREAD, &n), 0);
	CHECK_EQ(n, (int)sent);
	while ((rc = read(p[0], block + 100000, 777)) > 0) {
		CHECK_EQ(memcmp(block + 100000, block + got, rc), 0);
		got += rc;
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(got, sent);
	CHECK_EQ(write(p[1], block, sizeof block), (ssize_t)capacity); // a partial write
	while (read(p[0], block, sizeof block) > 0) {
	}

	struct iovec out[3] = {{"abc", 3}, {NULL, 0}, {"defgh", 5}}, in[2] = {{buf, 2}, {buf + 10, 20}};
	CHECK_EQ(writev(p[1], out, 3), 8);
	CHECK_EQ(readv(p[0], in, 2), 8);
	CHECK(memcmp(buf, "ab", 2) == 0 && memcmp(buf + 10, "cdefgh", 6) == 0);
	CHECK_EQ(write(p[1], "", 0), 0);

	CHECK_EQ(write(p[1], "end", 3), 3);
	CHECK_EQ(close(p[1]), 0);
	CHECK_EQ(read(p[0], buf, sizeof buf), 3);
	CHECK_EQ(read(p[0], buf, sizeof buf), 0);
	CHECK_EQ(read(p[0], buf, sizeof buf), 0);

	struct sigaction sa = {.sa_handler = handler};
	CHECK_EQ(sigaction(SIGPIPE, &sa, NULL), 0);
	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(close(p[0]), 0);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
	CHECK_EQ(signals, 1);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERR(writev(p[1], out, 3), EPIPE);
	CHECK_EQ(signals, 1);

	// Many pipes at once, each with its own data.
	int many[20][2];
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(pipe(many[i]), 0);
		CHECK_EQ(write(many[i][1], &i, sizeof i), sizeof i);
	}
	for (int i = 0; i < 20; i++) {
		CHECK(read(many[i][0], &n, sizeof n) == sizeof n && n == i);
		CHECK(close(many[i][0]) == 0 && close(many[i][1]) == 0);
	}
	return success();
}
