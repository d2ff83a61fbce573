/*
 * Pipes (pipe(7)). What is in a pipe lies in pages that it takes from the pool
 * when bytes come and gives back when they have been read, so that an empty
 * pipe costs next to nothing.
 */
#include "file/pipe.h"

#include <asm/errno.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/stat.h>

#include "file/file.h"
#include "file/syscalls.h"
#include "file/transfer.h"
#include "mm/pool.h"
#include "mm/slab.h"
#include "mm/user.h"

#define PAGES 16u
#define CAPACITY (PAGES * (u32)PAGE_SIZE)

struct pipe {
	struct file reader, writer; /* the two ends */
	bool reader_open, writer_open;
	u32 head, tail;   /* bytes ever read and ever written, modulo 2^32 */
	u8 *pages[PAGES]; /* a ring of CAPACITY bytes; NULL where nothing is */
};

static struct pipe *pipe_of_reader(struct file *file) { return CONTAINER_OF(file, struct pipe, reader); }
static struct pipe *pipe_of_writer(struct file *file) { return CONTAINER_OF(file, struct pipe, writer); }

static u32 used(const struct pipe *pipe) { return pipe->tail - pipe->head; }
static u32 room(const struct pipe *pipe) { return CAPACITY - used(pipe); }

/* The page that a byte is in, and where in it. */
static u8 **page_of(struct pipe *pipe, u32 at) { return &pipe->pages[at / PAGE_SIZE % PAGES]; }
static u32 offset_of(u32 at) { return at % PAGE_SIZE; }

static void free_page(u8 **page)
{
	if (*page != NULL)
		pool_give(&kernel_pool, *page);
	*page = NULL;
}

/* The reader has moved on by size bytes, all within one page. */
static void consume(struct pipe *pipe, u32 size)
{
	u8 **page = page_of(pipe, pipe->head);

	pipe->head += size;
	if (used(pipe) == 0) {
		free_page(page);
		pipe->head = pipe->tail = 0;
	} else if (offset_of(pipe->head) == 0 && used(pipe) <= CAPACITY - PAGE_SIZE) {
		free_page(page); /* else the writer is in it again already */
	}
}

static i64 pipe_read(struct file *file, struct transfer *transfer)
{
	struct pipe *pipe = pipe_of_reader(file);
	i64 moved = 0, result = 0;

	if (transfer->left == 0)
		return 0;
	if (used(pipe) == 0)
		return pipe->writer_open ? -EAGAIN : 0;
	while (transfer->left > 0 && used(pipe) > 0) {
		u32 offset = offset_of(pipe->head);
		u32 size = MIN((u32)PAGE_SIZE - offset, used(pipe));

		result = transfer_to_program(transfer, *page_of(pipe, pipe->head) + offset, size);
		if (result < 0)
			break;
		consume(pipe, (u32)result);
		moved += result;
	}
	if (moved > 0 && pipe->writer_open)
		waitqueue_wake(&pipe->writer.queue);
	return moved > 0 ? moved : result;
}

static i64 pipe_write(struct file *file, struct transfer *transfer)
{
	struct pipe *pipe = pipe_of_writer(file);
	i64 moved = 0, result = 0;

	if (transfer->left == 0)
		return 0;
	if (!pipe->reader_open)
		return -EPIPE;
	/*
	 * Up to PIPE_BUF bytes go in one piece or not at all. Larger writes could
	 * use any room, but would then go back and forth with a reader of single
	 * bytes, and fail with EAGAIN while poll calls the pipe full.
	 */
	if (room(pipe) < MIN(transfer->left, PIPE_BUF))
		return -EAGAIN;
	while (transfer->left > 0 && room(pipe) > 0) {
		u8 **page = page_of(pipe, pipe->tail);
		u32 offset = offset_of(pipe->tail);
		u32 size = MIN((u32)PAGE_SIZE - offset, room(pipe));

		if (*page == NULL)
			*page = pool_take_dirty(&kernel_pool);
		result = *page == NULL ? -ENOMEM : transfer_from_program(transfer, *page + offset, size);
		if (result < 0)
			break;
		pipe->tail += (u32)result;
		moved += result;
	}
	if (moved > 0)
		waitqueue_wake(&pipe->reader.queue);
	return moved > 0 ? moved : result;
}

static u32 poll_reader(struct file *file)
{
	const struct pipe *pipe = pipe_of_reader(file);

	return (used(pipe) > 0 ? EPOLLIN | EPOLLRDNORM : 0) | (pipe->writer_open ? 0 : EPOLLHUP);
}

/* Writable means that a write of PIPE_BUF bytes would not block. */
static u32 poll_writer(struct file *file)
{
	const struct pipe *pipe = pipe_of_writer(file);

	return (room(pipe) >= PIPE_BUF ? EPOLLOUT | EPOLLWRNORM : 0) | (pipe->reader_open ? 0 : EPOLLERR);
}

static u32 available(struct file *file) { return used(pipe_of_reader(file)); }
static u32 available_to_writer(struct file *file) { return used(pipe_of_writer(file)); }

static void free_if_closed(struct pipe *pipe)
{
	if (pipe->reader_open || pipe->writer_open)
		return;
	for (u32 i = 0; i < PAGES; i++)
		free_page(&pipe->pages[i]);
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
	return file->operations == &reader_operations || file->operations == &writer_operations ? (i64)CAPACITY
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
