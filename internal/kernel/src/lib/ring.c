#include "lib/ring.h"

#include "lib/string.h"

u32 ring_write(struct ring *ring, const void *from, u32 size)
{
	u32 at = ring->tail & (ring->size - 1);
	u32 to_end = ring->size - at;
	u32 moved = MIN(size, ring_free(ring));
	u32 first = MIN(moved, to_end);

	memcpy(ring->buffer + at, from, first);
	memcpy(ring->buffer, (const u8 *)from + first, moved - first);
	ring->tail += moved;
	return moved;
}

u32 ring_read(struct ring *ring, void *to, u32 size)
{
	u32 at = ring->head & (ring->size - 1);
	u32 to_end = ring->size - at;
	u32 moved = MIN(size, ring_used(ring));
	u32 first = MIN(moved, to_end);

	memcpy(to, ring->buffer + at, first);
	memcpy((u8 *)to + first, ring->buffer, moved - first);
	ring->head += moved;
	return moved;
}
