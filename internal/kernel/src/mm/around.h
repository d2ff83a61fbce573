/* How much memory a page fault maps. Pure. */
#ifndef MM_AROUND_H
#define MM_AROUND_H

#include "lib/types.h"
#include "mm/regions.h"

/* [start, end). */
struct block {
	u64 start, end;
};

/* What to map for a fault at a page of region that has no memory: that page and, where it pays, its neighbourhood. */
struct block around(u64 page, const struct region *region);

#endif
