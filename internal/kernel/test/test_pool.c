#define _GNU_SOURCE
#include <sys/mman.h>

#include "mm/pool.h"

#include "test.h"

/* Guest-physical memory starts at an address that is not 0, so that a mix-up of the two kinds shows. */
#define PHYSICAL_START 0x7000ull
#define PAGES 32ull
#define PHYSICAL_END (PHYSICAL_START + PAGES * PAGE_SIZE)

static u8 *memory;

void *physical_to_virtual(u64 physical)
{
	CHECK(physical >= PHYSICAL_START && physical < PHYSICAL_END);
	return memory + (physical - PHYSICAL_START);
}

u64 virtual_to_physical(const void *address)
{
	CHECK((const u8 *)address >= memory && (const u8 *)address < memory + PAGES * PAGE_SIZE);
	return (u64)((const u8 *)address - memory) + PHYSICAL_START;
}

/* Fresh pages can't be accessed at all, so a pool that touches one dies. */
static void protect_all(int prot) { CHECK_EQUAL(mprotect(memory, PAGES * PAGE_SIZE, prot), 0); }

static bool is_filled(const u8 *page, u8 byte)
{
	for (size_t i = 0; i < PAGE_SIZE; i++)
		if (page[i] != byte)
			return false;
	return true;
}

static void test_fresh_pages(void)
{
	struct pool pool;

	protect_all(PROT_NONE);
	pool_init(&pool, PHYSICAL_START, PHYSICAL_END);
	CHECK_EQUAL(pool.total_pages, PAGES);
	for (u64 i = 0; i < PAGES; i++) {
		void *page = i % 2 ? pool_take(&pool) : pool_take_dirty(&pool);

		CHECK_EQUAL(virtual_to_physical(page), PHYSICAL_START + i * PAGE_SIZE);
		CHECK_EQUAL(pool_available(&pool), PAGES - 1 - i);
	}
	for (int i = 0; i < 3; i++) {
		CHECK(!pool_take(&pool));
		CHECK(!pool_take_dirty(&pool));
		CHECK_EQUAL(pool_available(&pool), 0);
	}
}

static void test_recycled_pages(void)
{
	struct pool pool;
	u8 *a, *b, *again;

	protect_all(PROT_READ | PROT_WRITE);
	pool_init(&pool, PHYSICAL_START, PHYSICAL_END);
	a = pool_take(&pool);
	b = pool_take(&pool);
	memset(a, 0xaa, PAGE_SIZE);
	memset(b, 0xbb, PAGE_SIZE);
	pool_give(&pool, a);
	pool_give(&pool, b);
	CHECK_EQUAL(pool.free_pages, 2);
	CHECK_EQUAL(pool_available(&pool), PAGES);

	/* Freed pages go first: no page is touched for the first time while there is a used one. */
	again = pool_take(&pool);
	CHECK(again == a || again == b);
	CHECK(is_filled(again, 0));
	again = pool_take_dirty(&pool);
	CHECK(again == a || again == b);
	CHECK_EQUAL(pool.free_pages, 0);
	CHECK_EQUAL(virtual_to_physical(pool_take(&pool)), PHYSICAL_START + 2 * PAGE_SIZE);
}

/* No page is given out twice, and each comes zeroed whatever was in it. */
static void test_random_steps(u64 seed)
{
	struct test_random random = {seed};
	u8 *taken[PAGES];
	u64 count = 0;
	struct pool pool;

	protect_all(PROT_READ | PROT_WRITE);
	memset(memory, 0, PAGES * PAGE_SIZE);
	pool_init(&pool, PHYSICAL_START, PHYSICAL_END);
	for (int step = 0; step < 5000; step++) {
		if (test_random_below(&random, 2) == 0) {
			u8 *page = pool_take(&pool);

			CHECK_EQUAL(page != NULL, count < PAGES);
			if (!page)
				continue;
			CHECK(is_filled(page, 0));
			for (u64 i = 0; i < count; i++)
				CHECK(taken[i] != page);
			memset(page, (int)(step % 255 + 1), PAGE_SIZE);
			taken[count++] = page;
		} else if (count > 0) {
			u64 at = test_random_below(&random, count);

			pool_give(&pool, taken[at]);
			taken[at] = taken[--count];
		}
		CHECK_EQUAL(pool_available(&pool), PAGES - count);
	}
}

static void test_bounds(void)
{
	struct pool pool;
	u8 *page;

	/* Only whole pages inside the bounds. */
	pool_init(&pool, PHYSICAL_START + 1, PHYSICAL_END - 1);
	CHECK_EQUAL(pool.total_pages, PAGES - 2);
	CHECK_EQUAL(virtual_to_physical(pool_take(&pool)), PHYSICAL_START + PAGE_SIZE);

	pool_init(&pool, PHYSICAL_START, PHYSICAL_START);
	CHECK_EQUAL(pool.total_pages, 0);
	CHECK(!pool_take(&pool));
	pool_init(&pool, PHYSICAL_START + 1, PHYSICAL_START + 2);
	CHECK_EQUAL(pool_available(&pool), 0);
	CHECK(!pool_take(&pool));

	protect_all(PROT_READ | PROT_WRITE);
	pool_init(&pool, PHYSICAL_START, PHYSICAL_END);
	page = pool_take(&pool);
	CHECK_PANICS(pool_give(&pool, page + 8));
	CHECK_PANICS(pool_give(&pool, page + PAGE_SIZE)); /* was never taken */
}

int main(void)
{
	memory = mmap(NULL, PAGES * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	test_fresh_pages();
	test_recycled_pages();
	test_random_steps(1);
	test_random_steps(2);
	test_bounds();
	return 0;
}
