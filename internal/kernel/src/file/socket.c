/* There is no network, and no socket of any other kind. */
#include <asm/errno.h>

#include "file/file.h"
#include "file/syscalls.h"

i64 sys_socket(const u64 *arg)
{
	(void)arg;
	return -EACCES;
}

i64 sys_socketpair(const u64 *arg)
{
	(void)arg;
	return -EACCES;
}

/* bind, connect, sendto and all others that take a socket: no descriptor is one. */
i64 sys_no_socket(const u64 *arg) { return file_get(arg[0]) == NULL ? -EBADF : -ENOTSOCK; }
