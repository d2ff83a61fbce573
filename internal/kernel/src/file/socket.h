/*
 * Connected pairs of stream sockets, from socketpair(2): see unix(7). There is no
 * other socket, because there is nobody else to talk to.
 */
#ifndef FILE_SOCKET_H
#define FILE_SOCKET_H

#include "file/file.h"
#include "file/ring.h"

/* One of the two. */
struct socket {
	struct file file;
	struct socket *peer;  /* NULL once that is closed */
	struct ring received; /* what the peer has sent */
	bool no_read;         /* shutdown(2) of either kind */
	bool no_write;
	i32 error; /* ECONNRESET once the peer is closed that had yet to read something: SO_ERROR */
};

/* The socket that the file is, or NULL. */
struct socket *socket_of(struct file *file);

/* As recv(2) with MSG_PEEK: what it gives stays. */
i64 socket_peek(struct socket *socket, struct transfer *transfer);
void socket_shut(struct socket *socket, bool read, bool write);
i32 socket_take_error(struct socket *socket); /* a number of errno, or 0 */

/* Connects two new ones, each with one reference, which have these flags of open(2). 0 or -ENOMEM. */
int socket_pair(struct socket *pair[2], u32 flags);

#endif
