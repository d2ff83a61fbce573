/* madvise(2), mincore(2), msync(2), mlock(2). */
#include <linux/mman.h>

#include "mm/fault.h"
#include "mm/mmap.h"
#include "mm/pagetable.h"
#include "mm/prepare.h"
#include "mm/space.h"
#include "mm/user.h"

/*
 * Drops the pages of anonymous regions in [start, end): the next touch finds zeroes. "Subsequent accesses in the range
 * succeed", says madvise(2) of MADV_DONTNEED, with the content of what is mapped: shared memory keeps its own.
 */
static i64 drop(u64 start, u64 end, u32 advice)
{
	for (struct region *region = regions_above(&user_regions, start); region != NULL && region->start < end;
	     region = regions_next(region)) {
		/* The host doesn't keep the file that these pages came from. */
		if (region->flags & REGION_IMAGE)
			return -EINVAL;
		if (region->flags & REGION_SHARED && advice == MADV_FREE)
			return -EINVAL;
		if (region->flags & REGION_SHARED && advice != MADV_REMOVE)
			continue;
		if (!(region->flags & REGION_SHARED) && advice == MADV_REMOVE)
			return -EINVAL;
		pagetable_unmap(MAX(region->start, start), MIN(region->end, end));
	}
	return 0;
}

static i64 populate(u64 start, u64 end, u32 access)
{
	for (u64 page = start; page < end; page += PAGE_SIZE)
		if (!page_in(page, access))
			return regions_find(&user_regions, page) == NULL ? -ENOMEM : -EINVAL;
	return 0;
}

i64 sys_madvise(const u64 *arg)
{
	u64 start = arg[0], size = page_up(arg[1]);
	i64 result = 0;

	if (start % PAGE_SIZE != 0 || (size == 0 && arg[1] != 0))
		return -EINVAL;
	if (size == 0)
		return 0;
	if (!space_holds(start, size))
		return -ENOMEM;
	switch ((u32)arg[2]) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE: /* "may be delayed": here it isn't, so that others get the memory */
	case MADV_REMOVE:
		result = drop(start, start + size, (u32)arg[2]);
		break;
	case MADV_POPULATE_READ:
		result = populate(start, start + size, PROT_READ);
		break;
	case MADV_POPULATE_WRITE:
		result = populate(start, start + size, PROT_WRITE);
		break;
	case MADV_WILLNEED:
		memory_advised(start, start + size);
		break;
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_COLLAPSE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
		break; /* advice that changes no content */
	default:
		return -EINVAL;
	}
	if (result == 0 && !regions_covered(&user_regions, start, start + size))
		return -ENOMEM;
	return result;
}

i64 sys_mincore(const u64 *arg)
{
	u64 start = arg[0], size = page_up(arg[1]);

	if (start % PAGE_SIZE != 0)
		return -EINVAL;
	if (!space_holds(start, size) || !regions_covered(&user_regions, start, start + size))
		return -ENOMEM;
	if (!user_writable(arg[2], size / PAGE_SIZE))
		return -EFAULT;
	for (u64 i = 0; i < size / PAGE_SIZE; i++) {
		const u64 *entry = pagetable_entry(start + i * PAGE_SIZE, false);

		((u8 *)arg[2])[i] = entry != NULL && entry_populated(*entry);
	}
	return 0;
}

i64 sys_msync(const u64 *arg)
{
	u64 size = page_up(arg[1]);

	if (arg[0] % PAGE_SIZE != 0 || (arg[2] & ~(u64)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) != 0)
		return -EINVAL;
	if ((arg[2] & MS_ASYNC) && (arg[2] & MS_SYNC))
		return -EINVAL;
	if (size != 0 && (!space_holds(arg[0], size) || !regions_covered(&user_regions, arg[0], arg[0] + size)))
		return -ENOMEM;
	return 0;
}

/* mlock, mlock2, munlock: memory is never swapped. */
i64 sys_mlock(const u64 *arg)
{
	u64 start = page_down(arg[0]), end = page_up(arg[0] + arg[1]);

	if (end < start)
		return -EINVAL;
	if (end > start && (!space_holds(start, end - start) || !regions_covered(&user_regions, start, end)))
		return -ENOMEM;
	return 0;
}

i64 sys_mlockall(const u64 *arg)
{
	u32 flags = (u32)arg[0];

	return flags == 0 || flags == MCL_ONFAULT || (flags & ~(u32)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ? -EINVAL
	                                                                                                      : 0;
}
