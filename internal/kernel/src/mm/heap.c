/* The heap behind the program's data: brk(2). */
#include "mm/heap.h"

#include <linux/mman.h>

#include "mm/mmap.h"
#include "mm/pagetable.h"
#include "mm/space.h"

static u64 heap_start, heap_end; /* heap_end is to the byte, as brk(2) keeps it */

void heap_init(u64 program_end) { heap_start = heap_end = page_up(program_end); }

static bool grow(u64 end)
{
	const struct region *above = regions_above(&user_regions, page_up(heap_end));

	if (!space_holds(heap_start, end - heap_start) || !promise_reasonable(page_up(end) - page_up(heap_end)))
		return false;
	if (above != NULL && above->start < page_up(end))
		return false;
	return regions_insert(&user_regions, page_up(heap_end), page_up(end), PROT_READ | PROT_WRITE, REGION_HEAP) == 0;
}

/* The result is always the end of the heap: the old one when the request can't be met. */
i64 sys_brk(const u64 *arg)
{
	u64 end = arg[0];

	if (end < heap_start || end > USER_LIMIT)
		return (i64)heap_end;
	if (page_up(end) > page_up(heap_end)) {
		if (!grow(end))
			return (i64)heap_end;
	} else if (page_up(end) < page_up(heap_end)) {
		if (regions_remove(&user_regions, page_up(end), page_up(heap_end)) < 0)
			return (i64)heap_end;
		pagetable_unmap(page_up(end), page_up(heap_end));
	}
	heap_end = end;
	return (i64)heap_end;
}
