/* stat(2), statx(2). */
#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "file/path.h"
#include "file/syscalls.h"
#include "lib/string.h"
#include "mm/user.h"

#define DEVICE_NUMBER 1u /* st_dev: there is one file system */
#define DIRECTORY_INODE 1u
#define LINK_INODE 2u

struct attributes {
	u32 mode, inode, device, links;
	u64 size;
};

static struct attributes attributes_of_directory(void)
{
	return (struct attributes){.mode = S_IFDIR | 0555, .inode = DIRECTORY_INODE, .links = 2};
}

static struct attributes attributes_of_file(const struct file *file)
{
	return (struct attributes){
		.mode = file->operations->mode,
		.inode = file->inode,
		.device = file->operations->device,
		.links = 1,
	};
}

static struct attributes attributes_of_pseudo(const struct pseudo *pseudo)
{
	return (struct attributes){
		.mode = pseudo->operations->mode,
		.inode = pseudo_inode(pseudo),
		.device = pseudo->operations->device,
		.links = 1,
	};
}

static struct attributes attributes_of_link(u64 size)
{
	return (struct attributes){.mode = S_IFLNK | 0777, .inode = LINK_INODE, .links = 1, .size = size};
}

static i64 examine_path(u64 directory, u64 address, bool follow, struct attributes *attributes)
{
	struct path path;
	int error = path_find(directory, address, &path);

	if (error < 0)
		return error;
	switch (path.kind) {
	case PATH_DIRECTORY:
		*attributes = attributes_of_directory();
		return 0;
	case PATH_PSEUDO:
		*attributes = attributes_of_pseudo(path.pseudo);
		return 0;
	case PATH_DESCRIPTOR:
		*attributes = follow ? attributes_of_file(path.file) : attributes_of_link(64);
		return 0;
	case PATH_EXECUTABLE:
		*attributes = attributes_of_link(strlen(PSEUDO_EXECUTABLE));
		return follow ? -ENOENT : 0;
	default:
		return -ENOENT;
	}
}

static i64 examine_open(u64 descriptor, struct attributes *attributes)
{
	const struct file *file = file_get(descriptor);

	if (file == NULL)
		return -EBADF;
	*attributes = attributes_of_file(file);
	return 0;
}

static i64 examine(u64 directory, u64 address, u32 flags, struct attributes *attributes)
{
	if (!(flags & AT_EMPTY_PATH) || !path_is_empty(address))
		return examine_path(directory, address, !(flags & AT_SYMLINK_NOFOLLOW), attributes);
	if ((i32)directory != AT_FDCWD)
		return examine_open(directory, attributes);
	*attributes = attributes_of_directory();
	return 0;
}

static i64 give_stat(u64 address, const struct attributes *attributes)
{
	const struct stat stat = {
		.st_dev = DEVICE_NUMBER,
		.st_ino = attributes->inode,
		.st_nlink = attributes->links,
		.st_mode = attributes->mode,
		.st_rdev = attributes->device,
		.st_size = (i64)attributes->size,
		.st_blksize = PAGE_SIZE,
	};

	return copy_to_user(address, &stat, sizeof(stat));
}

static i64 stat_path(u64 directory, u64 path, u64 address, u32 flags)
{
	struct attributes attributes;
	i64 error;

	if ((flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)) != 0)
		return -EINVAL;
	error = examine(directory, path, flags, &attributes);
	return error < 0 ? error : give_stat(address, &attributes);
}

i64 sys_stat(const u64 *arg) { return stat_path((u64)AT_FDCWD, arg[0], arg[1], 0); }
i64 sys_lstat(const u64 *arg) { return stat_path((u64)AT_FDCWD, arg[0], arg[1], AT_SYMLINK_NOFOLLOW); }
i64 sys_newfstatat(const u64 *arg) { return stat_path(arg[0], arg[1], arg[2], (u32)arg[3]); }

i64 sys_fstat(const u64 *arg)
{
	struct attributes attributes;
	i64 error = examine_open(arg[0], &attributes);

	return error < 0 ? error : give_stat(arg[1], &attributes);
}

i64 sys_statx(const u64 *arg)
{
	const u32 known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
	u32 flags = (u32)arg[2];
	struct attributes attributes;
	struct statx statx;
	i64 error;

	if ((flags & ~known) != 0 || ((u32)arg[3] & STATX__RESERVED) != 0)
		return -EINVAL;
	error = examine(arg[0], arg[1], flags, &attributes);
	if (error < 0)
		return error;
	statx = (struct statx){
		.stx_mask = STATX_BASIC_STATS,
		.stx_blksize = PAGE_SIZE,
		.stx_nlink = attributes.links,
		.stx_mode = (u16)attributes.mode,
		.stx_ino = attributes.inode,
		.stx_size = attributes.size,
		.stx_rdev_major = attributes.device >> 8,
		.stx_rdev_minor = attributes.device & 0xff,
		.stx_dev_minor = DEVICE_NUMBER,
	};
	return copy_to_user(arg[4], &statx, sizeof(statx));
}
