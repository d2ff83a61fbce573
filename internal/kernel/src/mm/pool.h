/*
 * The page pool: all memory that the VM has beyond its image. Pages that were
 * never used are known to be zero and are taken in address order; freed pages
 * are kept on a list inside themselves and zeroed when they are taken again.
 */
#ifndef MM_POOL_H
#define MM_POOL_H

#include "lib/types.h"

struct pool {
	u64 fresh, end; /* guest-physical: pages from fresh to end were never used */
	void *free;     /* freed pages, each begins with the pointer to the next */
	u64 free_pages; /* on that list */
	u64 total_pages;
};

extern struct pool kernel_pool; /* the one pool of the VM */

void pool_init(struct pool *pool, u64 start, u64 end);
/* A zeroed page as an address in the physmap, or NULL when the pool is empty. */
void *pool_take(struct pool *pool);
/* The same, but the content may be anything. */
void *pool_take_dirty(struct pool *pool);
void pool_give(struct pool *pool, void *page);
u64 pool_available(const struct pool *pool); /* pages */

/* Translation between guest-physical addresses and the physmap; the tests use an array. */
void *physical_to_virtual(u64 physical);
u64 virtual_to_physical(const void *address);

#endif
