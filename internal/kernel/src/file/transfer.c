#include "file/transfer.h"

#include <asm/errno.h>
#include <linux/uio.h>

#include "lib/string.h"
#include "mm/user.h"

/* The most that one call moves: INT_MAX rounded down to a page, see read(2), NOTES. */
#define LARGEST_TRANSFER 0x7ffff000ull

int transfer_buffer(struct transfer *transfer, u64 address, u64 size)
{
	if ((i64)size < 0)
		return -EINVAL;
	size = MIN(size, LARGEST_TRANSFER);
	*transfer = (struct transfer){.address = address, .size = size, .left = size};
	return 0;
}

int transfer_vector(struct transfer *transfer, u64 vector, u64 count)
{
	*transfer = (struct transfer){.vector = vector, .pieces = count};
	if (count > UIO_MAXIOV)
		return -EINVAL;
	if (count > 0 && !user_readable(vector, count * sizeof(struct iovec)))
		return -EFAULT;
	for (u64 i = 0; i < count; i++) {
		struct iovec piece;

		memcpy(&piece, (const void *)(vector + i * sizeof(piece)), sizeof(piece));
		if ((i64)piece.iov_len < 0)
			return -EINVAL;
		transfer->left += MIN(piece.iov_len, LARGEST_TRANSFER - transfer->left);
	}
	return 0;
}

/*
 * Goes on to the next buffer that isn't empty. The iovecs are read again here:
 * a transfer into the program may have overwritten them, but every buffer is
 * checked when it is used, and left bounds the whole.
 */
static int next_piece(struct transfer *transfer)
{
	while (transfer->size == 0) {
		struct iovec piece;

		if (transfer->pieces == 0 || copy_from_user(&piece, transfer->vector, sizeof(piece)) < 0)
			return -EFAULT;
		transfer->vector += sizeof(piece);
		transfer->pieces--;
		transfer->address = (u64)piece.iov_base;
		transfer->size = MIN(piece.iov_len, transfer->left);
	}
	return 0;
}

static void advance(struct transfer *transfer, u64 size)
{
	transfer->address += size;
	transfer->size -= size;
	transfer->left -= size;
}

int transfer_skip(struct transfer *transfer, u64 size)
{
	while (size > 0) {
		u64 part;

		if (next_piece(transfer) < 0)
			return -EFAULT;
		part = MIN(size, transfer->size);
		advance(transfer, part);
		size -= part;
	}
	return 0;
}

/* How many of size bytes are in one piece of good memory; 0 if the next byte is not. */
static u64 accessible(struct transfer *transfer, u64 size, bool (*check)(u64 address, u64 size))
{
	u64 in_page;

	if (next_piece(transfer) < 0)
		return 0;
	size = MIN(size, transfer->size);
	if (check(transfer->address, size))
		return size;
	/* What lies before the first bad page still moves. */
	in_page = page_down(transfer->address) + PAGE_SIZE - transfer->address;
	return in_page < size && check(transfer->address, in_page) ? in_page : 0;
}

i64 transfer_to_program(struct transfer *transfer, const void *from, u64 size)
{
	u64 moved = 0;

	size = MIN(size, transfer->left);
	while (moved < size) {
		u64 part = accessible(transfer, size - moved, user_writable);

		if (part == 0)
			return moved > 0 ? (i64)moved : -EFAULT;
		memcpy((void *)transfer->address, (const u8 *)from + moved, part);
		advance(transfer, part);
		moved += part;
	}
	return (i64)moved;
}

i64 transfer_from_program(struct transfer *transfer, void *to, u64 size)
{
	u64 moved = 0;

	size = MIN(size, transfer->left);
	while (moved < size) {
		u64 part = accessible(transfer, size - moved, user_readable);

		if (part == 0)
			return moved > 0 ? (i64)moved : -EFAULT;
		memcpy((u8 *)to + moved, (const void *)transfer->address, part);
		advance(transfer, part);
		moved += part;
	}
	return (i64)moved;
}
