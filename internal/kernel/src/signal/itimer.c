/* alarm(2), setitimer(2). */
#include <linux/time.h>

#include "mm/user.h"
#include "sched/clock.h"
#include "signal/codes.h"
#include "signal/syscalls.h"
#include "signal/timer.h"

#define ITIMERS 3u
#define NS_PER_MICROSECOND 1000u

struct interval_time { /* struct itimerval */
	struct {
		i64 seconds, microseconds;
	} interval, value;
};

/* The timer of the kind; all kernel time counts as the program's, so ITIMER_VIRTUAL and ITIMER_PROF are the same. */
static struct program_timer *itimer(u32 which)
{
	static struct program_timer itimers[ITIMERS];
	static const struct {
		i32 clock, number;
	} kinds[ITIMERS] = {
		[ITIMER_REAL] = {CLOCK_MONOTONIC, SIGALRM},
		[ITIMER_VIRTUAL] = {CLOCK_PROCESS_CPUTIME_ID, SIGVTALRM},
		[ITIMER_PROF] = {CLOCK_PROCESS_CPUTIME_ID, SIGPROF},
	};
	struct program_timer *timer = &itimers[which];
	const struct siginfo info = {.number = kinds[which].number, .code = CODE_KERNEL};

	if (timer->timer.fire == NULL)
		program_timer_init(timer, kinds[which].clock, TARGET_PROCESS, &info);
	return timer;
}

static struct interval_time what_is_left(const struct program_timer *timer)
{
	u64 left = program_timer_left(timer);

	/* Up, as what is armed must not look disarmed. */
	left += NS_PER_MICROSECOND - 1;
	return (struct interval_time){
		.interval.seconds = (i64)(timer->interval / NS_PER_SECOND),
		.interval.microseconds = (i64)(timer->interval % NS_PER_SECOND / NS_PER_MICROSECOND),
		.value.seconds = (i64)(left / NS_PER_SECOND),
		.value.microseconds = (i64)(left % NS_PER_SECOND / NS_PER_MICROSECOND),
	};
}

static bool to_ns(i64 seconds, i64 microseconds, u64 *ns)
{
	if (seconds < 0 || microseconds < 0 || microseconds >= 1000000)
		return false;
	if ((u64)seconds >= INT64_MAX / NS_PER_SECOND)
		*ns = INT64_MAX;
	else
		*ns = (u64)seconds * NS_PER_SECOND + (u64)microseconds * NS_PER_MICROSECOND;
	return true;
}

i64 sys_alarm(const u64 *arg)
{
	struct program_timer *timer = itimer(ITIMER_REAL);
	u64 left = program_timer_left(timer);
	u64 seconds = left / NS_PER_SECOND;

	/* Rounded to the nearest second, but what is left is never 0. */
	if ((seconds == 0 && left != 0) || left % NS_PER_SECOND >= NS_PER_SECOND / 2)
		seconds++;
	program_timer_set(timer, false, (u32)arg[0] * NS_PER_SECOND, 0);
	return (i64)seconds;
}

i64 sys_getitimer(const u64 *arg)
{
	struct interval_time left;

	if (arg[0] >= ITIMERS)
		return -EINVAL;
	left = what_is_left(itimer((u32)arg[0]));
	return copy_to_user(arg[1], &left, sizeof(left));
}

i64 sys_setitimer(const u64 *arg)
{
	struct interval_time new = {0}, old;
	u64 value, interval;

	/* setitimer(2), Linux bug: a missing new value disarms. */
	if (arg[1] != 0 && copy_from_user(&new, arg[1], sizeof(new)) < 0)
		return -EFAULT;
	if (arg[0] >= ITIMERS || !to_ns(new.value.seconds, new.value.microseconds, &value) ||
	    !to_ns(new.interval.seconds, new.interval.microseconds, &interval))
		return -EINVAL;
	old = what_is_left(itimer((u32)arg[0]));
	program_timer_set(itimer((u32)arg[0]), false, value, interval);
	if (arg[2] != 0 && copy_to_user(arg[2], &old, sizeof(old)) < 0)
		return -EFAULT;
	return 0;
}
