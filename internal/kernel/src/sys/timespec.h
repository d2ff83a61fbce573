/* Conversions of the structures in which programs give times. */
#ifndef SYS_TIMESPEC_H
#define SYS_TIMESPEC_H

#include <linux/time_types.h>

#include "sched/clock.h"

static inline bool timespec_valid(const struct __kernel_timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < (i64)NS_PER_SECOND;
}

/* Saturates: what doesn't fit is NEVER. */
static inline u64 timespec_to_ns(const struct __kernel_timespec *time)
{
	if ((u64)time->tv_sec >= NEVER / NS_PER_SECOND)
		return NEVER;
	return (u64)time->tv_sec * NS_PER_SECOND + (u64)time->tv_nsec;
}

static inline struct __kernel_timespec timespec_from_ns(u64 ns)
{
	return (struct __kernel_timespec){.tv_sec = (i64)(ns / NS_PER_SECOND), .tv_nsec = (i64)(ns % NS_PER_SECOND)};
}

#endif
