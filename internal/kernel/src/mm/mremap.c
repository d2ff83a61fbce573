/* mremap(2). */
#include <linux/mman.h>

#include "mm/fault.h"
#include "mm/mmap.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/* Extends the mapping where it is, if nothing is behind it. */
static bool grow_in_place(const struct region *region, u64 end, u64 new_end)
{
	const struct region *above = regions_above(&user_regions, end);

	if (region->end != end || !space_holds(end, new_end - end))
		return false;
	if (above != NULL && above->start < new_end)
		return false;
	return regions_insert(&user_regions, end, new_end, region->prot, region->flags) == 0;
}

static i64 move(const struct region *region, u64 old, u64 old_size, u64 new, u64 new_size, bool keep)
{
	u32 prot = region->prot, flags = region->flags;

	if (regions_insert(&user_regions, new, new + new_size, prot, flags) < 0)
		return -ENOMEM;
	if (!pagetable_move(old, new, MIN(old_size, new_size)))
		out_of_memory(new);
	if (!keep && regions_remove(&user_regions, old, old + old_size) < 0)
		out_of_memory(old);
	pagetable_unmap(old, old + old_size);
	return (i64)new;
}

/* MREMAP_FIXED: replaces whatever is at the new address. */
static i64 place_fixed(u64 old, u64 old_size, u64 new, u64 new_size)
{
	if (new % PAGE_SIZE != 0 || !space_holds(new, new_size))
		return -EINVAL;
	if (new < old + old_size && old < new + new_size)
		return -EINVAL;
	if (regions_remove(&user_regions, new, new + new_size) < 0)
		return -ENOMEM;
	pagetable_unmap(new, new + new_size);
	return (i64)new;
}

static i64 check(const u64 *arg, u32 flags)
{
	const u32 known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;

	if ((flags & ~known) != 0 || arg[0] % PAGE_SIZE != 0 || page_up(arg[2]) == 0 || page_up(arg[1]) == 0)
		return -EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && page_up(arg[1]) != page_up(arg[2]))
		return -EINVAL;
	if (!space_holds(arg[0], page_up(arg[1])))
		return -EFAULT;
	return page_up(arg[2]) > AIRLOCK_USER_END ? -ENOMEM : 0;
}

static i64 shrink(u64 start, u64 end)
{
	if (regions_remove(&user_regions, start, end) < 0)
		return -ENOMEM;
	pagetable_unmap(start, end);
	return 0;
}

i64 sys_mremap(const u64 *arg)
{
	u64 old = arg[0], old_size = page_up(arg[1]), new_size = page_up(arg[2]);
	u32 flags = (u32)arg[3];
	const struct region *region;
	i64 target = check(arg, flags);

	if (target < 0)
		return target;
	region = regions_find(&user_regions, old);
	if (region == NULL || region->end < old + old_size)
		return -EFAULT;
	if (!(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))) {
		if (new_size == old_size)
			return (i64)old;
		if (new_size < old_size) {
			target = shrink(old + new_size, old + old_size);
			return target < 0 ? target : (i64)old;
		}
		if (grow_in_place(region, old + old_size, old + new_size))
			return (i64)old;
		if (!(flags & MREMAP_MAYMOVE))
			return -ENOMEM;
	}
	if (flags & MREMAP_FIXED)
		target = place_fixed(old, old_size, arg[4], new_size);
	else
		target = (i64)regions_find_gap(&user_regions, new_size, AIRLOCK_USER_START,
					       STACK_TOP - STACK_SIZE - STACK_GAP);
	if (target <= 0)
		return target < 0 ? target : -ENOMEM;
	/* Making room may have merged or split regions: look the old one up again. */
	return move(regions_find(&user_regions, old), old, old_size, (u64)target, new_size, flags & MREMAP_DONTUNMAP);
}
