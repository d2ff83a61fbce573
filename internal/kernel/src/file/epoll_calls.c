/* The system calls of epoll(7). */
#include <asm/errno.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>

#include "file/epoll.h"
#include "file/syscalls.h"
#include "file/timeout.h"
#include "mm/user.h"

/* What goes with EPOLLEXCLUSIVE; nothing else does (epoll_ctl(2)). */
#define EXCLUSIVE_EVENTS (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

static i64 create(u32 flags)
{
	struct epoll_set *set;

	if ((flags & ~(u32)EPOLL_CLOEXEC) != 0)
		return -EINVAL;
	set = epoll_make();
	return set == NULL ? -ENOMEM : file_publish(&set->file, flags & EPOLL_CLOEXEC);
}

i64 sys_epoll_create(const u64 *arg) { return (i32)arg[0] <= 0 ? -EINVAL : create(0); }
i64 sys_epoll_create1(const u64 *arg) { return create((u32)arg[0]); }

i64 sys_epoll_ctl(const u64 *arg)
{
	struct file *file = file_get(arg[0]), *target = file_get(arg[2]);
	u32 operation = (u32)arg[1], descriptor = (u32)arg[2];
	struct epoll_event event = {0};
	struct epoll_set *set;

	if (operation != EPOLL_CTL_DEL && copy_from_user(&event, arg[3], sizeof(event)) < 0)
		return -EFAULT;
	if (file == NULL || target == NULL)
		return -EBADF;
	if (target->operations->poll == NULL)
		return -EPERM;
	set = epoll_set_of(file);
	if (set == NULL || file == target)
		return -EINVAL;
	if ((event.events & EPOLLEXCLUSIVE) &&
	    ((event.events & ~EXCLUSIVE_EVENTS) != 0 || operation != EPOLL_CTL_ADD || epoll_set_of(target) != NULL))
		return -EINVAL;
	switch (operation) {
	case EPOLL_CTL_ADD:
		return epoll_add(set, target, descriptor, event.events, event.data);
	case EPOLL_CTL_MOD:
		return epoll_modify(set, target, descriptor, event.events, event.data);
	case EPOLL_CTL_DEL:
		return epoll_remove(set, target, descriptor);
	default:
		return -EINVAL;
	}
}

static i64 wait_for_events(const u64 *arg, u64 timeout)
{
	struct file *file = file_get(arg[0]);
	i32 most = (i32)arg[2];
	struct epoll_set *set;
	i64 result;

	if (most <= 0 || (u32)most > INT32_MAX / sizeof(struct epoll_event))
		return -EINVAL;
	if (file == NULL)
		return -EBADF;
	set = epoll_set_of(file);
	if (set == NULL)
		return -EINVAL;
	result = epoll_collect(set, arg[1], (u32)most);
	if (result != 0 || timeout == 0) /* unlike poll(2), it then doesn't look for signals */
		return result;
	return timeout_result(file_wait(file, wait_deadline(timeout)));
}

i64 sys_epoll_wait(const u64 *arg) { return wait_for_events(arg, timeout_from_ms((i32)arg[3])); }

i64 sys_epoll_pwait(const u64 *arg)
{
	i64 error = timeout_mask(arg[4], arg[5]);

	return error < 0 ? error : wait_for_events(arg, timeout_from_ms((i32)arg[3]));
}

i64 sys_epoll_pwait2(const u64 *arg)
{
	u64 timeout;
	i64 error = timeout_from_timespec(arg[3], &timeout);

	if (error == 0)
		error = timeout_mask(arg[4], arg[5]);
	return error < 0 ? error : wait_for_events(arg, timeout);
}
