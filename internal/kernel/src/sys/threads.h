/* clone(2), exit(2), and what a thread asks about itself. */
#ifndef SYS_THREADS_H
#define SYS_THREADS_H

#include "sys/syscall.h"

syscall_handler sys_clone, sys_clone3, sys_exit, sys_exit_group, sys_set_tid_address, sys_gettid, sys_getpid;
syscall_handler sys_sched_yield, sys_sched_getaffinity, sys_sched_setaffinity, sys_getcpu, sys_membarrier;
syscall_handler sys_arch_prctl, sys_prctl;
syscall_handler sys_sched_getscheduler, sys_sched_setscheduler, sys_sched_getparam, sys_sched_setparam;
syscall_handler sys_sched_priority_max, sys_sched_priority_min, sys_sched_rr_get_interval;
syscall_handler sys_getpriority, sys_setpriority;

#endif
