/* The trace of system calls that the host may ask for at boot (AIRLOCK_BOOT_TRACE). */
#ifndef TRACE_H
#define TRACE_H

#include "lib/types.h"
#include "sched/thread.h"

void trace_begin(struct call *call);
void trace_end(const struct call *call, i64 result); /* the current thread's call has ended */
void trace_noreturn(void);                           /* the current call does not return */
void trace_signal(u32 number, u64 address);          /* the current thread gets a signal */
void trace_flush(void);                              /* hands what was recorded to the host */

#endif
