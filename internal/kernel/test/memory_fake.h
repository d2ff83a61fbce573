/*
 * Memory, its tables and an address space, for tests of what gives pages to
 * regions. memory_fake_init comes first.
 */
#ifndef MEMORY_FAKE_H
#define MEMORY_FAKE_H

#define _GNU_SOURCE
#include <sys/mman.h>

#include "mm/pagetable.h"
#include "mm/pool.h"
#include "mm/regions.h"

#include "test.h"

#define MEMORY_PAGES 32768ull
#define SPACE_START 0x10000ull
#define SPACE_END (1ull << 46)

struct regions user_regions;
static u8 *memory;

void *physical_to_virtual(u64 physical)
{
	CHECK(physical < MEMORY_PAGES * PAGE_SIZE);
	return memory + physical;
}

u64 virtual_to_physical(const void *address) { return (u64)((const u8 *)address - memory); }
struct region *region_alloc(void) { return calloc(1, sizeof(struct region)); }
void region_release(struct region *region) { free(region); }
void tlb_flush(void) {}

/* An address space with nothing in it, and a pool that was never used. */
static void start(void)
{
	while (user_regions.root != NULL)
		CHECK_EQUAL(regions_remove(&user_regions, SPACE_START, SPACE_END), 0);
	memset(memory, 0, PAGE_SIZE);
	CHECK_EQUAL(madvise(memory, MEMORY_PAGES * PAGE_SIZE, MADV_DONTNEED), 0);
	regions_init(&user_regions, SPACE_START, SPACE_END);
	pagetable_init(0);
	pool_init(&kernel_pool, PAGE_SIZE, MEMORY_PAGES * PAGE_SIZE);
}

static void map(u64 address, u64 pages, u32 prot, u32 flags)
{
	CHECK_EQUAL(regions_insert(&user_regions, address, address + pages * PAGE_SIZE, prot, flags), 0);
}

/* True if exactly these of the pages from address on have memory. */
static bool has_exactly(u64 address, u64 pages, u64 first, u64 end)
{
	for (u64 i = 0; i < pages; i++) {
		const u64 *entry = pagetable_entry(address + i * PAGE_SIZE, false);

		if ((entry != NULL && entry_populated(*entry)) != (i >= first && i < end))
			return false;
	}
	return true;
}

static const u32 writable = PROT_READ | PROT_WRITE;
static const u64 base = 0x40000000;

static void memory_fake_init(void)
{
	memory = mmap(NULL, MEMORY_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
}

#endif
