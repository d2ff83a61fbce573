/* The system calls of file/, for sys/table.c. */
#ifndef FILE_SYSCALLS_H
#define FILE_SYSCALLS_H

#include "sys/syscall.h"

/* rw.c */
syscall_handler sys_read, sys_write, sys_readv, sys_writev;
syscall_handler sys_pread64, sys_pwrite64, sys_preadv, sys_pwritev, sys_lseek;

/* file.c */
syscall_handler sys_close, sys_close_range, sys_dup, sys_dup2, sys_dup3, sys_fcntl;

/* ioctl.c */
syscall_handler sys_ioctl;

/* pipe.c, eventfd.c, timerfd.c */
syscall_handler sys_pipe, sys_pipe2, sys_eventfd, sys_eventfd2;
syscall_handler sys_timerfd_create, sys_timerfd_settime, sys_timerfd_gettime;

/* epoll_calls.c, poll.c, select.c */
syscall_handler sys_epoll_create, sys_epoll_create1, sys_epoll_ctl;
syscall_handler sys_epoll_wait, sys_epoll_pwait, sys_epoll_pwait2;
syscall_handler sys_poll, sys_ppoll, sys_select, sys_pselect6;

/* socket_calls.c: sys_no_name is for bind, connect, listen and accept */
syscall_handler sys_socket, sys_socketpair, sys_no_name, sys_shutdown;
syscall_handler sys_sendto, sys_sendmsg, sys_recvfrom, sys_recvmsg;
syscall_handler sys_getsockname, sys_getsockopt, sys_setsockopt;

/* open.c */
syscall_handler sys_open, sys_openat, sys_creat, sys_umask;
syscall_handler sys_getcwd, sys_chdir, sys_fchdir, sys_getdents64;
syscall_handler sys_readlink, sys_readlinkat, sys_access, sys_faccessat, sys_faccessat2;

/* stat.c */
syscall_handler sys_stat, sys_lstat, sys_fstat, sys_newfstatat, sys_statx;

/* readonly.c: sys_change_path is for chmod, chown, truncate and utimes, sys_change_path_at for their -at kin */
syscall_handler sys_mkdir, sys_mkdirat, sys_mknod, sys_mknodat, sys_rmdir, sys_unlink, sys_unlinkat;
syscall_handler sys_rename, sys_renameat, sys_renameat2, sys_link, sys_linkat, sys_symlink, sys_symlinkat;
syscall_handler sys_change_path, sys_change_path_at, sys_change_open;
syscall_handler sys_fsync, sys_fdatasync, sys_syncfs, sys_ftruncate, sys_fallocate;

#endif
