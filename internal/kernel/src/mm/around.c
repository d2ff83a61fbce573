/*
 * A fault costs ten times as much as a page that is mapped along with others.
 * So it maps the largest aligned block around the page of which half has memory
 * already, however the program walks: up, down, in several places in turn, or
 * all over. Runs and pages at random get at most about twice the memory that
 * is touched, and a page here and there gets no more than itself. The host backs
 * none of it before it is touched. What this may waste is the program's own
 * memory, so blocks are small where little is free.
 */
#include "mm/around.h"

#include "mm/pagetable.h"
#include "mm/pool.h"

/* The part of a block that must have memory, */
#define USED_PART 2u
/* the part of free memory that it may be, */
#define FREE_PART 64u
/* and its pages. It must not go beyond one page table, nor take long. */
#define LARGEST 256u

static struct block within(const struct region *region, u64 start, u64 size)
{
	return (struct block){MAX(start, region->start), MIN(start + size, region->end)};
}

static u64 populated(struct block block)
{
	u64 size = 0;

	for (u64 page = block.start; pagetable_next(&page, block.end) != NULL; page += PAGE_SIZE)
		size += PAGE_SIZE;
	return size;
}

struct block around(u64 page, const struct region *region)
{
	struct block largest = {page, page + PAGE_SIZE};
	u64 limit = MIN(LARGEST, pool_available(&kernel_pool) / FREE_PART) * PAGE_SIZE, used = 0;

	for (u64 half = PAGE_SIZE; 2 * half <= limit; half *= 2) {
		u64 start = page & ~(2 * half - 1), other = (page & ~(half - 1)) ^ half;
		struct block block = within(region, start, 2 * half);

		used += populated(within(region, other, half));
		if (used * USED_PART >= block.end - block.start)
			largest = block;
	}
	return largest;
}
