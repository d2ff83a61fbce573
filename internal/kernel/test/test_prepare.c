#include "mm/prepare.h"

#include "memory_fake.h"

/* As in mm/prepare.c. */
#define WHOLE 1024ull
#define MARGIN 8ull
#define GROWTH 8ull
#define AHEAD 32ull

/* What a first touch does. */
static void touch(u64 address, u64 page, u64 pages)
{
	for (u64 i = page; i < page + pages; i++) {
		u64 *entry = pagetable_entry(address + i * PAGE_SIZE, true);

		*entry = pagetable_value(virtual_to_physical(pool_take(&kernel_pool)), PROT_READ | PROT_WRITE);
	}
}

/* Before a program serves, it gets what it touches. */
static void test_not_serving(void)
{
	start();
	map(base, 16, writable, 0);
	touch(base, 3, 1);
	memory_touched(regions_find(&user_regions, base), base + 3 * PAGE_SIZE);
	CHECK(has_exactly(base, 16, 3, 4));
}

static void test_whole_regions(void)
{
	start();
	map(base, WHOLE, writable, 0);
	map(base + (WHOLE + 1) * PAGE_SIZE, 64, writable, 0);
	map(base + (WHOLE + 100) * PAGE_SIZE, 64, PROT_READ, 0);
	map(base + (WHOLE + 200) * PAGE_SIZE, 64, writable, REGION_FIXED);
	map(base + (WHOLE + 300) * PAGE_SIZE, 64, writable, REGION_IMAGE);
	touch(base, 500, 2);
	touch(base, 900, 1);
	touch(base, WHOLE + 100, 1);
	touch(base, WHOLE + 200, 1);
	touch(base, WHOLE + 363, 1);
	memory_prepare();
	CHECK(has_exactly(base, WHOLE, 0, WHOLE));
	CHECK(has_exactly(base + (WHOLE + 1) * PAGE_SIZE, 64, 0, 0)); /* not in use */
	CHECK(has_exactly(base + (WHOLE + 100) * PAGE_SIZE, 64, 0, 1));
	CHECK(has_exactly(base + (WHOLE + 200) * PAGE_SIZE, 64, 0, 1));
	CHECK(has_exactly(base + (WHOLE + 300) * PAGE_SIZE, 64, 0, 64));

	/* From here on a touch is enough. */
	touch(base, WHOLE + 1 + 7, 1);
	memory_touched(regions_find(&user_regions, base + (WHOLE + 1) * PAGE_SIZE), base + (WHOLE + 8) * PAGE_SIZE);
	CHECK(has_exactly(base + (WHOLE + 1) * PAGE_SIZE, 64, 0, 64));
}

static void test_large_regions(void)
{
	const u64 pages = 5000;

	start();
	map(base, pages, writable, 0);
	touch(base, 100, 20);
	touch(base, 4990, 1);
	memory_prepare();
	CHECK(has_exactly(base, 4000, 100 - MARGIN, 120 + 20 * GROWTH + MARGIN));
	CHECK(has_exactly(base + 4000 * PAGE_SIZE, 1000, 990 - MARGIN, 1000));

	/* A touch is about to be followed by others. */
	touch(base, 2000, 4);
	memory_touched(regions_find(&user_regions, base), base + 2003 * PAGE_SIZE);
	CHECK(has_exactly(base + 1000 * PAGE_SIZE, 2000, 1000, 1003 + AHEAD));
	touch(base, 3000, 1);
	touch(base, 3010, 1);
	memory_touched(regions_find(&user_regions, base), base + 3000 * PAGE_SIZE);
	CHECK(has_exactly(base + 2500 * PAGE_SIZE, 2000, 500, 500 + AHEAD));
	touch(base, 4989, 1);
	memory_touched(regions_find(&user_regions, base), base + 4989 * PAGE_SIZE);
}

/* What a program asks for it gets where it may write, and half of the pool is left. */
static void test_advice(void)
{
	const u64 half = (MEMORY_PAGES - 1) / 2;

	start();
	map(base, 100, writable, 0);
	map(base + 100 * PAGE_SIZE, 100, PROT_NONE, 0);
	map(base + 300 * PAGE_SIZE, 100, writable, 0);
	touch(base, 60, 2);
	memory_advised(base + 50 * PAGE_SIZE, base + 310 * PAGE_SIZE);
	CHECK(has_exactly(base, 300, 50, 100));
	CHECK(has_exactly(base + 300 * PAGE_SIZE, 100, 0, 10));
	map(base + 1000 * PAGE_SIZE, MEMORY_PAGES, writable, 0);
	memory_advised(base + 1000 * PAGE_SIZE, base + (1000 + MEMORY_PAGES) * PAGE_SIZE);
	CHECK(pool_available(&kernel_pool) <= half);
	CHECK(pool_available(&kernel_pool) >= half - 128); /* tables */
	memory_advised(base, base + 50 * PAGE_SIZE);
	CHECK(has_exactly(base, 300, 50, 100));
}

/* Runs that are near each other grow together. */
static void test_neighbours(void)
{
	start();
	map(base, 5000, writable, 0);
	touch(base, 100, 10);
	touch(base, 115, 10);
	touch(base, 2000, 500);
	memory_prepare();
	CHECK(has_exactly(base, 1900, 100 - MARGIN, 125 + 20 * GROWTH + MARGIN));
	CHECK(has_exactly(base + 1900 * PAGE_SIZE, 3100, 100 - MARGIN, 600 + WHOLE + MARGIN));
}

/* No more is given than a part of the pool, each page once, zeroed, and as the region says. */
static void test_budget(void)
{
	const u64 limit = (MEMORY_PAGES - 1) / 4;
	static u8 given[MEMORY_PAGES];
	u64 count = 0, before;

	start();
	for (u64 i = 0; i < 10; i++) {
		map(base + i * 2 * WHOLE * PAGE_SIZE, WHOLE, writable, 0);
		touch(base + i * 2 * WHOLE * PAGE_SIZE, i, 1);
	}
	before = pool_available(&kernel_pool);
	memory_prepare();
	CHECK(before - pool_available(&kernel_pool) >= limit);
	CHECK(before - pool_available(&kernel_pool) <= limit + 32); /* with the tables */
	for (u64 at = base; pagetable_next(&at, SPACE_END) != NULL; at += PAGE_SIZE) {
		u64 entry = *pagetable_entry(at, false), frame = entry & ENTRY_FRAME;

		CHECK_EQUAL(entry, pagetable_value(frame, writable));
		CHECK(!given[frame / PAGE_SIZE]);
		given[frame / PAGE_SIZE] = 1;
		for (u64 i = 0; i < PAGE_SIZE; i += 512)
			CHECK_EQUAL(memory[frame + i], 0);
		count++;
	}
	CHECK_EQUAL(count, limit + 10);
	/* It is spent. */
	touch(base, 20 * WHOLE, 1);
	before = pool_available(&kernel_pool);
	map(base + 20 * WHOLE * PAGE_SIZE, 10, writable, 0);
	memory_touched(regions_find(&user_regions, base + 20 * WHOLE * PAGE_SIZE), base + 20 * WHOLE * PAGE_SIZE);
	CHECK_EQUAL(pool_available(&kernel_pool), before);
}

/* A pool that is empty ends it, and nothing else. */
static void test_empty_pool(void)
{
	start();
	map(base, 100, writable, 0);
	touch(base, 0, 1);
	while (pool_available(&kernel_pool) > 3)
		CHECK(pool_take(&kernel_pool) != NULL);
	memory_prepare();
	CHECK_EQUAL(pool_available(&kernel_pool), 0);
	CHECK(has_exactly(base, 100, 0, 4));
}

int main(void)
{
	memory_fake_init();
	test_not_serving();
	test_whole_regions();
	test_large_regions();
	test_neighbours();
	test_advice();
	test_budget();
	test_empty_pool();
	return 0;
}
