/* The system calls of signal/, for sys/table.c. */
#ifndef SIGNAL_SYSCALLS_H
#define SIGNAL_SYSCALLS_H

#include "sys/syscall.h"

/* mask.c */
syscall_handler sys_rt_sigaction;
syscall_handler sys_rt_sigprocmask;
syscall_handler sys_rt_sigpending;

/* altstack.c */
syscall_handler sys_sigaltstack;

/* wait.c */
syscall_handler sys_rt_sigsuspend;
syscall_handler sys_rt_sigtimedwait;
syscall_handler sys_pause;

/* send.c */
syscall_handler sys_kill;
syscall_handler sys_tkill;
syscall_handler sys_tgkill;
syscall_handler sys_rt_sigqueueinfo;
syscall_handler sys_rt_tgsigqueueinfo;

/* return.c */
syscall_handler sys_rt_sigreturn;

/* itimer.c */
syscall_handler sys_alarm;
syscall_handler sys_getitimer;
syscall_handler sys_setitimer;

/* posix_timer.c */
syscall_handler sys_timer_create;
syscall_handler sys_timer_settime;
syscall_handler sys_timer_gettime;
syscall_handler sys_timer_getoverrun;
syscall_handler sys_timer_delete;

#endif
