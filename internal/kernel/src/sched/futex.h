/* Futexes: see futex(2). */
#ifndef SCHED_FUTEX_H
#define SCHED_FUTEX_H

#include "sys/syscall.h"

/* Wakes at most limit threads that wait at the address. How many it woke. */
u32 futex_wake(u64 address, u32 limit);
/* Marks the robust futexes that an ending thread holds: see set_robust_list(2). */
void futex_exit_robust(struct thread *thread);

syscall_handler sys_futex, sys_set_robust_list, sys_get_robust_list;

#endif
