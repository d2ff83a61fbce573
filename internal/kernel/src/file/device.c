/* The devices of null(4), full(4) and random(4). */
#include <asm/errno.h>
#include <linux/stat.h>

#include "file/pseudo.h"
#include "sys/random.h"

#define DEVICE(major, minor) ((major) << 8 | (minor))
#define MODE (S_IFCHR | 0666)

/* The most that one read of /dev/random gives (random(4)). */
#define LARGEST_RANDOM (32ull << 20)

static i64 read_nothing(struct file *file, struct transfer *transfer)
{
	(void)file;
	(void)transfer;
	return 0;
}

static i64 write_anything(struct file *file, struct transfer *transfer)
{
	(void)file;
	return (i64)transfer->left;
}

static i64 write_full(struct file *file, struct transfer *transfer)
{
	(void)file;
	(void)transfer;
	return -ENOSPC;
}

static i64 read_zeros(struct file *file, struct transfer *transfer)
{
	static const u8 zeros[512];
	i64 moved = 0, result = 0;

	(void)file;
	while (transfer->left > 0) {
		result = transfer_to_program(transfer, zeros, sizeof(zeros));
		if (result < 0)
			break;
		moved += result;
	}
	return moved > 0 ? moved : result;
}

static i64 read_random(struct file *file, struct transfer *transfer)
{
	u8 bytes[512];
	i64 moved = 0, result = 0;

	(void)file;
	while (transfer->left > 0 && (u64)moved < LARGEST_RANDOM) {
		kernel_random(bytes, MIN(transfer->left, sizeof(bytes)));
		result = transfer_to_program(transfer, bytes, sizeof(bytes));
		if (result < 0)
			break;
		moved += result;
	}
	return moved > 0 ? moved : result;
}

static u64 no_size(struct file *file)
{
	(void)file;
	return 0;
}

const struct file_operations null_operations = {
	.mode = MODE,
	.device = DEVICE(1, 3),
	.read = read_nothing,
	.write = write_anything,
	.size = no_size,
	.release = pseudo_release,
};

const struct file_operations zero_operations = {
	.mode = MODE,
	.device = DEVICE(1, 5),
	.read = read_zeros,
	.write = write_anything,
	.size = no_size,
	.release = pseudo_release,
};

const struct file_operations full_operations = {
	.mode = MODE,
	.device = DEVICE(1, 7),
	.read = read_zeros,
	.write = write_full,
	.size = no_size,
	.release = pseudo_release,
};

const struct file_operations random_operations = {
	.mode = MODE,
	.device = DEVICE(1, 8),
	.read = read_random,
	.write = write_anything,
	.size = no_size,
	.release = pseudo_release,
};

const struct file_operations urandom_operations = {
	.mode = MODE,
	.device = DEVICE(1, 9),
	.read = read_random,
	.write = write_anything,
	.size = no_size,
	.release = pseudo_release,
};
