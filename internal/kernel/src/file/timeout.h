/* What the calls that wait for several files have in common: timeouts, signal masks, and how they end. */
#ifndef FILE_TIMEOUT_H
#define FILE_TIMEOUT_H

#include "lib/types.h"
#include "sched/wait.h"

/* As poll(2) and epoll_wait(2) take it: negative is for ever. */
static inline u64 timeout_from_ms(i32 ms) { return ms < 0 ? NEVER : (u64)ms * 1000000u; }

/* Reads a struct timespec; NEVER if the address is 0. 0, -EFAULT or -EINVAL. */
i64 timeout_from_timespec(u64 address, u64 *timeout);

/* ppoll(2) and pselect(2) leave in the timespec what remains of the timeout. Call it when the call has ended. */
void timeout_write_back(u64 address, u64 timeout);
u64 timeout_remaining(u64 timeout);

/* Reads a signal mask of size bytes, and blocks it while the call lasts; nothing if the address is 0. */
i64 timeout_mask(u64 address, u64 size);

/*
 * Turns the result of wait_block into that of the call: 0 at the timeout, and
 * EINTR when a signal came, because these calls are never restarted, whatever
 * SA_RESTART says (signal(7)).
 */
i64 timeout_result(i64 result);

/* Takes the current thread off all queues again, because there is no memory to wait on more: -ENOMEM. */
i64 timeout_give_up(void);

#endif
