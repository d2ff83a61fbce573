/* A byte ring over a buffer whose size is a power of two: what a pipe holds. */
#ifndef LIB_RING_H
#define LIB_RING_H

#include "lib/types.h"

struct ring {
	u8 *buffer;
	u32 size;        /* power of two */
	u32 head, tail;  /* bytes ever read and ever written, modulo 2^32 */
};

static inline u32 ring_used(const struct ring *ring) { return ring->tail - ring->head; }
static inline u32 ring_free(const struct ring *ring) { return ring->size - ring_used(ring); }

/* Each returns the bytes moved, at most what is used or free. */
u32 ring_write(struct ring *ring, const void *from, u32 size);
u32 ring_read(struct ring *ring, void *to, u32 size);

#endif
