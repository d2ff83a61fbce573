// System calls with bad pointers give EFAULT: unmapped, inaccessible, read-only, not canonical.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { page = 4096 };
static int fds[2], ep, ev;

// for_in makes calls that read from p.
static void for_in(char *p)
{
	char data[16] = "";
	CHECK_EQ(write(fds[1], data, 8), 8);
	CHECK_ERR(syscall(SYS_write, fds[1], p, 16), EFAULT);
	CHECK_ERR(syscall(SYS_writev, fds[1], p, 1), EFAULT);
	struct iovec iov = {p, 16};
	CHECK_ERR(syscall(SYS_writev, fds[1], &iov, 1), EFAULT);
	CHECK_ERR(syscall(SYS_nanosleep, p, 0), EFAULT);
	CHECK_ERR(syscall(SYS_clock_nanosleep, 1, 0, p, 0), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigaction, 10, p, 0, 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, p, 0, 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigtimedwait, p, 0, 0, 8), EFAULT);
	CHECK_ERR(syscall(SYS_sigaltstack, p, 0), EFAULT);
	CHECK_ERR(syscall(SYS_epoll_ctl, ep, 1, fds[0], p), EFAULT);
	CHECK_ERR(syscall(SYS_setrlimit, 3, p), EFAULT);
	CHECK_ERR(syscall(SYS_futex, p, 0 | 128, 0, 0, 0, 0), EFAULT);
	CHECK_ERR(syscall(SYS_open, p, 0), EFAULT);
	CHECK_ERR(syscall(SYS_setitimer, 0, p, 0), EFAULT);
	CHECK_ERR(syscall(SYS_ppoll, p, 1, 0, 0, 8), EFAULT);
	CHECK_ERR(syscall(SYS_prctl, 15, p, 0, 0, 0), EFAULT);
	CHECK_EQ(read(fds[0], data, 16), 8);
	CHECK_EQ(write(ev, (uint64_t[]){1}, 8), 8);
	CHECK_ERR(syscall(SYS_write, ev, p, 8), EFAULT);
}

// for_out makes calls that write to p.
static void for_out(char *p)
{
	char data[16] = "";
	CHECK_EQ(write(fds[1], data, 8), 8);
	CHECK_ERR(syscall(SYS_read, fds[0], p, 8), EFAULT);
	struct iovec iov = {p, 8};
	CHECK_ERR(syscall(SYS_readv, fds[0], &iov, 1), EFAULT);
	CHECK_ERR(syscall(SYS_clock_gettime, 1, p), EFAULT);
	CHECK_ERR(syscall(SYS_clock_getres, 1, p), EFAULT);
	CHECK_ERR(syscall(SYS_gettimeofday, p, 0), EFAULT);
	CHECK_ERR(syscall(SYS_getrandom, p, 16, 0), EFAULT);
	CHECK_ERR(syscall(SYS_uname, p), EFAULT);
	CHECK_ERR(syscall(SYS_sysinfo, p), EFAULT);
	CHECK_ERR(syscall(SYS_pipe2, p, 0), EFAULT);
	CHECK_ERR(syscall(SYS_getrlimit, 3, p), EFAULT);
	CHECK_ERR(syscall(SYS_getrusage, 0, p), EFAULT);
	CHECK_ERR(syscall(SYS_times, p), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigaction, 10, 0, p, 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, 0, p, 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigpending, p, 8), EFAULT);
	CHECK_ERR(syscall(SYS_sigaltstack, 0, p), EFAULT);
	CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 128, p), EFAULT);
	CHECK_ERR(syscall(SYS_getcwd, p, 100), EFAULT);
	CHECK_ERR(syscall(SYS_fstat, fds[0], p), EFAULT);
	CHECK_ERR(syscall(SYS_epoll_wait, ep, p, 4, 0), EFAULT);
	CHECK_EQ(read(fds[0], data, 16), 8); // nothing was lost
}

int main(void)
{
	char *a = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(a != MAP_FAILED && pipe(fds) == 0);
	CHECK((ep = epoll_create1(0)) >= 0 && (ev = eventfd(1, 0)) >= 0);
	struct epoll_event always = {.events = EPOLLIN};
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &always), 0); // stays ready
	CHECK_EQ(mprotect(a + page, page, PROT_NONE), 0);
	CHECK_EQ(mprotect(a + 2 * page, page, PROT_READ), 0);
	CHECK_EQ(munmap(a + 3 * page, page), 0);
	char *bad[] = {(char *)16, a + page, a + 3 * page, (char *)0x123456789000,
	               (char *)0x8000000000000000, (char *)-4096, (char *)0x7ffffffff000};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		for_in(bad[i]);
		for_out(bad[i]);
	}
	for_out(a + 2 * page);
	// An object that begins well and ends badly.
	char *across = a + page - 4;
	CHECK_ERR(syscall(SYS_uname, across), EFAULT);
	CHECK_ERR(syscall(SYS_clock_gettime, 1, across), EFAULT);
	CHECK_ERR(syscall(SYS_nanosleep, across, 0), EFAULT);
	CHECK_ERR(syscall(SYS_sysinfo, across), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, across, 0, 8), EFAULT);
	strcpy(a + page - 4, "/no"); // a string that ends just in time
	CHECK_ERR(syscall(SYS_open, across, 0), ENOENT);
	across[3] = 'x'; // and one that does not
	CHECK_ERR(syscall(SYS_open, across, 0), EFAULT);
	return success();
}
