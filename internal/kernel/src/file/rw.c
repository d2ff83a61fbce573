/*
 * Reading and writing: read(2), readv(2), pread(2), lseek(2) and the calls
 * like them. All waiting for files is here; operations only say -EAGAIN.
 */
#include "file/rw.h"

#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "file/file.h"
#include "file/syscalls.h"
#include "file/transfer.h"
#include "signal/signal.h"

typedef i64 file_move(struct file *file, struct transfer *transfer);

/* Where a stream's data goes is no position: pread(2) and lseek(2) have no meaning for it. */
static bool has_positions(const struct file *file) { return file->operations->size != NULL; }

i64 file_again(struct file *file, u32 how)
{
	return (file->flags & O_NONBLOCK) || (how & MOVE_NO_WAIT) ? -EAGAIN : file_wait(file, NEVER);
}

/*
 * Moves once, or until everything is moved. What earlier runs of the call have
 * moved is in call.progress, and is the result if the rest fails.
 */
static i64 move_on(struct file *file, struct transfer *transfer, file_move *move, bool all, u32 how)
{
	u64 *progress = &current->call.progress;
	i64 result;

	if (transfer_skip(transfer, *progress) < 0)
		return (i64)*progress;
	do {
		result = move(file, transfer);
		if (result > 0)
			*progress += (u64)result;
	} while (result > 0 && transfer->left > 0 && all);
	if (result == -EPIPE && !(how & MOVE_NO_SIGNAL))
		signal_raise(current, SIGPIPE);
	if (result == -EAGAIN)
		result = file_again(file, how);
	return result == CALL_BLOCKED || *progress == 0 ? result : (i64)*progress;
}

i64 file_read(struct file *file, struct transfer *transfer, u32 how)
{
	if ((file->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (file->operations->read == NULL)
		return -EINVAL;
	return move_on(file, transfer, file->operations->read, how & MOVE_ALL, how);
}

i64 file_write(struct file *file, struct transfer *transfer, u32 how)
{
	if ((file->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (file->operations->write == NULL)
		return -EINVAL;
	return move_on(file, transfer, file->operations->write, file->operations->write_all, how);
}

static i64 read_now(struct file *file, struct transfer *transfer) { return file_read(file, transfer, 0); }
static i64 write_now(struct file *file, struct transfer *transfer) { return file_write(file, transfer, 0); }

/* At the file's own position, which moves on. */
static i64 move_stream(struct file *file, struct transfer *transfer, file_move *move)
{
	i64 result;

	transfer->position = file->position;
	result = move(file, transfer);
	if (result > 0 && has_positions(file))
		file->position += (u64)result;
	return result;
}

/* Another thread may have closed the descriptor while a write waited: what was written still counts. */
static i64 not_open(void) { return current->call.progress > 0 ? (i64)current->call.progress : -EBADF; }

static i64 move_buffer(const u64 *arg, file_move *move)
{
	struct file *file = file_get(arg[0]);
	struct transfer transfer;

	if (file == NULL)
		return not_open();
	if (transfer_buffer(&transfer, arg[1], arg[2]) < 0)
		return -EINVAL;
	return move_stream(file, &transfer, move);
}

static i64 move_vector(const u64 *arg, file_move *move)
{
	struct file *file = file_get(arg[0]);
	struct transfer transfer;
	int error;

	if (file == NULL)
		return not_open();
	error = transfer_vector(&transfer, arg[1], arg[2]);
	return error < 0 ? error : move_stream(file, &transfer, move);
}

static i64 move_at(const u64 *arg, struct transfer *transfer, file_move *move)
{
	struct file *file = file_get(arg[0]);

	if ((i64)arg[3] < 0)
		return -EINVAL;
	if (file == NULL)
		return -EBADF;
	if (!has_positions(file))
		return -ESPIPE;
	transfer->position = arg[3];
	return move(file, transfer);
}

static i64 move_buffer_at(const u64 *arg, file_move *move)
{
	struct transfer transfer;

	if (transfer_buffer(&transfer, arg[1], arg[2]) < 0)
		return -EINVAL;
	return move_at(arg, &transfer, move);
}

static i64 move_vector_at(const u64 *arg, file_move *move)
{
	struct transfer transfer;
	int error = transfer_vector(&transfer, arg[1], arg[2]);

	return error < 0 ? error : move_at(arg, &transfer, move);
}

i64 sys_read(const u64 *arg) { return move_buffer(arg, read_now); }
i64 sys_write(const u64 *arg) { return move_buffer(arg, write_now); }
i64 sys_readv(const u64 *arg) { return move_vector(arg, read_now); }
i64 sys_writev(const u64 *arg) { return move_vector(arg, write_now); }
i64 sys_pread64(const u64 *arg) { return move_buffer_at(arg, read_now); }
i64 sys_pwrite64(const u64 *arg) { return move_buffer_at(arg, write_now); }
i64 sys_preadv(const u64 *arg) { return move_vector_at(arg, read_now); }
i64 sys_pwritev(const u64 *arg) { return move_vector_at(arg, write_now); }

i64 sys_lseek(const u64 *arg)
{
	struct file *file = file_get(arg[0]);
	i64 base, position;

	if (file == NULL)
		return -EBADF;
	if (!has_positions(file))
		return -ESPIPE;
	switch ((u32)arg[2]) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = (i64)file->position;
		break;
	case SEEK_END:
		base = (i64)file->operations->size(file);
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, (i64)arg[1], &position))
		return -EOVERFLOW;
	if (position < 0)
		return -EINVAL;
	file->position = (u64)position;
	return position;
}
