/* What time it is, and how much of it the program has used. */
#include "sys/time.h"

#include <linux/resource.h>
#include <linux/time.h>
#include <linux/times.h>

#include "lib/string.h"
#include "mm/user.h"
#include "sched/clock.h"
#include "sys/timespec.h"

#define NS_PER_MICROSECOND 1000u
#define NS_PER_CLOCK_TICK 10000000u /* sysconf(_SC_CLK_TCK) is 100 on Linux */
#define RESOLUTION_NS 1u

/*
 * Ids of CPU-time clocks that clock_getcpuclockid(3) and pthread_getcpuclockid(3)
 * make: the complement of a process or thread id, and three bits for the kind.
 */
#define CPU_CLOCK_KIND 3
#define CPU_CLOCK_SCHED 2 /* kinds 0 and 1 split it into user and system time, 3 is no CPU clock */
#define CPU_CLOCK_THREAD 4
#define CPU_CLOCK_SHIFT 3

static int read_cpu_clock(i32 clock, u64 *ns)
{
	u32 id = ~(u32)(clock >> CPU_CLOCK_SHIFT);
	const struct thread *thread = id == 0 ? current : thread_find(id);

	if ((clock & CPU_CLOCK_KIND) > CPU_CLOCK_SCHED)
		return -EINVAL;
	if (clock & CPU_CLOCK_THREAD) {
		if (thread == NULL)
			return -EINVAL;
		*ns = thread_cpu_time(thread);
		return 0;
	}
	if (id != 0 && id != PROCESS_ID)
		return -EINVAL;
	*ns = process_cpu_time();
	return 0;
}

int clock_read(i32 clock, u64 *ns)
{
	if (clock < 0)
		return read_cpu_clock(clock, ns);
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		*ns = clock_wall();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ns = clock_monotonic();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = process_cpu_time();
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = thread_cpu_time(current);
		return 0;
	default:
		return -EINVAL;
	}
}

bool clock_is_cpu_time(i32 clock)
{
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
}

i32 clock_for_everyone(i32 clock)
{
	const i32 of_this_thread = (i32)(~0u << CPU_CLOCK_SHIFT | CPU_CLOCK_THREAD);

	if (clock == CLOCK_THREAD_CPUTIME_ID || (clock < 0 && (clock & ~CPU_CLOCK_KIND) == of_this_thread))
		return (i32)(~current->id << CPU_CLOCK_SHIFT | CPU_CLOCK_THREAD | CPU_CLOCK_SCHED);
	return clock;
}

int time_read_spec(u64 address, u64 *ns)
{
	struct __kernel_timespec spec;

	if (copy_from_user(&spec, address, sizeof(spec)) < 0)
		return -EFAULT;
	if (!timespec_valid(&spec))
		return -EINVAL;
	*ns = timespec_to_ns(&spec);
	return 0;
}

i64 sys_clock_gettime(const u64 *arg)
{
	struct __kernel_timespec spec;
	u64 now;

	if (clock_read((i32)arg[0], &now) < 0)
		return -EINVAL;
	spec = timespec_from_ns(now);
	return copy_to_user(arg[1], &spec, sizeof(spec));
}

i64 sys_clock_getres(const u64 *arg)
{
	const struct __kernel_timespec spec = timespec_from_ns(RESOLUTION_NS);
	u64 now;

	if (clock_read((i32)arg[0], &now) < 0)
		return -EINVAL;
	return arg[1] == 0 ? 0 : copy_to_user(arg[1], &spec, sizeof(spec));
}

struct microseconds { /* struct timeval */
	i64 seconds, microseconds;
};

static struct microseconds to_microseconds(u64 ns)
{
	return (struct microseconds){
		.seconds = (i64)(ns / NS_PER_SECOND),
		.microseconds = (i64)(ns % NS_PER_SECOND / NS_PER_MICROSECOND),
	};
}

i64 sys_gettimeofday(const u64 *arg)
{
	const struct microseconds now = to_microseconds(clock_wall());
	const struct {
		i32 minutes_west, dst;
	} utc = {0};

	if (arg[0] != 0 && copy_to_user(arg[0], &now, sizeof(now)) < 0)
		return -EFAULT;
	return arg[1] == 0 ? 0 : copy_to_user(arg[1], &utc, sizeof(utc));
}

i64 sys_time(const u64 *arg)
{
	i64 now = (i64)(clock_wall() / NS_PER_SECOND);

	if (arg[0] != 0 && copy_to_user(arg[0], &now, sizeof(now)) < 0)
		return -EFAULT;
	return now;
}

/* times(2), getrusage(2): time in the guest kernel counts as the program's own. */

i64 sys_times(const u64 *arg)
{
	const struct tms times = {.tms_utime = (i64)(process_cpu_time() / NS_PER_CLOCK_TICK)};

	if (arg[0] != 0 && copy_to_user(arg[0], &times, sizeof(times)) < 0)
		return -EFAULT;
	return (i64)(clock_monotonic() / NS_PER_CLOCK_TICK);
}

i64 sys_getrusage(const u64 *arg)
{
	struct rusage usage;
	struct microseconds used;

	switch ((i32)arg[0]) {
	case RUSAGE_SELF:
		used = to_microseconds(process_cpu_time());
		break;
	case RUSAGE_THREAD:
		used = to_microseconds(thread_cpu_time(current));
		break;
	case RUSAGE_CHILDREN:
		used = to_microseconds(0);
		break;
	default:
		return -EINVAL;
	}
	memset(&usage, 0, sizeof(usage));
	usage.ru_utime.tv_sec = used.seconds;
	usage.ru_utime.tv_usec = used.microseconds;
	return copy_to_user(arg[1], &usage, sizeof(usage));
}
