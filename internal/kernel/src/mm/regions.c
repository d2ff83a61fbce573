#include <asm/errno.h>

#include "mm/regions_tree.h"

static bool equal(const struct region *a, u32 prot, u32 flags) { return a->prot == prot && a->flags == flags; }

/* Makes one of a region and the one after it. */
static void merge_with_next(struct regions *tree, struct region *region)
{
	struct region *next = regions_next(region);
	u64 end = next->end;

	regions_unlink(tree, next);
	region_release(next);
	regions_resize(tree, region, region->start, end);
}

/* Cuts a region in two at an address inside it. The upper part becomes node. */
static void split(struct regions *tree, struct region *region, u64 at, struct region *node)
{
	*node = (struct region){.start = at, .end = region->end, .prot = region->prot, .flags = region->flags};
	regions_resize(tree, region, region->start, at);
	regions_link(tree, node);
}

int regions_insert(struct regions *tree, u64 start, u64 end, u32 prot, u32 flags)
{
	struct region *next = regions_above(tree, start);
	struct region *previous = start > tree->low ? regions_find(tree, start - 1) : NULL;
	struct region *region;

	ASSERT((start | end) % PAGE_SIZE == 0);
	ASSERT(start >= tree->low && start < end && end <= tree->high);
	ASSERT(next == NULL || next->start >= end);
	if (previous != NULL && equal(previous, prot, flags)) {
		regions_resize(tree, previous, previous->start, end);
		if (next != NULL && next->start == end && equal(next, prot, flags))
			merge_with_next(tree, previous);
		return 0;
	}
	if (next != NULL && next->start == end && equal(next, prot, flags)) {
		regions_resize(tree, next, start, next->end);
		return 0;
	}
	region = region_alloc();
	if (region == NULL)
		return -ENOMEM;
	*region = (struct region){.start = start, .end = end, .prot = prot, .flags = flags};
	regions_link(tree, region);
	return 0;
}

/* Takes [start, end) out of a region that reaches beyond it on one side at most. */
static void trim(struct regions *tree, struct region *region, u64 start, u64 end)
{
	if (region->start < start) {
		regions_resize(tree, region, region->start, start);
	} else if (region->end > end) {
		regions_resize(tree, region, end, region->end);
	} else {
		regions_unlink(tree, region);
		region_release(region);
	}
}

int regions_remove(struct regions *tree, u64 start, u64 end)
{
	struct region *region = regions_above(tree, start);

	if (start >= end)
		return 0;
	/* Only a hole in the middle of one region makes one more of them. */
	if (region != NULL && region->start < start && region->end > end) {
		struct region *node = region_alloc();

		if (node == NULL)
			return -ENOMEM;
		split(tree, region, end, node);
	}
	while (region != NULL && region->start < end) {
		struct region *next = regions_next(region);

		trim(tree, region, start, end);
		region = next;
	}
	return 0;
}

/* True if a region reaches across an address and has another protection than the one side is to get. */
static bool straddles(const struct regions *tree, u64 at, u32 prot)
{
	struct region *region = regions_find(tree, at);

	return region != NULL && region->start < at && region->prot != prot;
}

/* Merges whatever is equal and adjacent, from the region that ends at start to the one that begins at end. */
static void merge_range(struct regions *tree, u64 start, u64 end)
{
	struct region *region = regions_above(tree, start > tree->low ? start - 1 : start);

	while (region != NULL) {
		struct region *next = regions_next(region);

		if (next == NULL || next->start > end)
			return;
		if (next->start == region->end && equal(next, region->prot, region->flags))
			merge_with_next(tree, region);
		else
			region = next;
	}
}

int regions_protect(struct regions *tree, u64 start, u64 end, u32 prot)
{
	bool cut_start = straddles(tree, start, prot), cut_end = straddles(tree, end, prot);
	struct region *lower, *upper;

	if (start >= end)
		return 0;
	lower = cut_start ? region_alloc() : NULL;
	upper = cut_end ? region_alloc() : NULL;
	if ((cut_start && lower == NULL) || (cut_end && upper == NULL)) {
		if (lower != NULL)
			region_release(lower);
		if (upper != NULL)
			region_release(upper);
		return -ENOMEM;
	}
	if (cut_start)
		split(tree, regions_find(tree, start), start, lower);
	if (cut_end)
		split(tree, regions_find(tree, end), end, upper);
	for (struct region *region = regions_above(tree, start); region && region->start < end;
	     region = regions_next(region))
		region->prot = prot;
	merge_range(tree, start, end);
	return 0;
}

bool regions_covered(const struct regions *tree, u64 start, u64 end)
{
	struct region *region = regions_find(tree, start);

	while (start < end) {
		if (region == NULL || region->start > start)
			return false;
		start = region->end;
		region = regions_next(region);
	}
	return true;
}
