/* The table of descriptors, and the calls that change it: open files themselves know nothing of it. */
#include "file/file.h"

#include <asm/errno.h>
#include <linux/close_range.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/resource.h>

#include "file/epoll.h"
#include "file/pipe.h"
#include "file/syscalls.h"
#include "sys/system.h"

#define WORD_BITS 64u
#define WORDS (FILE_LIMIT / WORD_BITS)

static struct file *table[FILE_LIMIT];
static u64 used[WORDS];          /* a bit for each open descriptor, to find a free one fast */
static u64 close_on_exec[WORDS]; /* there is no exec, but programs ask for what they set */
static u32 inodes;               /* given out so far */

static u64 bit_of(u32 descriptor) { return 1ull << (descriptor % WORD_BITS); }

static void set_bit(u64 *bits, u32 descriptor, bool set)
{
	if (set)
		bits[descriptor / WORD_BITS] |= bit_of(descriptor);
	else
		bits[descriptor / WORD_BITS] &= ~bit_of(descriptor);
}

void file_init(struct file *file, const struct file_operations *operations, u32 flags)
{
	file->operations = operations;
	file->references = 1;
	file->flags = flags;
	file->inode = ++inodes;
	file->position = 0;
	waitqueue_init(&file->queue);
}

void files_init(void)
{
	console_init();
	for (u32 i = 0; i < ARRAY_LENGTH(console_files); i++)
		file_install(&console_files[i], i, false);
}

struct file *file_get(u64 descriptor)
{
	/* Descriptors are ints: Linux looks at the low half of the register only. */
	return (u32)descriptor < FILE_LIMIT ? table[(u32)descriptor] : NULL;
}

static void set(u32 descriptor, struct file *file, bool cloexec)
{
	table[descriptor] = file;
	set_bit(used, descriptor, file != NULL);
	set_bit(close_on_exec, descriptor, cloexec);
}

int file_install(struct file *file, u32 lowest, bool cloexec)
{
	for (u32 word = lowest / WORD_BITS; word < WORDS; word++) {
		u64 free = ~used[word];

		if (word == lowest / WORD_BITS)
			free &= ~0ull << (lowest % WORD_BITS);
		if (free != 0) {
			u32 descriptor = word * WORD_BITS + (u32)__builtin_ctzll(free);

			if (descriptor >= resource_limit(RLIMIT_NOFILE))
				return -EMFILE;
			set(descriptor, file, cloexec);
			return (int)descriptor;
		}
	}
	return -EMFILE;
}

i64 file_publish(struct file *file, bool cloexec)
{
	int descriptor = file_install(file, 0, cloexec);

	if (descriptor < 0)
		file_release(file);
	return descriptor;
}

int file_duplicate(struct file *file, u32 lowest, bool cloexec)
{
	int descriptor = file_install(file, lowest, cloexec);

	if (descriptor >= 0)
		file->references++;
	return descriptor;
}

void file_release(struct file *file)
{
	if (--file->references > 0)
		return;
	/* Those who wait find the descriptor gone when they look again. */
	epoll_forget(file);
	waitqueue_wake(&file->queue);
	if (file->operations->release != NULL)
		file->operations->release(file);
}

int file_close(u64 descriptor)
{
	struct file *file = file_get(descriptor);

	if (file == NULL)
		return -EBADF;
	set((u32)descriptor, NULL, false);
	file_release(file);
	return 0;
}

void file_set_close_on_exec(u64 descriptor, bool on) { set_bit(close_on_exec, (u32)descriptor, on); }

i64 file_wait(struct file *file, u64 deadline)
{
	i64 result = wait_block(deadline);

	if (result == CALL_BLOCKED && wait_on(&file->queue) < 0)
		return -ENOMEM;
	return result;
}

u32 file_poll(struct file *file)
{
	if (file->operations->poll == NULL)
		return EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
	return file->operations->poll(file);
}

i64 sys_close(const u64 *arg) { return file_close(arg[0]); }

/* close_range(2). CLOSE_RANGE_UNSHARE would need a second table. */
i64 sys_close_range(const u64 *arg)
{
	u32 first = (u32)arg[0], last = (u32)arg[1], flags = (u32)arg[2];

	if (first > last || (flags & ~CLOSE_RANGE_CLOEXEC) != 0)
		return -EINVAL;
	for (u32 descriptor = first; descriptor < FILE_LIMIT && descriptor <= last; descriptor++) {
		if (table[descriptor] == NULL)
			continue;
		if (flags & CLOSE_RANGE_CLOEXEC)
			file_set_close_on_exec(descriptor, true);
		else
			file_close(descriptor);
	}
	return 0;
}

i64 sys_dup(const u64 *arg)
{
	struct file *file = file_get(arg[0]);

	return file == NULL ? -EBADF : file_duplicate(file, 0, false);
}

/* Makes target a second descriptor for the file, closing what it was before (dup2(2)). */
static i64 replace(struct file *file, u32 target, bool cloexec)
{
	if (target >= FILE_LIMIT || target >= resource_limit(RLIMIT_NOFILE))
		return -EBADF;
	file->references++;
	file_close(target);
	set(target, file, cloexec);
	return target;
}

i64 sys_dup2(const u64 *arg)
{
	struct file *file = file_get(arg[0]);

	if (file == NULL)
		return -EBADF;
	return (u32)arg[0] == (u32)arg[1] ? (i64)(u32)arg[1] : replace(file, (u32)arg[1], false);
}

i64 sys_dup3(const u64 *arg)
{
	struct file *file = file_get(arg[0]);
	u32 flags = (u32)arg[2];

	if ((flags & ~(u32)O_CLOEXEC) != 0 || (u32)arg[0] == (u32)arg[1])
		return -EINVAL;
	return file == NULL ? -EBADF : replace(file, (u32)arg[1], flags & O_CLOEXEC);
}

static i64 duplicate_above(struct file *file, u64 lowest, bool cloexec)
{
	return lowest >= FILE_LIMIT ? -EINVAL : file_duplicate(file, (u32)lowest, cloexec);
}

i64 sys_fcntl(const u64 *arg)
{
	const u32 changeable = O_APPEND | O_NONBLOCK; /* other flags are ignored, as fcntl(2) says */
	u32 descriptor = (u32)arg[0];
	struct file *file = file_get(descriptor);

	if (file == NULL)
		return -EBADF;
	switch ((u32)arg[1]) {
	case F_DUPFD:
		return duplicate_above(file, arg[2], false);
	case F_DUPFD_CLOEXEC:
		return duplicate_above(file, arg[2], true);
	case F_GETFD:
		return (close_on_exec[descriptor / WORD_BITS] & bit_of(descriptor)) != 0 ? FD_CLOEXEC : 0;
	case F_SETFD:
		file_set_close_on_exec(descriptor, arg[2] & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return file->flags;
	case F_SETFL:
		file->flags = (file->flags & ~changeable) | ((u32)arg[2] & changeable);
		return 0;
	case F_GETPIPE_SZ:
		return pipe_capacity(file);
	default:
		return -EINVAL;
	}
}
