// Connected pairs of sockets: what event loops wake themselves with.
// want: exit 0
// stdout: SUCCESS
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

static int a, b;

static void open_pair(int flags)
{
	int pair[2];
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | flags, 0, pair) == 0);
	a = pair[0];
	b = pair[1];
}

static void close_pair(void)
{
	CHECK(close(a) == 0);
	CHECK(close(b) == 0);
}

static short events(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static void both_ways(void)
{
	char buf[16] = {0};
	open_pair(0);
	CHECK(write(a, "to b", 4) == 4);
	CHECK(send(b, "to a", 4, 0) == 4);
	CHECK(recv(b, buf, sizeof buf, 0) == 4 && memcmp(buf, "to b", 4) == 0);
	CHECK(read(a, buf, sizeof buf) == 4 && memcmp(buf, "to a", 4) == 0);

	struct stat st;
	CHECK(fstat(a, &st) == 0 && S_ISSOCK(st.st_mode));
	CHECK_ERR(lseek(a, 0, SEEK_SET), ESPIPE);
	CHECK((fcntl(a, F_GETFL) & O_ACCMODE) == O_RDWR);
	CHECK(fcntl(a, F_GETFD) == 0);
	close_pair();
	open_pair(SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(fcntl(a, F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(b, F_GETFD) == FD_CLOEXEC);
	CHECK_ERR(read(a, buf, 1), EAGAIN);
	close_pair();
}

static void flags(void)
{
	char buf[16] = {0};
	int n = -1;
	open_pair(0);
	CHECK_ERR(recv(a, buf, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_ERR(recv(a, buf, 1, MSG_DONTWAIT | MSG_PEEK), EAGAIN);
	CHECK(send(a, "abcdef", 6, MSG_NOSIGNAL | MSG_DONTWAIT) == 6);
	CHECK(recv(b, buf, 4, MSG_PEEK) == 4 && memcmp(buf, "abcd", 4) == 0);
	CHECK(ioctl(b, FIONREAD, &n) == 0 && n == 6);
	CHECK(recv(b, buf, sizeof buf, MSG_PEEK | MSG_WAITALL | MSG_DONTWAIT) == 6);
	CHECK(recv(b, buf, sizeof buf, MSG_TRUNC) == 6 && memcmp(buf, "abcdef", 6) == 0);
	CHECK(read(b, buf, 0) == 0);
	CHECK_ERR(sendto(a, "x", 1, 0, (struct sockaddr *)&(struct sockaddr_un){AF_UNIX, "/x"}, sizeof(struct sockaddr_un)), EISCONN);
	close_pair();
}

static void vectors(void)
{
	char one[3], two[8], control[64];
	struct iovec out[] = {{"ab", 2}, {"", 0}, {"cdefg", 5}}, in[] = {{one, 3}, {two, 8}};
	struct sockaddr_un name;
	struct msghdr send_header = {.msg_iov = out, .msg_iovlen = 3};
	struct msghdr header = {&name, sizeof name, in, 2, control, sizeof control, MSG_TRUNC};
	open_pair(0);
	CHECK(sendmsg(a, &send_header, 0) == 7);
	CHECK(recvmsg(b, &header, 0) == 7);
	CHECK(memcmp(one, "abc", 3) == 0 && memcmp(two, "defg", 4) == 0);
	CHECK(header.msg_namelen == 0 && header.msg_controllen == 0 && header.msg_flags == 0);
	CHECK(writev(b, out, 3) == 7);
	socklen_t length = sizeof name;
	CHECK(recvfrom(a, two, 8, 0, (struct sockaddr *)&name, &length) == 7 && length == 0);
	send_header.msg_iovlen = 1025;
	CHECK_ERR(sendmsg(a, &send_header, 0), EMSGSIZE);
	CHECK_ERR(sendmsg(a, NULL, 0), EFAULT);
	close_pair();
}

static void names_and_options(void)
{
	struct sockaddr_un name;
	socklen_t length = sizeof name;
	int value = -1;
	open_pair(0);
	CHECK(getsockname(a, (struct sockaddr *)&name, &length) == 0 && length == 2 && name.sun_family == AF_UNIX);
	length = sizeof name;
	CHECK(getpeername(a, (struct sockaddr *)&name, &length) == 0 && length == 2);
	length = -1;
	CHECK_ERR(getsockname(a, (struct sockaddr *)&name, &length), EINVAL);

	int numbers[][2] = {{SO_TYPE, SOCK_STREAM}, {SO_DOMAIN, AF_UNIX}, {SO_PROTOCOL, 0}, {SO_ERROR, 0}, {SO_ACCEPTCONN, 0}};
	for (int i = 0; i < 5; i++) {
		length = sizeof value;
		CHECK(getsockopt(a, SOL_SOCKET, numbers[i][0], &value, &length) == 0);
		CHECK(value == numbers[i][1] && length == sizeof value);
	}
	struct ucred self;
	length = sizeof self;
	CHECK(getsockopt(a, SOL_SOCKET, SO_PEERCRED, &self, &length) == 0 && length == sizeof self);
	CHECK(self.pid == getpid() && self.uid == getuid() && self.gid == getgid());
	value = 1 << 15;
	CHECK(setsockopt(a, SOL_SOCKET, SO_SNDBUF, &value, sizeof value) == 0);
	CHECK_ERR(getsockopt(a, SOL_SOCKET, 9999, &value, &length), ENOPROTOOPT);
	CHECK_ERR(getsockopt(a, 6, 1, &value, &length), EOPNOTSUPP);

	CHECK_ERR(listen(a, 1), EINVAL);
	CHECK_ERR(accept(a, NULL, NULL), EINVAL);
	int pipes[2];
	CHECK(pipe(pipes) == 0);
	CHECK_ERR(send(pipes[1], "x", 1, 0), ENOTSOCK);
	CHECK_ERR(shutdown(pipes[1], SHUT_RD), ENOTSOCK);
	CHECK_ERR(recv(999, &value, 1, 0), EBADF);
	close(pipes[0]);
	close(pipes[1]);
	close_pair();
}

static volatile sig_atomic_t pipe_signals;

static void on_pipe(int sig)
{
	(void)sig;
	pipe_signals++;
}

static void shut(void)
{
	char buf[4];
	open_pair(0);
	CHECK(events(a) == POLLOUT);
	CHECK_ERR(shutdown(a, 3), EINVAL);
	CHECK(write(a, "x", 1) == 1);
	CHECK(shutdown(a, SHUT_WR) == 0);
	CHECK(events(b) == (POLLIN | POLLOUT | POLLRDHUP));
	CHECK(read(b, buf, 4) == 1);
	CHECK(read(b, buf, 4) == 0);
	CHECK_ERR(send(a, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(pipe_signals == 0);
	CHECK_ERR(write(a, "x", 1), EPIPE);
	CHECK(pipe_signals == 1);
	CHECK(write(b, "back", 4) == 4); // the other way is open
	CHECK(read(a, buf, 4) == 4);
	CHECK(shutdown(b, SHUT_WR) == 0);
	CHECK(events(a) == (POLLIN | POLLOUT | POLLRDHUP | POLLHUP));
	close_pair();

	open_pair(0);
	CHECK(shutdown(a, SHUT_RD) == 0);
	CHECK(read(a, buf, 4) == 0);
	CHECK_ERR(write(b, "x", 1), EPIPE);
	CHECK(pipe_signals == 2);
	close_pair();
}

static void closed_peer(void)
{
	char buf[4];
	int value = -1;
	socklen_t length = sizeof value;
	open_pair(0);
	CHECK(write(b, "left", 4) == 4);
	CHECK(close(b) == 0);
	CHECK(events(a) == (POLLIN | POLLOUT | POLLRDHUP | POLLHUP));
	CHECK(read(a, buf, 4) == 4 && memcmp(buf, "left", 4) == 0);
	CHECK(read(a, buf, 4) == 0);
	CHECK_ERR(send(a, "x", 1, MSG_NOSIGNAL), EPIPE);
	struct sockaddr_un name;
	length = sizeof name;
	CHECK(getpeername(a, (struct sockaddr *)&name, &length) == 0 && length == 2);
	length = sizeof value;
	CHECK(close(a) == 0);

	for (int i = 0; i < 2; i++) { // it had yet to read something
		open_pair(0);
		CHECK(write(a, "lost", 4) == 4);
		CHECK(close(b) == 0);
		CHECK(events(a) & POLLERR);
		if (i == 0) {
			CHECK_ERR(read(a, buf, 4), ECONNRESET);
		} else {
			CHECK(getsockopt(a, SOL_SOCKET, SO_ERROR, &value, &length) == 0 && value == ECONNRESET);
		}
		CHECK(read(a, buf, 4) == 0);
		CHECK(close(a) == 0);
	}
}

static void *reader(void *arg)
{
	static char big[1 << 20];
	char *text = arg;
	CHECK(recv(b, text, 6, MSG_WAITALL) == 6); // comes in three pieces
	CHECK(recv(b, big, sizeof big, MSG_WAITALL) == sizeof big);
	for (size_t i = 0; i < sizeof big; i++)
		CHECK(big[i] == (char)(i * 7));
	CHECK(send(b, "done", 4, 0) == 4);
	return NULL;
}

static void threads(void)
{
	static char big[1 << 20];
	char text[8] = {0}, buf[8];
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = 7};
	pthread_t thread;
	open_pair(0);
	int set = epoll_create1(0);
	CHECK(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, a, &event) == 0);
	CHECK(epoll_wait(set, &event, 1, 0) == 0);
	CHECK(pthread_create(&thread, NULL, reader, text) == 0);
	for (int i = 0; i < 3; i++) {
		usleep(2000);
		CHECK(write(a, &"wakeup"[2 * i], 2) == 2);
	}
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)(i * 7);
	CHECK(write(a, big, sizeof big) == sizeof big); // more than fits
	CHECK(epoll_wait(set, &event, 1, 5000) == 1 && event.data.fd == 7);
	CHECK(recv(a, buf, sizeof buf, 0) == 4 && memcmp(buf, "done", 4) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(strcmp(text, "wakeup") == 0);
	close(set);
	close_pair();
}

static void full(void)
{
	static char piece[1000];
	size_t sent = 0, got = 0;
	ssize_t n;
	open_pair(SOCK_NONBLOCK);
	while ((n = write(a, piece, sizeof piece)) > 0)
		sent += n;
	CHECK(n == -1 && errno == EAGAIN && sent >= 32768);
	CHECK(events(a) == 0);
	while ((n = read(b, piece, sizeof piece)) > 0)
		got += n;
	CHECK(n == -1 && errno == EAGAIN && got == sent);
	CHECK(events(a) == POLLOUT);
	close_pair();
}

static void refused(void)
{
	int pair[2];
	CHECK(socketpair(AF_INET, SOCK_STREAM, 0, pair) == -1);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 99, pair) == -1 && errno == EPROTONOSUPPORT);
	CHECK_ERR(socketpair(AF_UNIX, SOCK_RDM, 0, pair), ESOCKTNOSUPPORT);
	CHECK_ERR(socketpair(AF_UNIX, 77, 0, pair), EINVAL);
	CHECK_ERR(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8), EFAULT);
	for (int i = 0; i < 2000; i++) { // nothing is left of those
		open_pair(0);
		CHECK(write(a, "x", 1) == 1);
		close_pair();
	}
}

int main(void)
{
	signal(SIGPIPE, on_pipe);
	both_ways();
	flags();
	vectors();
	names_and_options();
	shut();
	closed_peer();
	threads();
	full();
	refused();
	return success();
}
