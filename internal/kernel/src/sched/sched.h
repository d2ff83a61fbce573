/* Between sched/thread.c, which makes threads, and sched/sched.c, which runs them. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "sched/thread.h"

void sched_init(void);
void sched_timeout(struct timer *timer); /* struct thread.timeout: the deadline of a blocked call */
void sched_forget(struct thread *thread); /* the current thread, which ends */
void sched_events(void);                  /* looks at what the host has raised */

#endif
