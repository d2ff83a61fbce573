/*
 * A program that waits for calls will be in snapshots, and its calls will be
 * made in sandboxes that are restored after each. There a first touch costs
 * more than a fault: it changes the page tables, so that at the next restore
 * the hypervisor throws away all that it knows of them, and learns it again
 * page by page. So memory that calls will touch gets its pages before the first
 * one, and where a call goes beyond that, more than it has asked for. The host
 * backs none of them until it is touched.
 */
#include "mm/prepare.h"

#include <linux/mman.h>

#include "mm/pagetable.h"
#include "mm/pool.h"
#include "mm/space.h"

/* A region up to so large gets all of its pages: data, C's heap, a piece of Go's heap. */
#define WHOLE_LIMIT 1024u
/* In a larger one so many pages on both sides of what is in use, and above it so many for each page of that. */
#define MARGIN 8u
#define GROWTH 8u
/* In a larger one, at a fault. */
#define AHEAD 32u
/* What is given ahead is no more than this part of all memory, */
#define PART 4u
/* and what a program asks for leaves this part free. */
#define RESERVE 2u

/* How many pages may still be given ahead: 0 for programs that don't serve. */
static u64 ahead;

static bool is_eligible(const struct region *region)
{
	return (region->prot & PROT_WRITE) != 0 && (region->flags & REGION_FIXED) == 0;
}

static bool is_whole(const struct region *region) { return region->end - region->start <= WHOLE_LIMIT * PAGE_SIZE; }

static bool has_page(u64 address)
{
	const u64 *entry = pagetable_entry(address, false);

	return entry != NULL && entry_populated(*entry);
}

/* Gives a page to an address that has none. False if there are no more to give. */
static bool give(u64 address, u32 prot)
{
	u64 *entry = ahead > 0 ? pagetable_entry(address, true) : NULL;
	void *page = entry != NULL ? pool_take(&kernel_pool) : NULL;

	if (page == NULL)
		return false;
	ahead--;
	*entry = pagetable_value(virtual_to_physical(page), prot);
	return true;
}

/* Gives pages to those of [start, end) that have none, as long as there are any to give. */
static void give_range(const struct region *region, u64 start, u64 end)
{
	for (u64 page = start; page < end; page += PAGE_SIZE)
		if (!has_page(page) && !give(page, region->prot))
			return;
}

/* As far as pages are given, above a page in use that is the last of so many. */
static u64 reach(const struct region *region, u64 page, u64 used)
{
	u64 pages = 1 + MARGIN + MIN(GROWTH * used, WHOLE_LIMIT);

	return is_whole(region) ? region->end : MIN(region->end, page + pages * PAGE_SIZE);
}

/*
 * Gives pages from one address on, up to the limit, which moves on with each
 * page that is in use. Returns where it has ended, or the end of the region if
 * there are no more to give.
 */
static u64 fill(const struct region *region, u64 page, u64 limit)
{
	for (u64 used = 0; page < limit; page += PAGE_SIZE) {
		if (has_page(page))
			limit = reach(region, page, ++used);
		else if (!give(page, region->prot))
			return region->end;
	}
	return page;
}

static void prepare_region(const struct region *region)
{
	u64 done = region->start, at = done;

	while (pagetable_next(&at, region->end) != NULL) {
		u64 below = is_whole(region) ? at - done : MIN(at - done, MARGIN * PAGE_SIZE);

		at = done = fill(region, at - below, at + PAGE_SIZE);
	}
}

void memory_prepare(void)
{
	struct region *region = regions_above(&user_regions, 0);

	for (ahead = kernel_pool.total_pages / PART; region != NULL && ahead > 0; region = regions_next(region))
		if (is_eligible(region))
			prepare_region(region);
}

void memory_touched(const struct region *region, u64 page)
{
	if (ahead == 0 || !is_eligible(region))
		return;
	if (is_whole(region))
		prepare_region(region);
	else
		give_range(region, page, MIN(region->end, page + AHEAD * PAGE_SIZE));
}

void memory_advised(u64 start, u64 end)
{
	const u64 before = ahead, reserve = kernel_pool.total_pages / RESERVE, free = pool_available(&kernel_pool);

	ahead = free - MIN(free, reserve);
	for (struct region *region = regions_above(&user_regions, start); region != NULL && region->start < end;
	     region = regions_next(region))
		if (is_eligible(region))
			give_range(region, MAX(region->start, start), MIN(region->end, end));
	ahead = before;
}
