/* System calls about what a process and its threads do with signals. */
#include "mm/user.h"
#include "signal/state.h"
#include "signal/syscalls.h"

#define SET_SIZE 8u /* of the kernel's sigset_t; every call is given it */

/* Unknown flags are cleared, so that programs can find out what is supported (sigaction(2)). */
#define ACTION_FLAGS                                                                                                   \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND | SA_RESTORER)

i64 sys_rt_sigaction(const u64 *arg)
{
	u32 number = (u32)arg[0];
	struct kernel_sigaction new, old;

	if (arg[3] != SET_SIZE)
		return -EINVAL;
	if (arg[1] != 0 && copy_from_user(&new, arg[1], sizeof(new)) < 0)
		return -EFAULT;
	if (number < 1 || number > SIGNAL_MAX || (arg[1] != 0 && (SIGNALS_ABSOLUTE & signal_bit(number))))
		return -EINVAL;
	old = *signal_action(number);
	if (arg[1] != 0) {
		new.flags &= ACTION_FLAGS;
		new.mask &= ~SIGNALS_ABSOLUTE;
		*signal_action(number) = new;
		if (signal_is_ignored(number))
			signal_discard(number);
	}
	if (arg[2] != 0 && copy_to_user(arg[2], &old, sizeof(old)) < 0)
		return -EFAULT;
	return 0;
}

i64 sys_rt_sigprocmask(const u64 *arg)
{
	u64 old = current->signals_blocked, set;

	if (arg[3] != SET_SIZE)
		return -EINVAL;
	if (arg[1] != 0) {
		if (copy_from_user(&set, arg[1], sizeof(set)) < 0)
			return -EFAULT;
		switch ((u32)arg[0]) {
		case SIG_BLOCK:
			signal_set_blocked(current, old | set);
			break;
		case SIG_UNBLOCK:
			signal_set_blocked(current, old & ~set);
			break;
		case SIG_SETMASK:
			signal_set_blocked(current, set);
			break;
		default:
			return -EINVAL;
		}
	}
	if (arg[2] != 0 && copy_to_user(arg[2], &old, sizeof(old)) < 0)
		return -EFAULT;
	return 0;
}

i64 sys_rt_sigpending(const u64 *arg)
{
	u64 set = signal_pending(current) & current->signals_blocked;

	if (arg[1] > SET_SIZE)
		return -EINVAL;
	return copy_to_user(arg[0], &set, arg[1]);
}
