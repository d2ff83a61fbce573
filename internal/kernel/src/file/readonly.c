/* The calls that would change something about files: all is read-only, or not there. */
#include <asm/errno.h>
#include <linux/fcntl.h>

#include "file/path.h"
#include "file/syscalls.h"

/* For calls that make something new at a path. */
static i64 refuse_new(u64 directory, u64 address)
{
	struct path path;
	int error = path_find(directory, address, &path);

	if (error < 0)
		return error;
	if (path.kind != PATH_MISSING)
		return -EEXIST;
	return path.in_directory ? -EROFS : -ENOENT;
}

/* For calls that change or remove what is at a path. */
static i64 refuse_change(u64 directory, u64 address)
{
	struct path path;
	int error = path_find(directory, address, &path);

	if (error < 0)
		return error;
	return path.kind == PATH_MISSING ? -ENOENT : -EROFS;
}

static i64 refuse_link(u64 from_directory, u64 from, u64 to_directory, u64 to)
{
	i64 error = refuse_change(from_directory, from);

	return error == -EROFS ? refuse_new(to_directory, to) : error;
}

#define HERE ((u64)AT_FDCWD)

i64 sys_mkdir(const u64 *arg) { return refuse_new(HERE, arg[0]); }
i64 sys_mkdirat(const u64 *arg) { return refuse_new(arg[0], arg[1]); }
i64 sys_mknod(const u64 *arg) { return refuse_new(HERE, arg[0]); }
i64 sys_mknodat(const u64 *arg) { return refuse_new(arg[0], arg[1]); }
i64 sys_symlink(const u64 *arg) { return refuse_new(HERE, arg[1]); }
i64 sys_symlinkat(const u64 *arg) { return refuse_new(arg[1], arg[2]); }
i64 sys_link(const u64 *arg) { return refuse_link(HERE, arg[0], HERE, arg[1]); }
i64 sys_linkat(const u64 *arg) { return refuse_link(arg[0], arg[1], arg[2], arg[3]); }
i64 sys_rmdir(const u64 *arg) { return refuse_change(HERE, arg[0]); }
i64 sys_unlink(const u64 *arg) { return refuse_change(HERE, arg[0]); }
i64 sys_unlinkat(const u64 *arg) { return refuse_change(arg[0], arg[1]); }
i64 sys_rename(const u64 *arg) { return refuse_change(HERE, arg[0]); }
i64 sys_renameat(const u64 *arg) { return refuse_change(arg[0], arg[1]); }
i64 sys_renameat2(const u64 *arg) { return refuse_change(arg[0], arg[1]); }

/* chmod, chown, lchown, truncate, utime, utimes; fchmodat, fchownat, utimensat, futimesat; fchmod, fchown */
i64 sys_change_path(const u64 *arg) { return refuse_change(HERE, arg[0]); }
i64 sys_change_path_at(const u64 *arg) { return refuse_change(arg[0], arg[1]); }
i64 sys_change_open(const u64 *arg) { return file_get(arg[0]) == NULL ? -EBADF : -EROFS; }

/* fsync(2): for pipes and special files there is nothing to write anywhere. */
i64 sys_fsync(const u64 *arg) { return file_get(arg[0]) == NULL ? -EBADF : -EINVAL; }
i64 sys_fdatasync(const u64 *arg) { return sys_fsync(arg); }
i64 sys_syncfs(const u64 *arg) { return file_get(arg[0]) == NULL ? -EBADF : 0; }

/* Only regular files that are open for writing have a length to set. */
i64 sys_ftruncate(const u64 *arg) { return file_get(arg[0]) == NULL ? -EBADF : -EINVAL; }

i64 sys_fallocate(const u64 *arg)
{
	const struct file *file = file_get(arg[0]);

	if (file == NULL)
		return -EBADF;
	return file->operations->size == NULL ? -ESPIPE : -ENODEV;
}
