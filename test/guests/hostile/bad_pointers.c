// Every system call with bad pointers in every place: the kernel survives and gives error codes.
// want: exit 0
// stdout: SUCCESS
// native: no
#include "hostile.h"

// skipped holds calls that end or block the program, or take its signals, threads, memory or output.
static const short skipped[] = {
	SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_pause, SYS_rt_sigsuspend, SYS_poll, SYS_ppoll, SYS_select,
	SYS_pselect6, SYS_clone, SYS_fork, SYS_vfork, SYS_kill, SYS_tkill, SYS_tgkill, SYS_alarm, SYS_setitimer,
	SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_close, SYS_dup2, SYS_dup3, 436 /* close_range */,
	SYS_munmap, SYS_madvise, SYS_arch_prctl, SYS_fcntl, SYS_setrlimit, SYS_prlimit64, SYS_wait4, SYS_waitid, SYS_seccomp,
};

static int skip(long nr)
{
	for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++) {
		if (skipped[i] == nr) {
			return 1;
		}
	}
	return 0;
}

static void expect_efault(uintptr_t bad)
{
	int fds[2];
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(write(fds[1], "12345678", 8), 8);
	CHECK_ERR(syscall(SYS_write, fds[1], bad, 8), EFAULT);
	CHECK_ERR(syscall(SYS_read, fds[0], bad, 8), EFAULT);
	CHECK_ERR(syscall(SYS_write, 1, bad, 8), EFAULT);
	CHECK_ERR(syscall(SYS_uname, bad), EFAULT);
	CHECK_ERR(syscall(SYS_getrandom, bad, 8, 0), EFAULT);
	CHECK_ERR(syscall(SYS_clock_gettime, 1, bad), EFAULT);
	CHECK_ERR(syscall(SYS_nanosleep, bad, 0), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, bad, 0, 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, 0, bad, 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigaction, 10, 0, bad, 8), EFAULT);
	CHECK_ERR(syscall(SYS_pipe2, bad, 0), EFAULT);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	sandbox_only();
	static const uintptr_t bad[] = {(uintptr_t)-1, 0, 8, KERNEL, KERNEL + 0x8000, DIRECT_MAP, DIRECT_MAP + 0x1000,
	                                0x8000000000000000, 0xffff800000000000, (uintptr_t)-4096, 0x7ffffffff000};
	static const uintptr_t others[] = {0, 1, 8, 4096};
	for (long nr = 0; nr <= 460; nr++) {
		for (size_t b = 0; !skip(nr) && b < sizeof bad / sizeof *bad; b++) {
			syscall(nr, bad[b], bad[b], bad[b], bad[b], bad[b], bad[b]);
			for (int place = 0; place < 6; place++) {
				for (int o = 0; o < 4; o++) {
					uintptr_t a[6] = {others[o], others[o], others[o], others[o], others[o], others[o]};
					a[place] = bad[b];
					syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
				}
			}
		}
	}
	for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
		if (bad[b] != 0) {
			expect_efault(bad[b]);
		}
	}
	return success();
}
