#include "mm/regions.h"

/* What is asked for: size bytes between low and limit. */
struct gap_request {
	u64 size, low, limit;
};

/* The highest place for the request in the free range [start, end), or 0. */
static u64 fit(const struct gap_request *request, u64 start, u64 end)
{
	start = MAX(start, request->low);
	end = MIN(end, request->limit);
	return start < end && end - start >= request->size ? end - request->size : 0;
}

/* True if a gap in the subtree is long enough: it may still lie outside low and limit. */
static bool worthwhile(const struct gap_request *request, const struct region *subtree)
{
	return subtree && subtree->max_gap >= request->size;
}

/* Goes down to the highest region of the subtree that may have a fitting gap in front of it. */
static const struct region *descend(const struct gap_request *request, const struct region *region)
{
	while (region->end < request->limit && worthwhile(request, region->right))
		region = region->right;
	return region;
}

/* The next lower region with all of its right subtree done: up to the parent that it is on the right of. */
static const struct region *ascend(const struct region *region)
{
	while (region->parent != NULL && region == region->parent->left)
		region = region->parent;
	return region->parent;
}

/*
 * Visits the gaps from the highest to the lowest, passing over the subtrees
 * whose gaps are all too small or lie above the limit. At most one gap that
 * is large enough is cut short by limit and one by low, so the time is that
 * of a few walks from the root to a leaf.
 */
static u64 find_below_regions(const struct gap_request *request, const struct region *root)
{
	const struct region *region = worthwhile(request, root) ? descend(request, root) : NULL;

	while (region != NULL) {
		u64 gap_start = region->start - region->gap;
		u64 found = fit(request, gap_start, region->start);

		if (found != 0)
			return found;
		if (gap_start <= request->low)
			return 0;
		region = worthwhile(request, region->left) ? descend(request, region->left) : ascend(region);
	}
	return 0;
}

u64 regions_find_gap(const struct regions *tree, u64 size, u64 low, u64 limit)
{
	struct gap_request request = {.low = MAX(low, tree->low), .limit = page_down(MIN(limit, tree->high))};
	const struct region *last = tree->root;
	u64 found;

	if (size == 0 || request.low >= request.limit || size > request.limit - request.low)
		return 0;
	/* Can't overflow: size is at most the limit, which is page-aligned. */
	request.size = page_up(size);

	while (last != NULL && last->right != NULL)
		last = last->right;
	found = fit(&request, last != NULL ? last->end : tree->low, tree->high);
	return found != 0 ? found : find_below_regions(&request, tree->root);
}
