/* sched(7), for one processor and one policy. */
#include <linux/membarrier.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/time_types.h>

#include "lib/list.h"
#include "mm/user.h"
#include "sys/threads.h"

#define NICE_MIN (-20)
#define NICE_MAX 19
#define PRIORITY_NONE 0 /* of threads that are not real-time */
#define PRIORITY_HIGHEST 99

/* Finds the thread that a call is about: 0 is the caller. 0, -EINVAL or -ESRCH. */
static i64 find(u64 id, struct thread **thread)
{
	if ((i32)id < 0)
		return -EINVAL;
	*thread = (u32)id == 0 ? current : thread_find((u32)id);
	return *thread == NULL ? -ESRCH : 0;
}

/* Without others to run there is nothing to do. */
i64 sys_sched_yield(const u64 *arg)
{
	(void)arg;
	if (sched_others_runnable())
		sched_yield_current();
	return 0;
}

i64 sys_sched_getaffinity(const u64 *arg)
{
	const u64 processors = 1;
	struct thread *thread;
	i64 result = find(arg[0], &thread);

	if (result < 0)
		return result;
	if (arg[1] < sizeof(processors) || arg[1] % sizeof(processors) != 0)
		return -EINVAL;
	if (copy_to_user(arg[2], &processors, sizeof(processors)) < 0)
		return -EFAULT;
	return sizeof(processors);
}

i64 sys_sched_setaffinity(const u64 *arg)
{
	struct thread *thread;
	i64 result = find(arg[0], &thread);
	u8 processors = 0;

	if (result < 0)
		return result;
	if (arg[1] != 0 && copy_from_user(&processors, arg[2], 1) < 0)
		return -EFAULT;
	return processors & 1 ? 0 : -EINVAL;
}

/* What a policy is, and what priorities go with it: see sched(7). */
static bool is_real_time(u32 policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }
static bool is_ordinary(u32 policy) { return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE; }

i64 sys_sched_getscheduler(const u64 *arg)
{
	struct thread *thread;
	i64 result = find(arg[0], &thread);

	return result < 0 ? result : (i64)thread->policy;
}

/* The policy is kept and changes nothing; those that would change something are refused, as to who isn't root. */
i64 sys_sched_setscheduler(const u64 *arg)
{
	u32 policy = (u32)arg[1] & ~(u32)SCHED_RESET_ON_FORK;
	struct thread *thread;
	i64 result = find(arg[0], &thread);
	i32 priority;

	if (result < 0)
		return result;
	if (copy_from_user(&priority, arg[2], sizeof(priority)) < 0)
		return -EFAULT;
	if (is_real_time(policy))
		return priority > PRIORITY_NONE && priority <= PRIORITY_HIGHEST ? -EPERM : -EINVAL;
	if (!is_ordinary(policy) || priority != PRIORITY_NONE)
		return -EINVAL;
	thread->policy = policy;
	return 0;
}

i64 sys_sched_getparam(const u64 *arg)
{
	const i32 priority = PRIORITY_NONE;
	struct thread *thread;
	i64 result = find(arg[0], &thread);

	return result < 0 ? result : copy_to_user(arg[1], &priority, sizeof(priority));
}

i64 sys_sched_setparam(const u64 *arg)
{
	struct thread *thread;
	i64 result = find(arg[0], &thread);
	i32 priority;

	if (result < 0)
		return result;
	if (copy_from_user(&priority, arg[1], sizeof(priority)) < 0)
		return -EFAULT;
	return priority == PRIORITY_NONE ? 0 : -EINVAL;
}

static i64 priority_bound(u32 policy, i64 real_time)
{
	if (is_real_time(policy))
		return real_time;
	return is_ordinary(policy) || policy == SCHED_DEADLINE ? PRIORITY_NONE : -EINVAL;
}

i64 sys_sched_priority_max(const u64 *arg) { return priority_bound((u32)arg[0], PRIORITY_HIGHEST); }
i64 sys_sched_priority_min(const u64 *arg) { return priority_bound((u32)arg[0], 1); }

i64 sys_sched_rr_get_interval(const u64 *arg)
{
	const struct __kernel_timespec interval = {.tv_nsec = 10000000};
	struct thread *thread;
	i64 result = find(arg[0], &thread);

	return result < 0 ? result : copy_to_user(arg[1], &interval, sizeof(interval));
}

/* Whom getpriority(2) and setpriority(2) mean: one thread, all, or none. */
static i64 find_whom(const u64 *arg, struct thread **one)
{
	*one = NULL;
	switch ((u32)arg[0]) {
	case PRIO_PROCESS:
		return find(arg[1], one) < 0 ? -ESRCH : 0;
	case PRIO_PGRP:
		return (u32)arg[1] == 0 || (u32)arg[1] == PROCESS_ID ? 0 : -ESRCH;
	case PRIO_USER:
		return (u32)arg[1] == 0 ? 0 : -ESRCH;
	default:
		return -EINVAL;
	}
}

/* The highest of those it is about. The kernel's scale: 20 minus the nice value. */
i64 sys_getpriority(const u64 *arg)
{
	struct thread *one;
	i64 result = find_whom(arg, &one), lowest = NICE_MAX;

	if (result < 0)
		return result;
	LIST_FOR_EACH (link, &all_threads) {
		const struct thread *thread = LIST_ENTRY(link, struct thread, all);

		if (one == NULL || one == thread)
			lowest = MIN(lowest, thread->nice);
	}
	return 20 - lowest;
}

/* The nice value is kept and changes nothing. */
i64 sys_setpriority(const u64 *arg)
{
	struct thread *one;
	i64 result = find_whom(arg, &one);
	i32 nice = MAX(MIN((i32)arg[2], NICE_MAX), NICE_MIN);

	if (result < 0)
		return result;
	LIST_FOR_EACH (link, &all_threads) {
		struct thread *thread = LIST_ENTRY(link, struct thread, all);

		if (one == NULL || one == thread)
			thread->nice = nice;
	}
	return 0;
}

i64 sys_getcpu(const u64 *arg)
{
	const u32 zero = 0;

	for (u32 i = 0; i < 2; i++)
		if (arg[i] != 0 && copy_to_user(arg[i], &zero, sizeof(zero)) < 0)
			return -EFAULT;
	return 0;
}

/* membarrier(2): on one processor all threads see the same order anyway. */
i64 sys_membarrier(const u64 *arg)
{
	const u32 known = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |
	                  MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |
	                  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
	static bool registered;
	u32 command = (u32)arg[0];

	if (arg[1] != 0 || (command & ~known) != 0 || (command & (command - 1)) != 0)
		return -EINVAL;
	if (command == MEMBARRIER_CMD_PRIVATE_EXPEDITED && !registered)
		return -EPERM;
	registered |= command == MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
	return command == MEMBARRIER_CMD_QUERY ? known : 0;
}
