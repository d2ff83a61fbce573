/*
 * System calls. Every handler has this one type; sys/table.c lists them by
 * number. A handler gets the six argument registers, reads from its current
 * thread whatever else it needs, and returns a result, a negative errno, or
 * one of CALL_* (sched/wait.h).
 */
#ifndef SYS_SYSCALL_H
#define SYS_SYSCALL_H

#include <asm/errno.h>

#include "lib/types.h"
#include "sched/thread.h"
#include "sched/wait.h"

typedef i64 syscall_handler(const u64 *arg);

#endif
