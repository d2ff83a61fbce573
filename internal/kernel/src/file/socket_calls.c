/*
 * socket(2) and its kin. What takes a path or an address is refused with EACCES;
 * socketpair(2) makes what event loops wake themselves with.
 */
#include <asm/errno.h>
#include <asm/socket.h>
#include <linux/fcntl.h>
#include <linux/uio.h>

#include "file/rw.h"
#include "file/socket.h"
#include "file/syscalls.h"
#include "file/transfer.h"
#include "mm/user.h"

/* Of socket(2), send(2), recv(2) and shutdown(2): not in the kernel's headers for users. */
#define AF_UNIX 1u
#define SOCK_STREAM 1u
#define SOCK_TYPES 11u /* there are fewer */
#define SOCK_NONBLOCK ((u32)O_NONBLOCK)
#define SOCK_CLOEXEC ((u32)O_CLOEXEC)
#define MSG_OOB 1u
#define MSG_PEEK 2u
#define MSG_DONTWAIT 0x40u
#define MSG_WAITALL 0x100u
#define MSG_NOSIGNAL 0x4000u
#define SHUT_RD 0u
#define SHUT_WR 1u
#define SHUT_RDWR 2u

/* struct msghdr of sendmsg(2) */
struct message_header {
	u64 name;
	u32 name_size;
	u64 vector, pieces;
	u64 control, control_size;
	u32 flags;
};
_Static_assert(sizeof(struct message_header) == 56, "struct msghdr");

/* struct ucred of unix(7) */
struct credentials {
	i32 process;
	u32 user, group;
};

i64 sys_socket(const u64 *arg)
{
	(void)arg;
	return -EACCES;
}

i64 sys_socketpair(const u64 *arg)
{
	u32 flags = (u32)arg[1] & (SOCK_NONBLOCK | SOCK_CLOEXEC), type = (u32)arg[1] & ~flags;
	struct socket *pair[2];
	i32 descriptors[2];

	if ((u32)arg[0] != AF_UNIX)
		return -EACCES;
	if (type != SOCK_STREAM)
		return type >= SOCK_TYPES ? -EINVAL : -ESOCKTNOSUPPORT;
	if ((u32)arg[2] != 0 && (u32)arg[2] != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (!user_writable(arg[3], sizeof(descriptors)))
		return -EFAULT;
	if (socket_pair(pair, flags & SOCK_NONBLOCK) < 0)
		return -ENOMEM;
	for (int i = 0; i < 2; i++) {
		descriptors[i] = (i32)file_publish(&pair[i]->file, flags & SOCK_CLOEXEC);
		if (descriptors[i] >= 0)
			continue;
		if (i == 0)
			file_release(&pair[1]->file);
		else
			file_close((u32)descriptors[0]);
		return descriptors[i];
	}
	return copy_to_user(arg[3], descriptors, sizeof(descriptors));
}

/* Finds an open socket: 0, -EBADF or -ENOTSOCK. */
static i64 find(u64 descriptor, struct socket **socket)
{
	struct file *file = file_get(descriptor);

	if (file == NULL)
		return -EBADF;
	*socket = socket_of(file);
	return *socket == NULL ? -ENOTSOCK : 0;
}

static i64 send_to(u64 descriptor, struct transfer *transfer, u32 flags)
{
	struct socket *socket;
	i64 result = find(descriptor, &socket);

	if (result < 0)
		return result;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	return file_write(&socket->file, transfer,
	                  (flags & MSG_DONTWAIT ? MOVE_NO_WAIT : 0) | (flags & MSG_NOSIGNAL ? MOVE_NO_SIGNAL : 0));
}

static i64 receive_from(u64 descriptor, struct transfer *transfer, u32 flags)
{
	struct socket *socket;
	i64 result = find(descriptor, &socket);
	u32 how = (flags & MSG_DONTWAIT ? MOVE_NO_WAIT : 0) | (flags & MSG_WAITALL ? MOVE_ALL : 0);

	if (result < 0)
		return result;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!(flags & MSG_PEEK))
		return file_read(&socket->file, transfer, how);
	result = socket_peek(socket, transfer);
	return result == -EAGAIN ? file_again(&socket->file, how) : result;
}

i64 sys_sendto(const u64 *arg)
{
	struct transfer transfer;

	if (transfer_buffer(&transfer, arg[1], arg[2]) < 0)
		return -EINVAL;
	return arg[4] != 0 && (u32)arg[5] != 0 ? -EISCONN : send_to(arg[0], &transfer, (u32)arg[3]);
}

/* Of what has no name, as accept(2) says it: the buffer is not touched, and the length becomes 0. */
static i64 no_name(u64 size_address)
{
	const u32 none = 0;

	return copy_to_user(size_address, &none, sizeof(none));
}

i64 sys_recvfrom(const u64 *arg)
{
	struct transfer transfer;
	i64 result;

	if (transfer_buffer(&transfer, arg[1], arg[2]) < 0)
		return -EINVAL;
	result = receive_from(arg[0], &transfer, (u32)arg[3]);
	return result >= 0 && arg[4] != 0 && no_name(arg[5]) < 0 ? -EFAULT : result;
}

static i64 read_header(u64 address, struct message_header *header, struct transfer *transfer)
{
	if (copy_from_user(header, address, sizeof(*header)) < 0)
		return -EFAULT;
	return header->pieces > UIO_MAXIOV ? -EMSGSIZE : transfer_vector(transfer, header->vector, header->pieces);
}

/* Descriptors can't be sent: there is only one process, which has them all. */
i64 sys_sendmsg(const u64 *arg)
{
	struct message_header header;
	struct transfer transfer;
	i64 result = read_header(arg[1], &header, &transfer);

	if (result < 0)
		return result;
	if (header.control != 0 && header.control_size != 0)
		return -EOPNOTSUPP;
	return header.name != 0 && header.name_size != 0 ? -EISCONN : send_to(arg[0], &transfer, (u32)arg[2]);
}

i64 sys_recvmsg(const u64 *arg)
{
	struct message_header header;
	struct transfer transfer;
	i64 result = read_header(arg[1], &header, &transfer);

	if (result >= 0)
		result = receive_from(arg[0], &transfer, (u32)arg[2]);
	if (result < 0)
		return result;
	header.name_size = 0;
	header.control_size = 0;
	header.flags = 0;
	return copy_to_user(arg[1], &header, sizeof(header)) < 0 ? -EFAULT : result;
}

i64 sys_shutdown(const u64 *arg)
{
	struct socket *socket;
	u32 how = (u32)arg[1];
	i64 result = find(arg[0], &socket);

	if (result < 0)
		return result;
	if (how > SHUT_RDWR)
		return -EINVAL;
	socket_shut(socket, how != SHUT_WR, how != SHUT_RD);
	return 0;
}

/* Stores a value of up to so many bytes, and how many it has: as many as there is room for. */
static i64 give(u64 address, u64 size_address, const void *value, u32 size)
{
	i32 room;

	if (copy_from_user(&room, size_address, sizeof(room)) < 0)
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (copy_to_user(address, value, MIN((u32)room, size)) < 0)
		return -EFAULT;
	return 0;
}

/* getsockname, getpeername: the peer's name is known even when it is closed. */
i64 sys_getsockname(const u64 *arg)
{
	const u16 family = AF_UNIX;
	const u32 size = sizeof(family);
	struct socket *socket;
	i64 result = find(arg[0], &socket);

	if (result == 0)
		result = give(arg[1], arg[2], &family, sizeof(family));
	return result == 0 ? copy_to_user(arg[2], &size, sizeof(size)) : result;
}

static i64 give_option(const u64 *arg, const void *value, u32 size)
{
	i64 result = give(arg[3], arg[4], value, size);
	u32 room;

	if (result < 0 || copy_from_user(&room, arg[4], sizeof(room)) < 0)
		return result < 0 ? result : -EFAULT;
	room = MIN(room, size);
	return copy_to_user(arg[4], &room, sizeof(room));
}

i64 sys_getsockopt(const u64 *arg)
{
	const struct credentials self = {.process = PROCESS_ID};
	struct socket *socket;
	i64 result = find(arg[0], &socket);
	i32 value = 0;

	if (result < 0)
		return result;
	if ((u32)arg[1] != SOL_SOCKET)
		return -EOPNOTSUPP;
	switch ((u32)arg[2]) {
	case SO_TYPE:
		value = SOCK_STREAM;
		break;
	case SO_DOMAIN:
		value = AF_UNIX;
		break;
	case SO_ERROR:
		value = socket_take_error(socket);
		break;
	case SO_SNDBUF:
	case SO_RCVBUF:
		value = RING_CAPACITY;
		break;
	case SO_PROTOCOL:
	case SO_ACCEPTCONN:
		break;
	case SO_PEERCRED:
		return give_option(arg, &self, sizeof(self));
	default:
		return -ENOPROTOOPT;
	}
	return give_option(arg, &value, sizeof(value));
}

/* The sizes of buffers are advice. */
i64 sys_setsockopt(const u64 *arg)
{
	struct socket *socket;
	i64 result = find(arg[0], &socket);

	if (result < 0)
		return result;
	if ((u32)arg[1] != SOL_SOCKET)
		return -EOPNOTSUPP;
	return (u32)arg[2] == SO_SNDBUF || (u32)arg[2] == SO_RCVBUF ? 0 : -ENOPROTOOPT;
}

/* bind, connect, listen, accept: a socket of a pair has no name and gets none, and nobody else has one. */
i64 sys_no_name(const u64 *arg)
{
	struct socket *socket;
	i64 result = find(arg[0], &socket);

	return result < 0 ? result : -EINVAL;
}
