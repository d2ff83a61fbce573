// What a sandbox does not have: files give ENOENT, sockets EACCES, processes and the rest ENOSYS.
// want: exit 0
// stdout: SUCCESS
// native: no
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int main(void)
{
	struct stat st;
	char buf[16];
	CHECK_ERR(open("/etc/passwd", O_RDONLY), ENOENT);
	CHECK_ERR(open("/tmp/x", O_RDWR | O_CREAT, 0600), ENOENT);
	CHECK_ERR(openat(AT_FDCWD, "relative", O_RDONLY), ENOENT);
	CHECK_ERR(stat("/etc/passwd", &st), ENOENT);
	CHECK_ERR(lstat("/no", &st), ENOENT);
	CHECK_ERR(access("/bin/sh", F_OK), ENOENT);
	CHECK_ERR(readlink("/no/such", buf, sizeof buf), ENOENT);
	CHECK(mkdir("/tmp/d", 0700) == -1);
	CHECK(unlink("/etc/passwd") == -1);
	CHECK(rename("/a", "/b") == -1);
	CHECK(chdir("/no/such") == -1);

	int families[] = {AF_UNIX, AF_INET, AF_INET6, 16 /* netlink */, 17 /* packet */, 40 /* vsock */};
	for (int i = 0; i < 6; i++) {
		CHECK_ERR(socket(families[i], SOCK_STREAM, 0), EACCES);
		CHECK_ERR(socket(families[i], SOCK_DGRAM, 0), EACCES);
	}
	int pair[2];
	CHECK_ERR(socketpair(AF_INET, SOCK_STREAM, 0, pair), EACCES);

	char *argv[] = {"sh", NULL};
	CHECK_ERR(fork(), ENOSYS);
	CHECK_ERR(syscall(SYS_fork), ENOSYS);
	CHECK_ERR(syscall(SYS_vfork), ENOSYS);
	CHECK_ERR(execve("/bin/sh", argv, environ), ENOSYS);
	CHECK_ERR(syscall(SYS_execveat, AT_FDCWD, "/bin/sh", argv, environ, 0), ENOSYS);

	long unknown[] = {
		SYS_io_uring_setup, SYS_io_uring_enter, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
		SYS_mount, SYS_umount2, SYS_reboot, SYS_kexec_load, SYS_init_module, SYS_pivot_root,
		SYS_unshare, SYS_setns, SYS_keyctl, SYS_add_key, SYS_iopl, SYS_ioperm, SYS_swapon,
		SYS_process_vm_readv, SYS_quotactl, SYS_acct, SYS_fanotify_init, 335, 499, 1000, 0x7fffffff, -1,
		0x40000000, // the x32 numbers
	};
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		CHECK_ERR(syscall(unknown[i], 0, 0, 0, 0, 0, 0), ENOSYS);
	}
	CHECK(syscall(SYS_ptrace, 0, 0, 0, 0) == -1 && (errno == ENOSYS || errno == EPERM));
	CHECK(syscall(SYS_chroot, "/") == -1);
	CHECK(syscall(SYS_shmget, 0, 4096, 01600) == -1);
	int fd = syscall(SYS_memfd_create, "x", 0);
	CHECK(fd == -1 && errno == ENOSYS);
	return success();
}
