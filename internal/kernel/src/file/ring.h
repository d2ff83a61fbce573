/*
 * A queue of bytes, as pipes and sockets have them. What is in it lies in pages
 * that it takes from the pool when bytes come and gives back when they have been
 * read, so that an empty one costs next to nothing.
 */
#ifndef FILE_RING_H
#define FILE_RING_H

#include "lib/types.h"

#define RING_PAGES 16u
#define RING_CAPACITY (RING_PAGES * (u32)PAGE_SIZE)

struct transfer;

struct ring {
	u32 head, tail;        /* bytes ever read and ever written, modulo 2^32 */
	u8 *pages[RING_PAGES]; /* a ring of RING_CAPACITY bytes; NULL where nothing is */
};

static inline u32 ring_used(const struct ring *ring) { return ring->tail - ring->head; }
static inline u32 ring_room(const struct ring *ring) { return RING_CAPACITY - ring_used(ring); }

/*
 * Each moves what it can, and returns how many bytes: fewer than wanted if the
 * program's memory is bad, and -EFAULT if that is the first thing it finds, or
 * -ENOMEM if there is no page for the first byte.
 */
i64 ring_read(struct ring *ring, struct transfer *transfer);
i64 ring_peek(const struct ring *ring, struct transfer *transfer); /* the bytes stay */
i64 ring_write(struct ring *ring, struct transfer *transfer);
void ring_clear(struct ring *ring); /* drops what is in it */

#endif
