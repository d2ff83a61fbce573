/* Pipes (pipe(7)). */
#include "file/pipe.h"

#include <asm/errno.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/stat.h>

#include "file/file.h"
#include "file/ring.h"
#include "file/syscalls.h"
#include "file/transfer.h"
#include "mm/slab.h"
#include "mm/user.h"

struct pipe {
	struct file reader, writer; /* the two ends */
	bool reader_open, writer_open;
	struct ring ring;
};

static struct pipe *pipe_of_reader(struct file *file) { return CONTAINER_OF(file, struct pipe, reader); }
static struct pipe *pipe_of_writer(struct file *file) { return CONTAINER_OF(file, struct pipe, writer); }

static i64 pipe_read(struct file *file, struct transfer *transfer)
{
	struct pipe *pipe = pipe_of_reader(file);
	i64 moved;

	if (transfer->left == 0)
		return 0;
	if (ring_used(&pipe->ring) == 0)
		return pipe->writer_open ? -EAGAIN : 0;
	moved = ring_read(&pipe->ring, transfer);
	if (moved > 0 && pipe->writer_open)
		waitqueue_wake(&pipe->writer.queue);
	return moved;
}

static i64 pipe_write(struct file *file, struct transfer *transfer)
{
	struct pipe *pipe = pipe_of_writer(file);
	i64 moved;

	if (transfer->left == 0)
		return 0;
	if (!pipe->reader_open)
		return -EPIPE;
	/*
	 * Up to PIPE_BUF bytes go in one piece or not at all. Larger writes could
	 * use any room, but would then go back and forth with a reader of single
	 * bytes, and fail with EAGAIN while poll calls the pipe full.
	 */
	if (ring_room(&pipe->ring) < MIN(transfer->left, PIPE_BUF))
		return -EAGAIN;
	moved = ring_write(&pipe->ring, transfer);
	if (moved > 0)
		waitqueue_wake(&pipe->reader.queue);
	return moved;
}

static u32 poll_reader(struct file *file)
{
	const struct pipe *pipe = pipe_of_reader(file);

	return (ring_used(&pipe->ring) > 0 ? EPOLLIN | EPOLLRDNORM : 0) | (pipe->writer_open ? 0 : EPOLLHUP);
}

/* Writable means that a write of PIPE_BUF bytes would not block. */
static u32 poll_writer(struct file *file)
{
	const struct pipe *pipe = pipe_of_writer(file);

	return (ring_room(&pipe->ring) >= PIPE_BUF ? EPOLLOUT | EPOLLWRNORM : 0) | (pipe->reader_open ? 0 : EPOLLERR);
}

static u32 available(struct file *file) { return ring_used(&pipe_of_reader(file)->ring); }
static u32 available_to_writer(struct file *file) { return ring_used(&pipe_of_writer(file)->ring); }

static void free_if_closed(struct pipe *pipe)
{
	if (pipe->reader_open || pipe->writer_open)
		return;
	ring_clear(&pipe->ring);
	slab_free(pipe, sizeof(*pipe));
}

static void release_reader(struct file *file)
{
	struct pipe *pipe = pipe_of_reader(file);

	pipe->reader_open = false;
	if (pipe->writer_open)
		waitqueue_wake(&pipe->writer.queue);
	free_if_closed(pipe);
}

static void release_writer(struct file *file)
{
	struct pipe *pipe = pipe_of_writer(file);

	pipe->writer_open = false;
	if (pipe->reader_open)
		waitqueue_wake(&pipe->reader.queue);
	free_if_closed(pipe);
}

static const struct file_operations reader_operations = {
	.name = "pipe:",
	.mode = S_IFIFO | 0600,
	.read = pipe_read,
	.poll = poll_reader,
	.available = available,
	.release = release_reader,
};

static const struct file_operations writer_operations = {
	.name = "pipe:",
	.mode = S_IFIFO | 0600,
	.write_all = true,
	.write = pipe_write,
	.poll = poll_writer,
	.available = available_to_writer,
	.release = release_writer,
};

i64 pipe_capacity(const struct file *file)
{
	return file->operations == &reader_operations || file->operations == &writer_operations ? (i64)RING_CAPACITY
	                                                                                        : -EBADF;
}

static i64 make_pipe(u64 address, u32 flags)
{
	bool close_on_exec = flags & O_CLOEXEC;
	i32 descriptors[2];
	struct pipe *pipe;

	/* O_DIRECT, the packet mode, is not there: Linux without it answers so as well. */
	if ((flags & ~(u32)(O_CLOEXEC | O_NONBLOCK)) != 0)
		return -EINVAL;
	if (!user_writable(address, sizeof(descriptors)))
		return -EFAULT;
	pipe = slab_alloc(sizeof(*pipe));
	if (pipe == NULL)
		return -ENOMEM;
	file_init(&pipe->reader, &reader_operations, O_RDONLY | (flags & O_NONBLOCK));
	file_init(&pipe->writer, &writer_operations, O_WRONLY | (flags & O_NONBLOCK));
	pipe->writer.inode = pipe->reader.inode; /* one object with two ends */
	pipe->reader_open = pipe->writer_open = true;
	descriptors[0] = (i32)file_publish(&pipe->reader, close_on_exec);
	if (descriptors[0] < 0) {
		file_release(&pipe->writer);
		return descriptors[0];
	}
	descriptors[1] = (i32)file_publish(&pipe->writer, close_on_exec);
	if (descriptors[1] < 0) {
		file_close((u32)descriptors[0]);
		return descriptors[1];
	}
	return copy_to_user(address, descriptors, sizeof(descriptors));
}

i64 sys_pipe(const u64 *arg) { return make_pipe(arg[0], 0); }
i64 sys_pipe2(const u64 *arg) { return make_pipe(arg[0], (u32)arg[1]); }
