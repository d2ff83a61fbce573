#include "file/ring.h"

#include <asm/errno.h>

#include "file/transfer.h"
#include "mm/pool.h"

/* The page that a byte is in, and where in it. */
static u8 **page_of(struct ring *ring, u32 at) { return &ring->pages[at / PAGE_SIZE % RING_PAGES]; }
static u32 offset_of(u32 at) { return at % PAGE_SIZE; }

static void free_page(u8 **page)
{
	if (*page != NULL)
		pool_give(&kernel_pool, *page);
	*page = NULL;
}

/* The reader has moved on by size bytes, all within one page. */
static void consume(struct ring *ring, u32 size)
{
	u8 **page = page_of(ring, ring->head);

	ring->head += size;
	if (ring_used(ring) == 0) {
		free_page(page);
		ring->head = ring->tail = 0;
	} else if (offset_of(ring->head) == 0 && ring_used(ring) <= RING_CAPACITY - PAGE_SIZE) {
		free_page(page); /* else the writer is in it again already */
	}
}

i64 ring_read(struct ring *ring, struct transfer *transfer)
{
	i64 moved = 0, result = 0;

	while (transfer->left > 0 && ring_used(ring) > 0) {
		u32 offset = offset_of(ring->head);
		u32 size = MIN((u32)PAGE_SIZE - offset, ring_used(ring));

		result = transfer_to_program(transfer, *page_of(ring, ring->head) + offset, size);
		if (result < 0)
			break;
		consume(ring, (u32)result);
		moved += result;
	}
	return moved > 0 ? moved : result;
}

i64 ring_peek(const struct ring *ring, struct transfer *transfer)
{
	i64 moved = 0, result = 0;

	for (u32 at = ring->head; transfer->left > 0 && at != ring->tail; at += (u32)result) {
		u32 offset = offset_of(at);
		u32 size = MIN((u32)PAGE_SIZE - offset, ring->tail - at);

		result = transfer_to_program(transfer, ring->pages[at / PAGE_SIZE % RING_PAGES] + offset, size);
		if (result < 0)
			break;
		moved += result;
	}
	return moved > 0 ? moved : result;
}

i64 ring_write(struct ring *ring, struct transfer *transfer)
{
	i64 moved = 0, result = 0;

	while (transfer->left > 0 && ring_room(ring) > 0) {
		u8 **page = page_of(ring, ring->tail);
		u32 offset = offset_of(ring->tail);
		u32 size = MIN((u32)PAGE_SIZE - offset, ring_room(ring));

		if (*page == NULL)
			*page = pool_take_dirty(&kernel_pool);
		result = *page == NULL ? -ENOMEM : transfer_from_program(transfer, *page + offset, size);
		if (result < 0)
			break;
		ring->tail += (u32)result;
		moved += result;
	}
	return moved > 0 ? moved : result;
}

void ring_clear(struct ring *ring)
{
	for (u32 i = 0; i < RING_PAGES; i++)
		free_page(&ring->pages[i]);
	ring->head = ring->tail = 0;
}
