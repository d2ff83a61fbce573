/* ioctl(2). Nothing is a terminal: TCGETS and its kin answer ENOTTY, by which isatty(3) knows. */
#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>

#include "file/file.h"
#include "file/syscalls.h"
#include "mm/user.h"

static i64 count_available(struct file *file, u64 address)
{
	u32 count;

	if (file->operations->available == NULL)
		return -ENOTTY;
	count = file->operations->available(file);
	return copy_to_user(address, &count, sizeof(count));
}

static i64 set_nonblocking(struct file *file, u64 address)
{
	i32 on;

	if (copy_from_user(&on, address, sizeof(on)) < 0)
		return -EFAULT;
	if (on != 0)
		file->flags |= O_NONBLOCK;
	else
		file->flags &= ~(u32)O_NONBLOCK;
	return 0;
}

i64 sys_ioctl(const u64 *arg)
{
	struct file *file = file_get(arg[0]);

	if (file == NULL)
		return -EBADF;
	switch ((u32)arg[1]) {
	case FIONREAD:
		return count_available(file, arg[2]);
	case FIONBIO:
		return set_nonblocking(file, arg[2]);
	case FIOCLEX:
	case FIONCLEX:
		file_set_close_on_exec(arg[0], (u32)arg[1] == FIOCLEX);
		return 0;
	default:
		return -ENOTTY;
	}
}
