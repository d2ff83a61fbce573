#include "file/socket.h"

#include <asm/errno.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/stat.h>

#include "file/transfer.h"
#include "mm/slab.h"

static struct socket *of(struct file *file) { return CONTAINER_OF(file, struct socket, file); }

/* Nothing more will come. */
static bool input_ended(const struct socket *socket)
{
	return socket->no_read || socket->peer == NULL || socket->peer->no_write;
}

/* Nobody will read what is written. */
static bool output_ended(const struct socket *socket)
{
	return socket->no_write || socket->peer == NULL || socket->peer->no_read;
}

/* What a read finds that finds no bytes: an error counts once, and before the end. */
static i64 nothing(struct socket *socket)
{
	if (socket->error != 0)
		return -socket_take_error(socket);
	return input_ended(socket) ? 0 : -EAGAIN;
}

static i64 socket_read(struct file *file, struct transfer *transfer)
{
	struct socket *socket = of(file);
	i64 moved;

	if (transfer->left == 0)
		return 0;
	if (ring_used(&socket->received) == 0)
		return nothing(socket);
	moved = ring_read(&socket->received, transfer);
	if (moved > 0 && socket->peer != NULL)
		waitqueue_wake(&socket->peer->file.queue);
	return moved;
}

i64 socket_peek(struct socket *socket, struct transfer *transfer)
{
	if (transfer->left == 0)
		return 0;
	return ring_used(&socket->received) == 0 ? nothing(socket) : ring_peek(&socket->received, transfer);
}

/* Writes what there is room for; a little goes in one piece, as into a pipe, so that poll's answer is true. */
static i64 socket_write(struct file *file, struct transfer *transfer)
{
	struct socket *socket = of(file);
	i64 moved;

	if (output_ended(socket))
		return -EPIPE;
	if (transfer->left == 0)
		return 0;
	if (ring_room(&socket->peer->received) < MIN(transfer->left, PIPE_BUF))
		return -EAGAIN;
	moved = ring_write(&socket->peer->received, transfer);
	if (moved > 0)
		waitqueue_wake(&socket->peer->file.queue);
	return moved;
}

static u32 socket_poll(struct file *file)
{
	const struct socket *socket = of(file);
	u32 events = 0;

	if (ring_used(&socket->received) > 0)
		events |= EPOLLIN | EPOLLRDNORM;
	if (input_ended(socket))
		events |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (input_ended(socket) && output_ended(socket))
		events |= EPOLLHUP;
	if (socket->error != 0)
		events |= EPOLLERR;
	if (socket->peer == NULL || ring_room(&socket->peer->received) >= PIPE_BUF)
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

static u32 available(struct file *file) { return ring_used(&of(file)->received); }

static void socket_release(struct file *file)
{
	struct socket *socket = of(file), *peer = socket->peer;

	if (peer != NULL) {
		peer->peer = NULL;
		if (ring_used(&socket->received) > 0)
			peer->error = ECONNRESET;
		waitqueue_wake(&peer->file.queue);
	}
	ring_clear(&socket->received);
	slab_free(socket, sizeof(*socket));
}

static const struct file_operations operations = {
	.name = "socket:",
	.mode = S_IFSOCK | 0777,
	.write_all = true,
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.available = available,
	.release = socket_release,
};

struct socket *socket_of(struct file *file) { return file->operations == &operations ? of(file) : NULL; }

void socket_shut(struct socket *socket, bool read, bool write)
{
	socket->no_read |= read;
	socket->no_write |= write;
	waitqueue_wake(&socket->file.queue);
	if (socket->peer != NULL)
		waitqueue_wake(&socket->peer->file.queue);
}

i32 socket_take_error(struct socket *socket)
{
	i32 error = socket->error;

	socket->error = 0;
	return error;
}

int socket_pair(struct socket *pair[2], u32 flags)
{
	for (int i = 0; i < 2; i++) {
		pair[i] = slab_alloc(sizeof(*pair[i]));
		if (pair[i] == NULL) {
			slab_free(pair[0], sizeof(*pair[0]));
			return -ENOMEM;
		}
		file_init(&pair[i]->file, &operations, O_RDWR | flags);
	}
	pair[0]->peer = pair[1];
	pair[1]->peer = pair[0];
	return 0;
}
