/* nanosleep(2), clock_nanosleep(2). */
#include <linux/time.h>

#include "mm/user.h"
#include "sched/clock.h"
#include "sys/time.h"
#include "sys/timespec.h"

static i64 sleep_until(u64 deadline)
{
	i64 result = wait_block(deadline);

	if (result == -ETIMEDOUT)
		return 0;
	return result == CALL_RESTART ? -EINTR : result;
}

/* Sleeps for a time, and tells what is left of it at remaining if a handler interrupts. */
static i64 sleep_for(u64 relative, u64 remaining)
{
	u64 deadline = wait_deadline(relative);
	i64 result = sleep_until(deadline);
	struct __kernel_timespec left;
	u64 now;

	if (result != -EINTR)
		return result;
	now = clock_monotonic();
	if (now >= deadline)
		return 0;
	left = timespec_from_ns(deadline - now);
	if (remaining != 0 && copy_to_user(remaining, &left, sizeof(left)) < 0)
		return -EFAULT;
	return -EINTR;
}

i64 sys_nanosleep(const u64 *arg)
{
	u64 relative;
	int result = time_read_spec(arg[0], &relative);

	return result < 0 ? result : sleep_for(relative, arg[1]);
}

/* Sleeping by CPU time is not supported: it could only be the time of other threads. */
static i64 check_clock(i32 clock)
{
	u64 now;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		return -EINVAL;
	default:
		return clock_read(clock, &now) < 0 ? -EINVAL : -EOPNOTSUPP;
	}
}

static bool follows_wall_time(i32 clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
}

i64 sys_clock_nanosleep(const u64 *arg)
{
	i32 clock = (i32)arg[0];
	i64 result = check_clock(clock);
	u64 ns, offset;

	if (result < 0)
		return result;
	result = time_read_spec(arg[2], &ns);
	if (result < 0)
		return result;
	if (!(arg[1] & TIMER_ABSTIME))
		return sleep_for(ns, arg[3]);
	offset = follows_wall_time(clock) ? clock_wall_offset() : 0;
	return sleep_until(ns > offset ? ns - offset : 0);
}
