/* Time of the guest, from the TSC and the clock page. */
#ifndef SCHED_CLOCK_H
#define SCHED_CLOCK_H

#include "lib/timerheap.h"
#include "lib/types.h"

#define NS_PER_SECOND 1000000000ull

u64 clock_monotonic(void);   /* ns; never goes backwards */
u64 clock_wall(void);        /* ns since 1970 */
u64 clock_wall_offset(void); /* wall minus monotonic */

extern struct timerheap timers;

/* Fires what is due. */
void timers_run(void);

#endif
