/* Event counters: see eventfd(2). */
#include <asm/errno.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>

#include "file/file.h"
#include "file/syscalls.h"
#include "file/transfer.h"
#include "mm/slab.h"

/* <linux/eventfd.h> came with Linux 6.7. */
#define EFD_SEMAPHORE 1u
#define EFD_FLAGS (EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)

#define LARGEST (UINT64_MAX - 1) /* that the counter can hold */

struct eventfd {
	struct file file;
	u64 count;
	bool semaphore;
};

static struct eventfd *eventfd_of(struct file *file) { return CONTAINER_OF(file, struct eventfd, file); }

static i64 eventfd_read(struct file *file, struct transfer *transfer)
{
	struct eventfd *event = eventfd_of(file);
	u64 value = event->semaphore ? 1 : event->count;

	if (transfer->left < sizeof(value))
		return -EINVAL;
	if (event->count == 0)
		return -EAGAIN;
	if (transfer_to_program(transfer, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	event->count -= value;
	waitqueue_wake(&file->queue);
	return sizeof(value);
}

static i64 eventfd_write(struct file *file, struct transfer *transfer)
{
	struct eventfd *event = eventfd_of(file);
	u64 value;

	if (transfer->left < sizeof(value))
		return -EINVAL;
	if (transfer_from_program(transfer, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	if (value > LARGEST - event->count)
		return -EAGAIN;
	event->count += value;
	waitqueue_wake(&file->queue);
	return sizeof(value);
}

static u32 eventfd_poll(struct file *file)
{
	const struct eventfd *event = eventfd_of(file);

	return (event->count > 0 ? EPOLLIN : 0) | (event->count < LARGEST ? EPOLLOUT : 0);
}

static void eventfd_release(struct file *file) { slab_free(eventfd_of(file), sizeof(struct eventfd)); }

static const struct file_operations eventfd_operations = {
	.name = "anon_inode:[eventfd]",
	.mode = 0600,
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
};

static i64 make_eventfd(u32 count, u32 flags)
{
	struct eventfd *event;

	if ((flags & ~EFD_FLAGS) != 0)
		return -EINVAL;
	event = slab_alloc(sizeof(*event));
	if (event == NULL)
		return -ENOMEM;
	file_init(&event->file, &eventfd_operations, O_RDWR | (flags & O_NONBLOCK));
	event->count = count;
	event->semaphore = flags & EFD_SEMAPHORE;
	return file_publish(&event->file, flags & O_CLOEXEC);
}

i64 sys_eventfd(const u64 *arg) { return make_eventfd((u32)arg[0], 0); }
i64 sys_eventfd2(const u64 *arg) { return make_eventfd((u32)arg[0], (u32)arg[1]); }
