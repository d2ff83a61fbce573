/*
 * Random operations on the regions of an address space, side by side with a
 * model of it. Before an operation succeeds, each allocation that it makes has
 * failed once, and nothing may have changed.
 */
#include <asm/errno.h>

#include "mm/regions.h"

#include "regions_model.h"
#include "test.h"

#define LOW 0x10000ull

/* Allocations until one fails; negative for never. */
static int allocations_left = -1;
static u32 live_nodes;

struct region *region_alloc(void)
{
	if (allocations_left == 0)
		return NULL;
	if (allocations_left > 0)
		allocations_left--;
	live_nodes++;
	return malloc(sizeof(struct region));
}

void region_release(struct region *region)
{
	CHECK(region);
	live_nodes--;
	free(region);
}

/* What one walk over the tree collects. */
struct walk {
	const struct model *model;
	u64 last_end;
	u32 count, depth;
	u64 bytes;
};

/* Checks one region against the run of equal pages in the model that it must be, no less and no more. */
static void check_region(struct walk *walk, const struct region *region)
{
	const struct model *model = walk->model;
	u32 first = (u32)((region->start - model->low) / PAGE_SIZE);
	u32 end = (u32)((region->end - model->low) / PAGE_SIZE);

	CHECK(region->start < region->end && region->start % PAGE_SIZE == 0 && region->end % PAGE_SIZE == 0);
	CHECK(region->start >= walk->last_end && region->end <= model_high(model));
	CHECK(model_is_free(model, (u32)((walk->last_end - model->low) / PAGE_SIZE), first));
	CHECK(model->page[first].mapped);
	CHECK_EQUAL(model_run_end(model, first), end);
	CHECK(first == 0 || !model->page[first - 1].mapped || model->page[first - 1].prot != region->prot ||
	      model->page[first - 1].flags != region->flags);
	CHECK_EQUAL(region->prot, model->page[first].prot);
	CHECK_EQUAL(region->flags, model->page[first].flags);
	CHECK_EQUAL(region->gap, region->start - walk->last_end);
	walk->last_end = region->end;
	walk->bytes += region->end - region->start;
	walk->count++;
}

/* In address order. Returns the largest gap in the subtree. */
static u64 check_subtree(struct walk *walk, const struct region *region, const struct region *parent, u32 depth)
{
	u64 left, right;

	if (!region)
		return 0;
	CHECK(region->parent == parent);
	CHECK(!parent || parent->priority >= region->priority);
	walk->depth = MAX(walk->depth, depth);
	left = check_subtree(walk, region->left, region, depth + 1);
	check_region(walk, region);
	right = check_subtree(walk, region->right, region, depth + 1);
	CHECK_EQUAL(region->max_gap, MAX(region->gap, MAX(left, right)));
	return region->max_gap;
}

/* Checks everything about the tree; returns its depth. */
static u32 check_tree(const struct regions *tree, const struct model *model)
{
	struct walk walk = {.model = model, .last_end = model->low};

	check_subtree(&walk, tree->root, NULL, 1);
	CHECK(model_is_free(model, (u32)((walk.last_end - model->low) / PAGE_SIZE), model->pages));
	CHECK_EQUAL(tree->count, walk.count);
	CHECK_EQUAL(tree->bytes, walk.bytes);
	CHECK_EQUAL(live_nodes, walk.count);
	return walk.depth;
}

struct fixture {
	struct regions tree;
	struct model model;
	struct test_random random;
	u32 longest; /* of the ranges that are operated on, in pages */
	bool check_each;
};

enum operation {
	INSERT,
	REMOVE,
	PROTECT,
};

static int apply_to_tree(struct regions *tree, enum operation operation, u64 start, u64 end, u32 prot, u32 flags)
{
	switch (operation) {
	case INSERT:
		return regions_insert(tree, start, end, prot, flags);
	case REMOVE:
		return regions_remove(tree, start, end);
	default:
		return regions_protect(tree, start, end, prot);
	}
}

static void apply_to_model(struct model *model, enum operation operation, u32 first, u32 end, u32 prot, u32 flags)
{
	switch (operation) {
	case INSERT:
		model_map(model, first, end, prot, flags);
		break;
	case REMOVE:
		model_unmap(model, first, end);
		break;
	default:
		model_protect(model, first, end, prot);
	}
}

static void apply(struct fixture *f, enum operation operation, u32 first, u32 end, u32 prot, u32 flags)
{
	u64 start_address = model_address(&f->model, first), end_address = model_address(&f->model, end);

	for (int allowed = 0;; allowed++) {
		int result;

		allocations_left = allowed;
		result = apply_to_tree(&f->tree, operation, start_address, end_address, prot, flags);
		allocations_left = -1;
		if (result == 0)
			break;
		CHECK_EQUAL(result, -ENOMEM);
		CHECK(allowed < 2); /* no operation needs more than two nodes */
		if (f->check_each)
			check_tree(&f->tree, &f->model);
	}
	apply_to_model(&f->model, operation, first, end, prot, flags);
}

static void change_something(struct fixture *f)
{
	u32 first = (u32)test_random_below(&f->random, f->model.pages);
	u32 length = 1 + (u32)test_random_below(&f->random, f->longest);
	u32 end = MIN(first + length, f->model.pages);
	u32 prot = (u32)test_random_below(&f->random, 3);
	u32 flags = test_random_below(&f->random, 4) == 0 ? REGION_SHARED : 0;

	switch (test_random_below(&f->random, 8)) {
	case 0:
	case 1:
		apply(f, REMOVE, first, end, 0, 0);
		break;
	case 2:
	case 3:
	case 4:
		apply(f, PROTECT, first, end, prot, 0);
		break;
	default:
		/* As mmap with MAP_FIXED does. */
		if (!model_is_free(&f->model, first, end))
			apply(f, REMOVE, first, end, 0, 0);
		apply(f, INSERT, first, end, prot, flags);
	}
}

/* Any address, often one that is not on a page's start, sometimes outside. */
static u64 random_address(struct fixture *f)
{
	u64 address = f->model.low - 2 * PAGE_SIZE + test_random_below(&f->random, (f->model.pages + 4) * PAGE_SIZE);

	return test_random_below(&f->random, 2) ? address : page_down(address);
}

static void query_gap(struct fixture *f)
{
	bool whole = test_random_below(&f->random, 3) == 0;
	u64 size = 1 + test_random_below(&f->random, f->longest * PAGE_SIZE * 2);
	u64 low = whole ? 0 : random_address(f);
	u64 limit = whole ? UINT64_MAX : random_address(f);

	CHECK_EQUAL(regions_find_gap(&f->tree, size, low, limit), model_find_gap(&f->model, size, low, limit));
}

static void query_address(struct fixture *f)
{
	u64 address = f->model.low + test_random_below(&f->random, f->model.pages * PAGE_SIZE);
	u32 page = (u32)((address - f->model.low) / PAGE_SIZE);
	u32 length = (u32)test_random_below(&f->random, f->model.pages - page + 1);
	struct region *found = regions_find(&f->tree, address);
	struct region *above = regions_above(&f->tree, address);
	u32 next_mapped = page;

	CHECK_EQUAL(found != NULL, f->model.page[page].mapped);
	CHECK(!found || (found == above && found->start <= address && address < found->end));

	while (next_mapped < f->model.pages && !f->model.page[next_mapped].mapped)
		next_mapped++;
	CHECK_EQUAL(above != NULL, next_mapped < f->model.pages);
	CHECK(!above || regions_find(&f->tree, model_address(&f->model, next_mapped)) == above);
	CHECK(!above || !regions_next(above) || regions_previous(regions_next(above)) == above);

	CHECK_EQUAL(regions_covered(&f->tree, page_down(address), model_address(&f->model, page + length)),
	            model_is_covered(&f->model, page, page + length));
}

static void destroy(struct fixture *f)
{
	apply(f, REMOVE, 0, f->model.pages, 0, 0);
	check_tree(&f->tree, &f->model);
	CHECK(!f->tree.root);
	CHECK_EQUAL(live_nodes, 0);
}

static void test_random_steps(u64 seed, u32 pages, u32 longest, u32 steps, u32 check_every)
{
	static struct fixture f;

	f = (struct fixture){.random = {seed}, .longest = longest, .check_each = check_every == 1};
	f.model.low = LOW;
	f.model.pages = pages;
	regions_init(&f.tree, LOW, model_high(&f.model));
	for (u32 step = 0; step < steps; step++) {
		change_something(&f);
		if (step % check_every == 0)
			check_tree(&f.tree, &f.model);
		query_gap(&f);
		query_address(&f);
	}
	destroy(&f);
}

/* Regions that arrive in order must not make the tree a list. */
static void test_depth(void)
{
	static struct fixture f;
	u32 depth;

	f = (struct fixture){.model = {.low = LOW, .pages = MODEL_PAGES}};
	regions_init(&f.tree, LOW, model_high(&f.model));
	for (u32 page = 0; page < MODEL_PAGES; page += 2)
		apply(&f, INSERT, page, page + 1, 1, 0);
	depth = check_tree(&f.tree, &f.model);
	CHECK_EQUAL(f.tree.count, MODEL_PAGES / 2);
	CHECK(depth < 40); /* a perfect tree has 12 levels, a random one about twice as many */
	destroy(&f);
}

static void test_edges(void)
{
	static struct fixture f;
	struct regions *tree = &f.tree;

	f = (struct fixture){.model = {.low = LOW, .pages = 16}};
	regions_init(tree, LOW, LOW + 16 * PAGE_SIZE);
	CHECK(!regions_find(tree, LOW) && !regions_above(tree, 0));
	CHECK(!regions_covered(tree, LOW, LOW + PAGE_SIZE));
	CHECK(regions_covered(tree, LOW, LOW));
	CHECK_EQUAL(regions_remove(tree, LOW, LOW + 16 * PAGE_SIZE), 0);
	CHECK_EQUAL(regions_protect(tree, LOW, LOW + 16 * PAGE_SIZE, 1), 0);

	/* Sizes that can't be, up to the largest: none may overflow. */
	CHECK_EQUAL(regions_find_gap(tree, 16 * PAGE_SIZE, 0, NEVER), LOW);
	CHECK_EQUAL(regions_find_gap(tree, 16 * PAGE_SIZE + 1, 0, NEVER), 0);
	CHECK_EQUAL(regions_find_gap(tree, UINT64_MAX, 0, NEVER), 0);
	CHECK_EQUAL(regions_find_gap(tree, UINT64_MAX - 4095, 0, NEVER), 0);
	CHECK_EQUAL(regions_find_gap(tree, 0, 0, NEVER), 0);
	CHECK_EQUAL(regions_find_gap(tree, PAGE_SIZE, NEVER, NEVER), 0);
	CHECK_EQUAL(regions_find_gap(tree, PAGE_SIZE, 0, 0), 0);
	CHECK_EQUAL(regions_find_gap(tree, 1, 0, NEVER), LOW + 15 * PAGE_SIZE);

	/* Nothing in an empty range changes. */
	apply(&f, INSERT, 4, 8, 3, 0);
	CHECK_EQUAL(regions_remove(tree, LOW + 5 * PAGE_SIZE, LOW + 5 * PAGE_SIZE), 0);
	CHECK_EQUAL(regions_protect(tree, LOW + 5 * PAGE_SIZE, LOW + 5 * PAGE_SIZE, 1), 0);
	check_tree(tree, &f.model);

	/* What makes no new region needs no memory. */
	allocations_left = 0;
	CHECK_EQUAL(regions_protect(tree, LOW + 5 * PAGE_SIZE, LOW + 7 * PAGE_SIZE, 3), 0);
	CHECK_EQUAL(regions_insert(tree, LOW + 8 * PAGE_SIZE, LOW + 9 * PAGE_SIZE, 3, 0), 0);
	CHECK_EQUAL(regions_insert(tree, LOW + 3 * PAGE_SIZE, LOW + 4 * PAGE_SIZE, 3, 0), 0);
	CHECK_EQUAL(regions_remove(tree, LOW + 3 * PAGE_SIZE, LOW + 4 * PAGE_SIZE), 0);
	CHECK_EQUAL(regions_remove(tree, LOW + 8 * PAGE_SIZE, LOW + 10 * PAGE_SIZE), 0);
	allocations_left = -1;
	check_tree(tree, &f.model);

	/* What the callers have to make sure of. */
	CHECK_PANICS(regions_insert(tree, LOW + 7 * PAGE_SIZE, LOW + 9 * PAGE_SIZE, 3, 0));
	CHECK_PANICS(regions_insert(tree, LOW + 3 * PAGE_SIZE, LOW + 5 * PAGE_SIZE, 3, 0));
	CHECK_PANICS(regions_insert(tree, LOW - PAGE_SIZE, LOW + PAGE_SIZE, 3, 0));
	CHECK_PANICS(regions_insert(tree, LOW + 15 * PAGE_SIZE, LOW + 17 * PAGE_SIZE, 3, 0));
	CHECK_PANICS(regions_insert(tree, LOW + PAGE_SIZE, LOW + PAGE_SIZE, 3, 0));
	CHECK_PANICS(regions_insert(tree, LOW + 1, LOW + PAGE_SIZE, 3, 0));
	check_tree(tree, &f.model);
	destroy(&f);
}

int main(void)
{
	test_edges();
	test_depth();
	for (u64 seed = 1; seed <= 4; seed++) {
		test_random_steps(seed, 48, 12, 100000, 1);
		test_random_steps(seed, 12, 6, 20000, 1);
		test_random_steps(seed, MODEL_PAGES, 24, 20000, 500);
	}
	return 0;
}
