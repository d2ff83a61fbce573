#include "mm/around.h"

#include "memory_fake.h"

/* As in mm/around.c. */
#define LARGEST 256ull
#define FREE_PART 64ull

/* Touches a page: true if that was a fault, which maps what around says. */
static bool fault(u64 address)
{
	const struct region *region = regions_find(&user_regions, address);
	u64 *entry = pagetable_entry(address, true);
	struct block block;

	if (entry_populated(*entry))
		return false;
	block = around(address, region);
	CHECK(block.start >= region->start && block.start <= address);
	CHECK(block.end <= region->end && block.end > address);
	CHECK((block.end - block.start) / PAGE_SIZE <= MIN(LARGEST, MAX(1, pool_available(&kernel_pool) / FREE_PART)));
	for (u64 page = block.start; page < block.end; page += PAGE_SIZE) {
		entry = pagetable_entry(page, true);
		if (!entry_populated(*entry))
			*entry = pagetable_value(virtual_to_physical(pool_take(&kernel_pool)), writable);
	}
	return true;
}

static u64 populated(u64 pages)
{
	u64 count = 0;

	for (u64 at = base; pagetable_next(&at, base + pages * PAGE_SIZE) != NULL; at += PAGE_SIZE)
		count++;
	return count;
}

/* The order in which a program touches its pages. */
#define PAGES 4096ull
#define STREAMS 4ull

static u64 upwards(u64 i) { return i; }
static u64 downwards(u64 i) { return PAGES - 1 - i; }
static u64 in_streams(u64 i) { return i % STREAMS * (PAGES / STREAMS) + i / STREAMS; }
static u64 all_over(u64 i) { return (i * 2654435761u + 12345) % PAGES; }
static u64 every_fourth(u64 i) { return i * 4 % PAGES + i * 4 / PAGES; }

/* All pages are touched, in some order, with no more than so many faults for a thousand of them. */
static void test_orders(void)
{
	const struct {
		u64 (*page)(u64);
		u64 faults;
	} orders[] = {{upwards, 40}, {downwards, 40}, {in_streams, 40}, {every_fourth, 510}, {all_over, 250}};

	for (u64 order = 0; order < ARRAY_LENGTH(orders); order++) {
		u64 faults = 0;

		start();
		map(base, PAGES, writable, 0);
		for (u64 i = 0; i < PAGES; i++)
			faults += fault(base + orders[order].page(i) * PAGE_SIZE);
		CHECK_EQUAL(populated(PAGES), PAGES);
		CHECK(faults * 1000 <= orders[order].faults * PAGES);
	}
}

/* A part of the pages, chosen at random, gets little more than itself if it is small, and never much more than twice. */
static void test_waste(void)
{
	const struct {
		u64 percent, most; /* of PAGES */
	} parts[] = {{1, 1}, {5, 6}, {10, 11}, {20, 25}, {30, 60}, {50, 100}};

	for (u64 part = 0; part < ARRAY_LENGTH(parts); part++) {
		struct test_random random = {1};

		start();
		map(base, PAGES, writable, 0);
		for (u64 i = 0; i < PAGES * parts[part].percent / 100; i++)
			fault(base + test_random_below(&random, PAGES) * PAGE_SIZE);
		CHECK(populated(PAGES) * 100 <= parts[part].most * PAGES);
	}
}

/* One page gets nothing along with it, and neither does the next; then it is as many as there are. */
static void test_growth(void)
{
	start();
	map(base, PAGES, writable, 0);
	for (u64 page = 0, want = 1; page < LARGEST; page = want, want = MAX(2, 2 * page)) {
		CHECK(fault(base + page * PAGE_SIZE));
		CHECK(has_exactly(base, PAGES, 0, want));
	}
	CHECK(fault(base + LARGEST * PAGE_SIZE));
	CHECK(has_exactly(base, PAGES, 0, LARGEST + 1)); /* the next block, of which nothing is there yet */
}

/* A region ends in the middle of a block, at both ends, and others next to it are left alone. */
static void test_edges(void)
{
	const u64 first = base + 7 * PAGE_SIZE, end = base + 29 * PAGE_SIZE;

	start();
	map(base, 7, writable, 0);
	map(first, 22, PROT_READ, 0);
	map(end, 100, writable, 0);
	for (u64 page = first; page < end; page += PAGE_SIZE)
		fault(page);
	CHECK(has_exactly(base, 200, 7, 29));
	start();
	map(first, 22, writable, 0);
	for (u64 page = end - PAGE_SIZE; page >= first; page -= PAGE_SIZE)
		fault(page);
	CHECK(has_exactly(base, 200, 7, 29));
}

/* With little left, a page is all that a fault maps, to the last one. */
static void test_little_memory(void)
{
	start();
	map(base, PAGES, writable, 0);
	fault(base);
	while (pool_available(&kernel_pool) >= 2 * FREE_PART)
		CHECK(pool_take(&kernel_pool) != NULL);
	for (u64 page = 1; pool_available(&kernel_pool) > 0; page++) {
		CHECK(fault(base + page * PAGE_SIZE));
		CHECK(has_exactly(base, PAGES, 0, page + 1));
	}
}

int main(void)
{
	memory_fake_init();
	test_orders();
	test_waste();
	test_growth();
	test_edges();
	test_little_memory();
	return 0;
}
