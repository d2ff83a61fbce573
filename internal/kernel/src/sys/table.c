/* Which handler serves which system call. */
#include "sys/table.h"

#include <asm/unistd_64.h>

#include "airlock_abi.h"
#include "arch/hypercall.h"
#include "file/syscalls.h"
#include "mm/heap.h"
#include "mm/mmap.h"
#include "sched/futex.h"
#include "signal/syscalls.h"
#include "sys/message.h"
#include "sys/random.h"
#include "sys/system.h"
#include "sys/threads.h"
#include "sys/time.h"

static syscall_handler *const handlers[] = {
	/* memory */
	[__NR_brk] = sys_brk,
	[__NR_mmap] = sys_mmap,
	[__NR_munmap] = sys_munmap,
	[__NR_mprotect] = sys_mprotect,
	[__NR_mremap] = sys_mremap,
	[__NR_madvise] = sys_madvise,
	[__NR_mincore] = sys_mincore,
	[__NR_msync] = sys_msync,
	[__NR_mlock] = sys_mlock,
	[__NR_mlock2] = sys_mlock,
	[__NR_munlock] = sys_mlock,
	[__NR_mlockall] = sys_mlockall,
	[__NR_munlockall] = sys_zero,

	/* threads */
	[__NR_clone] = sys_clone,
	[__NR_clone3] = sys_clone3,
	[__NR_exit] = sys_exit,
	[__NR_exit_group] = sys_exit_group,
	[__NR_set_tid_address] = sys_set_tid_address,
	[__NR_gettid] = sys_gettid,
	[__NR_futex] = sys_futex,
	[__NR_set_robust_list] = sys_set_robust_list,
	[__NR_get_robust_list] = sys_get_robust_list,
	[__NR_arch_prctl] = sys_arch_prctl,
	[__NR_prctl] = sys_prctl,
	[__NR_sched_yield] = sys_sched_yield,
	[__NR_sched_getaffinity] = sys_sched_getaffinity,
	[__NR_sched_setaffinity] = sys_sched_setaffinity,
	[__NR_sched_getscheduler] = sys_sched_getscheduler,
	[__NR_sched_setscheduler] = sys_sched_setscheduler,
	[__NR_sched_getparam] = sys_sched_getparam,
	[__NR_sched_setparam] = sys_sched_setparam,
	[__NR_sched_get_priority_max] = sys_sched_priority_max,
	[__NR_sched_get_priority_min] = sys_sched_priority_min,
	[__NR_sched_rr_get_interval] = sys_sched_rr_get_interval,
	[__NR_getpriority] = sys_getpriority,
	[__NR_setpriority] = sys_setpriority,
	[__NR_getcpu] = sys_getcpu,
	[__NR_membarrier] = sys_membarrier,

	/* signals and timers */
	[__NR_rt_sigaction] = sys_rt_sigaction,
	[__NR_rt_sigprocmask] = sys_rt_sigprocmask,
	[__NR_rt_sigpending] = sys_rt_sigpending,
	[__NR_rt_sigsuspend] = sys_rt_sigsuspend,
	[__NR_rt_sigtimedwait] = sys_rt_sigtimedwait,
	[__NR_rt_sigqueueinfo] = sys_rt_sigqueueinfo,
	[__NR_rt_tgsigqueueinfo] = sys_rt_tgsigqueueinfo,
	[__NR_rt_sigreturn] = sys_rt_sigreturn,
	[__NR_sigaltstack] = sys_sigaltstack,
	[__NR_kill] = sys_kill,
	[__NR_tkill] = sys_tkill,
	[__NR_tgkill] = sys_tgkill,
	[__NR_pause] = sys_pause,
	[__NR_alarm] = sys_alarm,
	[__NR_setitimer] = sys_setitimer,
	[__NR_getitimer] = sys_getitimer,
	[__NR_timer_create] = sys_timer_create,
	[__NR_timer_settime] = sys_timer_settime,
	[__NR_timer_gettime] = sys_timer_gettime,
	[__NR_timer_getoverrun] = sys_timer_getoverrun,
	[__NR_timer_delete] = sys_timer_delete,

	/* time */
	[__NR_clock_gettime] = sys_clock_gettime,
	[__NR_clock_getres] = sys_clock_getres,
	[__NR_clock_settime] = sys_not_permitted,
	[__NR_clock_adjtime] = sys_not_permitted,
	[__NR_adjtimex] = sys_not_permitted,
	[__NR_gettimeofday] = sys_gettimeofday,
	[__NR_settimeofday] = sys_not_permitted,
	[__NR_time] = sys_time,
	[__NR_times] = sys_times,
	[__NR_getrusage] = sys_getrusage,
	[__NR_nanosleep] = sys_nanosleep,
	[__NR_clock_nanosleep] = sys_clock_nanosleep,

	/* files */
	[__NR_read] = sys_read,
	[__NR_write] = sys_write,
	[__NR_readv] = sys_readv,
	[__NR_writev] = sys_writev,
	[__NR_pread64] = sys_pread64,
	[__NR_pwrite64] = sys_pwrite64,
	[__NR_preadv] = sys_preadv,
	[__NR_pwritev] = sys_pwritev,
	[__NR_lseek] = sys_lseek,
	[__NR_close] = sys_close,
	[__NR_close_range] = sys_close_range,
	[__NR_dup] = sys_dup,
	[__NR_dup2] = sys_dup2,
	[__NR_dup3] = sys_dup3,
	[__NR_fcntl] = sys_fcntl,
	[__NR_ioctl] = sys_ioctl,
	[__NR_fsync] = sys_fsync,
	[__NR_fdatasync] = sys_fdatasync,
	[__NR_sync] = sys_zero,
	[__NR_syncfs] = sys_syncfs,
	[__NR_ftruncate] = sys_ftruncate,
	[__NR_fallocate] = sys_fallocate,
	[__NR_pipe] = sys_pipe,
	[__NR_pipe2] = sys_pipe2,
	[__NR_eventfd] = sys_eventfd,
	[__NR_eventfd2] = sys_eventfd2,
	[__NR_timerfd_create] = sys_timerfd_create,
	[__NR_timerfd_settime] = sys_timerfd_settime,
	[__NR_timerfd_gettime] = sys_timerfd_gettime,
	[__NR_epoll_create] = sys_epoll_create,
	[__NR_epoll_create1] = sys_epoll_create1,
	[__NR_epoll_ctl] = sys_epoll_ctl,
	[__NR_epoll_wait] = sys_epoll_wait,
	[__NR_epoll_pwait] = sys_epoll_pwait,
	[__NR_epoll_pwait2] = sys_epoll_pwait2,
	[__NR_poll] = sys_poll,
	[__NR_ppoll] = sys_ppoll,
	[__NR_select] = sys_select,
	[__NR_pselect6] = sys_pselect6,

	/* paths */
	[__NR_open] = sys_open,
	[__NR_openat] = sys_openat,
	[__NR_creat] = sys_creat,
	[__NR_stat] = sys_stat,
	[__NR_lstat] = sys_lstat,
	[__NR_fstat] = sys_fstat,
	[__NR_newfstatat] = sys_newfstatat,
	[__NR_statx] = sys_statx,
	[__NR_access] = sys_access,
	[__NR_faccessat] = sys_faccessat,
	[__NR_faccessat2] = sys_faccessat2,
	[__NR_readlink] = sys_readlink,
	[__NR_readlinkat] = sys_readlinkat,
	[__NR_getcwd] = sys_getcwd,
	[__NR_chdir] = sys_chdir,
	[__NR_mkdir] = sys_mkdir,
	[__NR_mkdirat] = sys_mkdirat,
	[__NR_unlink] = sys_unlink,
	[__NR_unlinkat] = sys_unlinkat,
	[__NR_rmdir] = sys_rmdir,
	[__NR_rename] = sys_rename,
	[__NR_renameat] = sys_renameat,
	[__NR_renameat2] = sys_renameat2,
	[__NR_getdents64] = sys_getdents64,
	[__NR_umask] = sys_umask,
	[__NR_fchdir] = sys_fchdir,
	[__NR_mknod] = sys_mknod,
	[__NR_mknodat] = sys_mknodat,
	[__NR_link] = sys_link,
	[__NR_linkat] = sys_linkat,
	[__NR_symlink] = sys_symlink,
	[__NR_symlinkat] = sys_symlinkat,
	[__NR_chmod] = sys_change_path,
	[__NR_chown] = sys_change_path,
	[__NR_lchown] = sys_change_path,
	[__NR_truncate] = sys_change_path,
	[__NR_utime] = sys_change_path,
	[__NR_utimes] = sys_change_path,
	[__NR_fchmodat] = sys_change_path_at,
	[__NR_fchownat] = sys_change_path_at,
	[__NR_utimensat] = sys_change_path_at,
	[__NR_futimesat] = sys_change_path_at,
	[__NR_fchmod] = sys_change_open,
	[__NR_fchown] = sys_change_open,

	/* sockets: only pairs, and who takes any other gets EACCES */
	[__NR_socket] = sys_socket,
	[__NR_socketpair] = sys_socketpair,
	[__NR_bind] = sys_no_name,
	[__NR_connect] = sys_no_name,
	[__NR_listen] = sys_no_name,
	[__NR_accept] = sys_no_name,
	[__NR_accept4] = sys_no_name,
	[__NR_getsockname] = sys_getsockname,
	[__NR_getpeername] = sys_getsockname,
	[__NR_sendto] = sys_sendto,
	[__NR_recvfrom] = sys_recvfrom,
	[__NR_sendmsg] = sys_sendmsg,
	[__NR_recvmsg] = sys_recvmsg,
	[__NR_shutdown] = sys_shutdown,
	[__NR_getsockopt] = sys_getsockopt,
	[__NR_setsockopt] = sys_setsockopt,

	/* the system and who the program is */
	[__NR_uname] = sys_uname,
	[__NR_sysinfo] = sys_sysinfo,
	[__NR_getrlimit] = sys_getrlimit,
	[__NR_setrlimit] = sys_setrlimit,
	[__NR_prlimit64] = sys_prlimit64,
	[__NR_personality] = sys_personality,
	[__NR_getrandom] = sys_getrandom,
	[__NR_getpid] = sys_getpid,
	[__NR_getppid] = sys_zero,
	[__NR_getuid] = sys_zero,
	[__NR_geteuid] = sys_zero,
	[__NR_getgid] = sys_zero,
	[__NR_getegid] = sys_zero,
	[__NR_setuid] = sys_set_zero_id,
	[__NR_setgid] = sys_set_zero_id,
	[__NR_setreuid] = sys_set_two_ids,
	[__NR_setregid] = sys_set_two_ids,
	[__NR_setresuid] = sys_set_three_ids,
	[__NR_setresgid] = sys_set_three_ids,
	[__NR_setgroups] = sys_setgroups,
	[__NR_getresuid] = sys_getres_ids,
	[__NR_getresgid] = sys_getres_ids,
	[__NR_getgroups] = sys_getgroups,
	[__NR_getpgrp] = sys_one_process,
	[__NR_getpgid] = sys_one_process,
	[__NR_getsid] = sys_one_process,
	[__NR_setsid] = sys_not_permitted,
	[__NR_setpgid] = sys_not_permitted,

	/* ours */
	[AIRLOCK_SYSCALL] = sys_airlock,

	/* Not there, on purpose: there is one process, and nothing to run another from. */
	[__NR_fork] = sys_not_there,
	[__NR_vfork] = sys_not_there,
	[__NR_execve] = sys_not_there,
	[__NR_execveat] = sys_not_there,
	[__NR_wait4] = sys_no_child,
	[__NR_waitid] = sys_no_child,
	[__NR_ptrace] = sys_not_permitted,
	[__NR_rseq] = sys_not_there,
};

bool syscall_known(u32 number) { return number < ARRAY_LENGTH(handlers) && handlers[number] != NULL; }

void syscall_arguments(const struct registers *registers, u64 arg[6])
{
	arg[0] = registers->rdi;
	arg[1] = registers->rsi;
	arg[2] = registers->rdx;
	arg[3] = registers->r10;
	arg[4] = registers->r8;
	arg[5] = registers->r9;
}

i64 syscall_run(u32 number, const struct registers *registers)
{
	u64 arg[6];

	if (!syscall_known(number)) {
		control_page()->unknown_calls++;
		return -ENOSYS;
	}
	syscall_arguments(registers, arg);
	return handlers[number](arg);
}
