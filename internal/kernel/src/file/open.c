/* open(2), and the calls that ask what is at a path. */
#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "file/path.h"
#include "file/syscalls.h"
#include "lib/string.h"
#include "mm/user.h"
#include "sched/thread.h"

/* Of access(2); <unistd.h> has them, no UAPI header does. */
#define X_OK 1u
#define W_OK 2u
#define R_OK 4u

/* Opening /proc/self/fd/N gives the same open file, not a new one as Linux does for pipes. */
static i64 open_descriptor(struct file *file, u32 flags)
{
	u32 has = file->flags & O_ACCMODE;

	if (has != O_RDWR && has != (flags & O_ACCMODE))
		return -EACCES;
	return file_duplicate(file, 0, flags & O_CLOEXEC);
}

static i64 open_path(u64 directory, u64 address, u32 flags)
{
	struct path path;
	int error = path_find(directory, address, &path);

	if (error < 0)
		return error;
	if (path.kind == PATH_MISSING || path.kind == PATH_EXECUTABLE)
		return (flags & O_CREAT) && path.in_directory ? -EROFS : -ENOENT;
	if (path.kind == PATH_DIRECTORY) /* they are there for stat(2) only */
		return (flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT) ? -EACCES : -EISDIR;
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	if (path.kind == PATH_DESCRIPTOR)
		return flags & O_NOFOLLOW ? -ELOOP : open_descriptor(path.file, flags);
	return pseudo_open(path.pseudo, path.thread, flags);
}

i64 sys_open(const u64 *arg) { return open_path((u64)AT_FDCWD, arg[0], (u32)arg[1]); }
i64 sys_openat(const u64 *arg) { return open_path(arg[0], arg[1], (u32)arg[2]); }
i64 sys_creat(const u64 *arg) { return open_path((u64)AT_FDCWD, arg[0], O_CREAT | O_WRONLY | O_TRUNC); }

/* It has no effect on anything, but programs save and restore it. */
i64 sys_umask(const u64 *arg)
{
	static u32 mask = 022;
	u32 old = mask;

	mask = (u32)arg[0] & 0777;
	return old;
}

/* The working directory is always the root. */
i64 sys_getcwd(const u64 *arg)
{
	if (arg[1] < sizeof("/"))
		return -ERANGE;
	return copy_to_user(arg[0], "/", sizeof("/")) < 0 ? -EFAULT : (i64)sizeof("/");
}

i64 sys_chdir(const u64 *arg)
{
	struct path path;
	int error = path_find((u64)AT_FDCWD, arg[0], &path);

	if (error < 0)
		return error;
	if (path.kind == PATH_MISSING || path.kind == PATH_EXECUTABLE)
		return -ENOENT;
	if (path.kind != PATH_DIRECTORY)
		return -ENOTDIR;
	return strcmp(path.text, "/") == 0 ? 0 : -EACCES;
}

/* No open file is a directory. */
i64 sys_fchdir(const u64 *arg) { return file_get(arg[0]) == NULL ? -EBADF : -ENOTDIR; }
i64 sys_getdents64(const u64 *arg) { return file_get(arg[0]) == NULL ? -EBADF : -ENOTDIR; }

/* As the links in /proc/self/fd show it: a path, "pipe:[7]" or "anon_inode:[eventfd]". */
static void put_file_name(struct text *text, struct file *file)
{
	const char *path = pseudo_path(file);

	text_put(text, path != NULL ? path : file->operations->name);
	if (path == NULL && (file->operations->mode & S_IFMT) != 0) {
		text_put(text, "[");
		text_number(text, file->inode);
		text_put(text, "]");
	}
}

static i64 read_link(u64 directory, u64 address, u64 buffer, i32 size)
{
	struct path path;
	struct transfer transfer;
	struct text text;
	int error;

	if (size <= 0)
		return -EINVAL;
	error = path_find(directory, address, &path);
	if (error < 0)
		return error;
	transfer_buffer(&transfer, buffer, (u32)size);
	text_begin(&text, &transfer, current->id);
	switch (path.kind) {
	case PATH_EXECUTABLE:
		text_put(&text, PSEUDO_EXECUTABLE);
		break;
	case PATH_DESCRIPTOR:
		put_file_name(&text, path.file);
		break;
	case PATH_MISSING:
		return -ENOENT;
	default:
		return -EINVAL;
	}
	return text_end(&text);
}

i64 sys_readlink(const u64 *arg) { return read_link((u64)AT_FDCWD, arg[0], arg[1], (i32)arg[2]); }
i64 sys_readlinkat(const u64 *arg) { return read_link(arg[0], arg[1], arg[2], (i32)arg[3]); }

/* The program is root, so only what nobody could do is refused. */
static i64 check_access(const struct path *path, u32 mode)
{
	switch (path->kind) {
	case PATH_DIRECTORY:
		return mode & W_OK ? -EROFS : 0;
	case PATH_PSEUDO:
		if ((mode & X_OK) || ((mode & W_OK) && path->pseudo->operations->write == NULL))
			return -EACCES;
		return 0;
	case PATH_DESCRIPTOR:
		return mode & X_OK ? -EACCES : 0;
	default:
		return -ENOENT;
	}
}

static i64 access_path(u64 directory, u64 address, u32 mode, u32 flags)
{
	struct path path;
	int error;

	if ((mode & ~(R_OK | W_OK | X_OK)) != 0)
		return -EINVAL;
	if ((flags & ~(u32)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
		return -EINVAL;
	if ((flags & AT_EMPTY_PATH) && path_is_empty(address))
		return (i32)directory == AT_FDCWD || file_get(directory) != NULL ? 0 : -EBADF;
	error = path_find(directory, address, &path);
	return error < 0 ? error : check_access(&path, mode);
}

i64 sys_access(const u64 *arg) { return access_path((u64)AT_FDCWD, arg[0], (u32)arg[1], 0); }
i64 sys_faccessat(const u64 *arg) { return access_path(arg[0], arg[1], (u32)arg[2], 0); }
i64 sys_faccessat2(const u64 *arg) { return access_path(arg[0], arg[1], (u32)arg[2], (u32)arg[3]); }
