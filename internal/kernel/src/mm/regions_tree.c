#include "mm/regions_tree.h"

void regions_init(struct regions *tree, u64 low, u64 high)
{
	*tree = (struct regions){.low = low, .high = high, .random = 0x9e3779b97f4a7c15ull};
}

/* xorshift64: programs can't see the priorities, so they need to be spread, not secret. */
static u32 next_priority(struct regions *tree)
{
	tree->random ^= tree->random << 13;
	tree->random ^= tree->random >> 7;
	tree->random ^= tree->random << 17;
	return (u32)(tree->random >> 32);
}

static u64 max_gap(const struct region *region) { return region != NULL ? region->max_gap : 0; }

static void update(struct region *region)
{
	u64 below = MAX(max_gap(region->left), max_gap(region->right));

	region->max_gap = MAX(region->gap, below);
}

static void update_upwards(struct region *region)
{
	for (; region; region = region->parent)
		update(region);
}

/* Recomputes what depends on the end of the region before. */
static void update_gap(struct regions *tree, struct region *region)
{
	struct region *previous;

	if (region == NULL)
		return;
	previous = regions_previous(region);
	region->gap = region->start - (previous != NULL ? previous->end : tree->low);
	update_upwards(region);
}

static void replace_child(struct regions *tree, struct region *parent, struct region *old, struct region *new)
{
	if (parent == NULL)
		tree->root = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
	if (new != NULL)
		new->parent = parent;
}

/* Rotates a region up into its parent's place. */
static void rotate_up(struct regions *tree, struct region *region)
{
	struct region *parent = region->parent;
	struct region *inner;

	replace_child(tree, parent->parent, parent, region);
	if (parent->left == region) {
		inner = region->right;
		region->right = parent;
		parent->left = inner;
	} else {
		inner = region->left;
		region->left = parent;
		parent->right = inner;
	}
	parent->parent = region;
	if (inner != NULL)
		inner->parent = parent;
	update(parent);
	update(region);
}

void regions_link(struct regions *tree, struct region *region)
{
	struct region **link = &tree->root;
	struct region *parent = NULL;

	while (*link) {
		parent = *link;
		link = region->start < parent->start ? &parent->left : &parent->right;
	}
	*link = region;
	region->parent = parent;
	region->left = region->right = NULL;
	region->priority = next_priority(tree);
	tree->count++;
	tree->bytes += region->end - region->start;

	update_gap(tree, region);
	update_gap(tree, regions_next(region));
	while (region->parent != NULL && region->parent->priority < region->priority)
		rotate_up(tree, region);
}

void regions_unlink(struct regions *tree, struct region *region)
{
	struct region *next = regions_next(region);
	struct region *parent;

	while (region->left != NULL && region->right != NULL)
		rotate_up(tree, region->left->priority > region->right->priority ? region->left : region->right);
	parent = region->parent;
	replace_child(tree, parent, region, region->left != NULL ? region->left : region->right);
	tree->count--;
	tree->bytes -= region->end - region->start;

	update_upwards(parent);
	update_gap(tree, next);
}

void regions_resize(struct regions *tree, struct region *region, u64 start, u64 end)
{
	tree->bytes -= region->end - region->start;
	tree->bytes += end - start;
	region->start = start;
	region->end = end;
	update_gap(tree, region);
	update_gap(tree, regions_next(region));
}

struct region *regions_find(const struct regions *tree, u64 address)
{
	struct region *region = regions_above(tree, address);

	return region != NULL && region->start <= address ? region : NULL;
}

struct region *regions_above(const struct regions *tree, u64 address)
{
	struct region *region = tree->root;
	struct region *found = NULL;

	while (region != NULL) {
		if (region->end > address) {
			found = region;
			region = region->left;
		} else {
			region = region->right;
		}
	}
	return found;
}

struct region *regions_next(struct region *region)
{
	if (region->right != NULL) {
		region = region->right;
		while (region->left != NULL)
			region = region->left;
		return region;
	}
	while (region->parent != NULL && region == region->parent->right)
		region = region->parent;
	return region->parent;
}

struct region *regions_previous(struct region *region)
{
	if (region->left != NULL) {
		region = region->left;
		while (region->right != NULL)
			region = region->right;
		return region;
	}
	while (region->parent != NULL && region == region->parent->left)
		region = region->parent;
	return region->parent;
}
