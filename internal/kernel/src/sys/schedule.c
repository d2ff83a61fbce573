/* sched(7) and the thread's own settings, for one processor and one policy. */
#include <asm/prctl.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <linux/time_types.h>

#include "airlock_abi.h"
#include "arch/cpu.h"
#include "lib/string.h"
#include "mm/user.h"
#include "sys/threads.h"

#define POLICY_OTHER 0

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

	if (arg[0] != 0 && thread_find((u32)arg[0]) == NULL)
		return -ESRCH;
	if (arg[1] < sizeof(processors) || arg[1] % sizeof(processors) != 0)
		return -EINVAL;
	if (copy_to_user(arg[2], &processors, sizeof(processors)) < 0)
		return -EFAULT;
	return sizeof(processors);
}

i64 sys_sched_setaffinity(const u64 *arg)
{
	u8 processors = 0;

	if (arg[0] != 0 && thread_find((u32)arg[0]) == NULL)
		return -ESRCH;
	if (arg[1] != 0 && copy_from_user(&processors, arg[2], 1) < 0)
		return -EFAULT;
	return processors & 1 ? 0 : -EINVAL;
}

i64 sys_sched_getscheduler(const u64 *arg)
{
	(void)arg;
	return POLICY_OTHER;
}

i64 sys_sched_setscheduler(const u64 *arg) { return (i32)arg[1] == POLICY_OTHER ? 0 : -EPERM; }

i64 sys_sched_getparam(const u64 *arg)
{
	const i32 priority = 0;

	return copy_to_user(arg[1], &priority, sizeof(priority));
}

i64 sys_sched_priority_max(const u64 *arg) { return (u32)arg[0] == 1 || (u32)arg[0] == 2 ? 99 : 0; }

i64 sys_sched_priority_min(const u64 *arg) { return (u32)arg[0] == 1 || (u32)arg[0] == 2 ? 1 : 0; }

i64 sys_sched_rr_get_interval(const u64 *arg)
{
	const struct __kernel_timespec interval = {.tv_nsec = 10000000};

	return copy_to_user(arg[1], &interval, sizeof(interval));
}

/* The kernel's scale: 20 minus the nice value. */
i64 sys_getpriority(const u64 *arg)
{
	(void)arg;
	return 20;
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
	const u32 known = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
	                  MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
	u32 command = (u32)arg[0];

	if (arg[1] != 0 || (command & ~known) != 0 || (command & (command - 1)) != 0)
		return -EINVAL;
	return command == MEMBARRIER_CMD_QUERY ? known : 0;
}

i64 sys_arch_prctl(const u64 *arg)
{
	u64 base = arg[1];

	switch ((u32)arg[0]) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (base >= AIRLOCK_USER_END)
			return -EPERM;
		if ((u32)arg[0] == ARCH_SET_FS)
			write_fs_base(base);
		else
			write_gs_base(base);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		base = (u32)arg[0] == ARCH_GET_FS ? read_fs_base() : read_gs_base();
		return copy_to_user(arg[1], &base, sizeof(base));
	default:
		return -EINVAL;
	}
}

static i64 set_name(u64 address)
{
	char name[sizeof(current->name)] = {0};
	i64 length = copy_string_from_user(name, address, sizeof(name));

	if (length == -EFAULT)
		return -EFAULT;
	name[sizeof(name) - 1] = 0; /* longer ones are cut, says prctl(2) */
	memcpy(current->name, name, sizeof(name));
	return 0;
}

i64 sys_prctl(const u64 *arg)
{
	switch ((u32)arg[0]) {
	case PR_SET_NAME:
		return set_name(arg[1]);
	case PR_GET_NAME:
		return copy_to_user(arg[1], current->name, sizeof(current->name));
	case PR_SET_VMA: /* names of mappings, for /proc only */
	case PR_SET_DUMPABLE:
	case PR_SET_PDEATHSIG:
	case PR_SET_NO_NEW_PRIVS:
	case PR_SET_TIMERSLACK:
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return 1;
	case PR_GET_DUMPABLE:
		return 0;
	default:
		return -EINVAL;
	}
}
