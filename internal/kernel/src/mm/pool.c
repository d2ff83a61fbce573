#include "mm/pool.h"

#include "lib/string.h"

struct pool kernel_pool;

void pool_init(struct pool *pool, u64 start, u64 end)
{
	pool->fresh = page_up(start);
	pool->end = MAX(page_down(end), pool->fresh);
	pool->free = NULL;
	pool->free_pages = 0;
	pool->total_pages = (pool->end - pool->fresh) / PAGE_SIZE;
}

static void *take_freed(struct pool *pool)
{
	void *page = pool->free;

	if (page == NULL)
		return NULL;
	pool->free = *(void **)page;
	pool->free_pages--;
	return page;
}

/* Does not write to the page: the first touch of a page costs the host a page of memory and a fault. */
static void *take_fresh(struct pool *pool)
{
	u64 page = pool->fresh;

	if (page == pool->end)
		return NULL;
	pool->fresh += PAGE_SIZE;
	return physical_to_virtual(page);
}

/* Freed pages go first: zeroing one is several times cheaper than having the host map a fresh one. */
void *pool_take(struct pool *pool)
{
	void *page = take_freed(pool);

	if (page == NULL)
		return take_fresh(pool);
	memset(page, 0, PAGE_SIZE);
	return page;
}

void *pool_take_dirty(struct pool *pool)
{
	void *page = take_freed(pool);

	return page != NULL ? page : take_fresh(pool);
}

void pool_give(struct pool *pool, void *page)
{
	u64 physical = virtual_to_physical(page);

	ASSERT(physical % PAGE_SIZE == 0);
	ASSERT(physical < pool->fresh);
	*(void **)page = pool->free;
	pool->free = page;
	pool->free_pages++;
}

u64 pool_available(const struct pool *pool) { return (pool->end - pool->fresh) / PAGE_SIZE + pool->free_pages; }
