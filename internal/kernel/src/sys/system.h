/* uname(2), sysinfo(2), resource limits, identity. */
#ifndef SYS_SYSTEM_H
#define SYS_SYSTEM_H

#include "sys/syscall.h"

#define KERNEL_RELEASE "6.1.0-airlock" /* the Linux whose system calls these are */

u64 resource_limit(u32 resource); /* the soft limit: RLIMIT_* of getrlimit(2) */

syscall_handler sys_uname, sys_sysinfo, sys_getrlimit, sys_setrlimit, sys_prlimit64, sys_personality;
syscall_handler sys_zero, sys_one_process, sys_set_zero_id, sys_set_two_ids, sys_set_three_ids, sys_getres_ids;
syscall_handler sys_getgroups, sys_setgroups;
syscall_handler sys_no_child, sys_not_permitted, sys_not_there;

#endif
