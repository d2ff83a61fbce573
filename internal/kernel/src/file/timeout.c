#include "file/timeout.h"

#include <asm/errno.h>

#include "mm/user.h"
#include "sched/clock.h"
#include "signal/signal.h"
#include "sys/timespec.h"

i64 timeout_from_timespec(u64 address, u64 *timeout)
{
	struct __kernel_timespec time;

	*timeout = NEVER;
	if (address == 0)
		return 0;
	if (copy_from_user(&time, address, sizeof(time)) < 0)
		return -EFAULT;
	if (!timespec_valid(&time))
		return -EINVAL;
	*timeout = timespec_to_ns(&time);
	return 0;
}

u64 timeout_remaining(u64 timeout)
{
	u64 deadline = wait_deadline(timeout), now = clock_monotonic();

	return deadline > now ? deadline - now : 0;
}

void timeout_write_back(u64 address, u64 timeout)
{
	struct __kernel_timespec time;

	if (address == 0 || timeout == 0 || timeout == NEVER)
		return;
	time = timespec_from_ns(timeout_remaining(timeout));
	copy_to_user(address, &time, sizeof(time)); /* read-only memory is no error here */
}

i64 timeout_mask(u64 address, u64 size)
{
	u64 mask;

	if (address == 0)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(&mask, address, sizeof(mask)) < 0)
		return -EFAULT;
	signal_mask_temporarily(mask);
	return 0;
}

i64 timeout_result(i64 result)
{
	switch (result) {
	case -ETIMEDOUT:
		return 0;
	case CALL_RESTART:
		return -EINTR;
	default:
		return result;
	}
}

i64 timeout_give_up(void)
{
	wait_end(current);
	return -ENOMEM;
}
