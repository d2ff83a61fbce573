/* poll(2) and ppoll(2). */
#include <asm/errno.h>
#include <linux/eventpoll.h>
#include <linux/poll.h>

#include "file/file.h"
#include "file/syscalls.h"
#include "file/timeout.h"
#include "mm/user.h"

/* Fills in revents. The number of entries that have any. */
static i64 scan(struct pollfd *entries, u32 count)
{
	i64 ready = 0;

	for (u32 i = 0; i < count; i++) {
		struct pollfd *entry = &entries[i];
		struct file *file = file_get((u32)entry->fd);
		u32 events = 0;

		if (entry->fd >= 0)
			events = file == NULL ? POLLNVAL : file_poll(file) & ((u16)entry->events | POLLERR | POLLHUP);
		entry->revents = (i16)events;
		ready += events != 0;
	}
	return ready;
}

/* Nothing is ready, so every entry is either negative or open. */
static i64 wait_for(const struct pollfd *entries, u32 count, u64 deadline)
{
	i64 result = wait_block(deadline);

	for (u32 i = 0; i < count && result == CALL_BLOCKED; i++)
		if (entries[i].fd >= 0 && wait_on(&file_get((u32)entries[i].fd)->queue) < 0)
			result = timeout_give_up();
	return timeout_result(result);
}

static i64 poll_entries(u64 address, u64 count, u64 timeout)
{
	struct pollfd *entries = (struct pollfd *)address;
	i64 result;

	if ((u32)count > FILE_LIMIT)
		return -EINVAL;
	if ((u32)count > 0 && !user_writable(address, (u32)count * sizeof(*entries)))
		return -EFAULT;
	result = scan(entries, (u32)count);
	return result > 0 ? result : wait_for(entries, (u32)count, wait_deadline(timeout));
}

i64 sys_poll(const u64 *arg) { return poll_entries(arg[0], arg[1], timeout_from_ms((i32)arg[2])); }

i64 sys_ppoll(const u64 *arg)
{
	u64 timeout;
	i64 result = timeout_from_timespec(arg[2], &timeout);

	if (result == 0)
		result = timeout_mask(arg[3], arg[4]);
	if (result < 0)
		return result;
	result = poll_entries(arg[0], arg[1], timeout);
	if (result != CALL_BLOCKED)
		timeout_write_back(arg[2], timeout);
	return result;
}
