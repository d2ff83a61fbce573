/* arch_prctl(2), prctl(2): the thread's own settings. */
#include <asm/prctl.h>
#include <linux/capability.h>
#include <linux/prctl.h>

#include "airlock_abi.h"
#include "arch/cpu.h"
#include "lib/string.h"
#include "mm/user.h"
#include "signal/state.h"
#include "sys/threads.h"

#define TIMER_SLACK 50000 /* ns: Linux's default */

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

/* What is kept for who asks: there is nobody to be dumped for, no parent to die, and timers are not moved. */
static u32 dumpable = 1, parent_death_signal;
static u64 timer_slack = TIMER_SLACK;
static bool no_new_privileges;

static i64 keep(u32 *setting, u64 value, u64 limit)
{
	if (value > limit)
		return -EINVAL;
	*setting = (u32)value;
	return 0;
}

i64 sys_prctl(const u64 *arg)
{
	switch ((u32)arg[0]) {
	case PR_SET_NAME:
		return set_name(arg[1]);
	case PR_GET_NAME:
		return copy_to_user(arg[1], current->name, sizeof(current->name));
	case PR_SET_DUMPABLE:
		return keep(&dumpable, arg[1], 1);
	case PR_GET_DUMPABLE:
		return dumpable;
	case PR_SET_PDEATHSIG:
		return keep(&parent_death_signal, arg[1], SIGNAL_MAX);
	case PR_GET_PDEATHSIG:
		return copy_to_user(arg[1], &parent_death_signal, sizeof(parent_death_signal));
	case PR_SET_NO_NEW_PRIVS: /* for good */
		if (arg[1] != 1 || arg[2] != 0 || arg[3] != 0 || arg[4] != 0)
			return -EINVAL;
		no_new_privileges = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return no_new_privileges;
	case PR_GET_SECCOMP:
	case PR_GET_KEEPCAPS:
	case PR_GET_THP_DISABLE:
	case PR_SET_VMA: /* names of mappings, for /proc only */
		return 0;
	case PR_SET_TIMERSLACK:
		timer_slack = arg[1] == 0 ? TIMER_SLACK : arg[1];
		return 0;
	case PR_GET_TIMERSLACK:
		return (i64)MIN(timer_slack, INT64_MAX);
	case PR_CAPBSET_READ: /* root of a machine that has nothing to be allowed */
		return arg[1] <= CAP_LAST_CAP ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}
