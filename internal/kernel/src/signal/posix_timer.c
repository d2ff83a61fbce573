/* timer_create(2) and its family. */
#include <linux/time.h>

#include "mm/slab.h"
#include "mm/user.h"
#include "sched/clock.h"
#include "signal/codes.h"
#include "signal/syscalls.h"
#include "signal/timer.h"
#include "sys/time.h"
#include "sys/timespec.h"

#define TIMER_LIMIT 256u

/* sigevent(7) */
#define NOTIFY_SIGNAL 0
#define NOTIFY_NONE 1
#define NOTIFY_THREAD 2
#define NOTIFY_THREAD_ID 4

struct signal_event { /* struct sigevent */
	u64 value;
	i32 number, notify;
	u32 thread;
	u8 padding[44];
};

_Static_assert(sizeof(struct signal_event) == 64, "struct sigevent");

struct timer_time { /* struct itimerspec */
	struct __kernel_timespec interval, value;
};

static struct program_timer *created[TIMER_LIMIT]; /* by id */

static struct program_timer *find(u64 id) { return (u32)id < TIMER_LIMIT ? created[(u32)id] : NULL; }

static i32 free_id(void)
{
	for (i32 id = 0; id < (i32)TIMER_LIMIT; id++) {
		if (created[id] == NULL)
			return id;
	}
	return -EAGAIN;
}

static i64 check_event(const struct signal_event *event, enum timer_target *target)
{
	switch (event->notify) {
	case NOTIFY_NONE:
		*target = TARGET_NONE;
		return 0;
	case NOTIFY_SIGNAL:
	case NOTIFY_THREAD: /* the C library's matter; to the kernel it is a signal */
		*target = TARGET_PROCESS;
		break;
	case NOTIFY_SIGNAL | NOTIFY_THREAD_ID:
		*target = TARGET_THREAD;
		if (thread_find(event->thread) == NULL)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	return event->number < 1 || event->number > (i32)SIGNAL_MAX ? -EINVAL : 0;
}

/* Which clocks can have timers. */
static i64 check_clock(i32 clock)
{
	u64 now;

	if (clock_read(clock, &now) < 0)
		return -EINVAL;
	switch (clock) {
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	default:
		return 0;
	}
}

i64 sys_timer_create(const u64 *arg)
{
	struct signal_event event = {.number = SIGALRM, .notify = NOTIFY_SIGNAL};
	struct siginfo info = {.code = CODE_TIMER};
	enum timer_target target;
	struct program_timer *timer;
	i64 result = check_clock((i32)arg[0]);
	i32 id = free_id();

	if (result < 0)
		return result;
	if (id < 0)
		return id;
	if (arg[1] == 0)
		event.value = (u64)id;
	else if (copy_from_user(&event, arg[1], sizeof(event)) < 0)
		return -EFAULT;
	result = check_event(&event, &target);
	if (result < 0)
		return result;
	if (copy_to_user(arg[2], &id, sizeof(id)) < 0)
		return -EFAULT;
	timer = slab_alloc(sizeof(*timer));
	if (timer == NULL)
		return -EAGAIN;
	info.number = event.number;
	info.timer.timer = id;
	info.timer.value = event.value;
	program_timer_init(timer, clock_for_everyone((i32)arg[0]), target, &info);
	timer->thread = event.thread;
	created[id] = timer;
	return 0;
}

static struct timer_time what_is_left(const struct program_timer *timer)
{
	u64 left = program_timer_left(timer);

	return (struct timer_time){
		.interval = timespec_from_ns(timer->interval),
		.value = timespec_from_ns(left),
	};
}

i64 sys_timer_settime(const u64 *arg)
{
	struct program_timer *timer = find(arg[0]);
	struct timer_time new, old;

	if (arg[2] == 0)
		return -EINVAL;
	if (copy_from_user(&new, arg[2], sizeof(new)) < 0)
		return -EFAULT;
	if (!timespec_valid(&new.value) || !timespec_valid(&new.interval) || timer == NULL)
		return -EINVAL;
	old = what_is_left(timer);
	program_timer_set(timer, (arg[1] & TIMER_ABSTIME) != 0, timespec_to_ns(&new.value),
	                  timespec_to_ns(&new.interval));
	if (arg[3] != 0 && copy_to_user(arg[3], &old, sizeof(old)) < 0)
		return -EFAULT;
	return 0;
}

i64 sys_timer_gettime(const u64 *arg)
{
	const struct program_timer *timer = find(arg[0]);
	struct timer_time left;

	if (timer == NULL)
		return -EINVAL;
	left = what_is_left(timer);
	return copy_to_user(arg[1], &left, sizeof(left));
}

i64 sys_timer_getoverrun(const u64 *arg)
{
	const struct program_timer *timer = find(arg[0]);

	return timer == NULL ? -EINVAL : timer->overrun;
}

i64 sys_timer_delete(const u64 *arg)
{
	struct program_timer *timer = find(arg[0]);

	if (timer == NULL)
		return -EINVAL;
	program_timer_cancel(timer);
	created[(u32)arg[0]] = NULL;
	slab_free(timer, sizeof(*timer));
	return 0;
}
