/* System calls that wait for a signal. None of them is restarted: see signal(7). */
#include "mm/user.h"
#include "signal/state.h"
#include "signal/syscalls.h"
#include "sys/time.h"

#define SET_SIZE 8u

/* Waits until a handler is to run. */
static i64 wait_for_handler(void)
{
	i64 result = wait_block(NEVER);

	return result == CALL_RESTART ? -EINTR : result;
}

i64 sys_pause(const u64 *arg)
{
	(void)arg;
	return wait_for_handler();
}

i64 sys_rt_sigsuspend(const u64 *arg)
{
	u64 mask;

	if (arg[1] != SET_SIZE)
		return -EINVAL;
	if (copy_from_user(&mask, arg[0], sizeof(mask)) < 0)
		return -EFAULT;
	signal_mask_temporarily(mask);
	return wait_for_handler();
}

/* Ends rt_sigtimedwait with the signal that was taken. */
static i64 accept(u64 address, const struct siginfo *info)
{
	signal_set_waited(current, 0);
	if (address != 0 && copy_to_user(address, info, sizeof(*info)) < 0)
		return -EFAULT;
	return info->number;
}

i64 sys_rt_sigtimedwait(const u64 *arg)
{
	u64 set, timeout = NEVER;
	struct siginfo info;
	i64 result;

	if (arg[3] != SET_SIZE)
		return -EINVAL;
	if (copy_from_user(&set, arg[0], sizeof(set)) < 0)
		return -EFAULT;
	if (arg[2] != 0) {
		result = time_read_spec(arg[2], &timeout);
		if (result < 0)
			return result;
	}
	set &= ~SIGNALS_ABSOLUTE;
	if (signal_take(current, set, SHARE_ALL, &info))
		return accept(arg[1], &info);
	result = wait_block(timeout == NEVER ? NEVER : wait_deadline(timeout));
	if (result == CALL_BLOCKED) {
		current->signals_waited = set;
		return result;
	}
	signal_set_waited(current, 0);
	return result == CALL_RESTART ? -EINTR : -EAGAIN;
}
