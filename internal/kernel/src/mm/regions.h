/*
 * The regions of the program's address space: which addresses are mapped, and
 * how. A treap ordered by address; each node knows the largest gap in its
 * subtree, so that finding room takes logarithmic time.
 *
 * Pure: knows nothing of page tables.
 */
#ifndef MM_REGIONS_H
#define MM_REGIONS_H

#include "lib/types.h"

/* region.flags */
#define REGION_STACK 1u    /* grows down on faults (MAP_GROWSDOWN) */
#define REGION_SHARED 2u   /* MAP_SHARED: remembered for mremap and reports */
#define REGION_IMAGE 4u    /* from the program's file */
#define REGION_FIXED 8u    /* belongs to the kernel: vDSO and clock page; programs can't change it */
#define REGION_HEAP 16u    /* of brk(2) */

struct region {
	u64 start, end; /* page-aligned, start < end */
	u32 prot;       /* PROT_* of mmap(2) */
	u32 flags;      /* REGION_* */
	struct region *left, *right, *parent;
	u64 gap;     /* free bytes between the region before and this one */
	u64 max_gap; /* largest gap in this subtree */
	u32 priority;
};

struct regions {
	struct region *root;
	u64 low, high;  /* bounds of the address space */
	u32 count;
	u64 bytes;      /* mapped */
	u64 random;     /* state of the treap's priorities */
};

void regions_init(struct regions *tree, u64 low, u64 high);
struct region *regions_find(const struct regions *tree, u64 address);  /* the one that holds address, or NULL */
struct region *regions_above(const struct regions *tree, u64 address); /* the first with end > address, or NULL */
struct region *regions_next(struct region *region);
struct region *regions_previous(struct region *region);

/*
 * The calls that change the tree get the nodes they need from region_alloc()
 * before they change anything: they return 0, or -ENOMEM with nothing changed.
 */

/* Maps [start, end), which must be free; merges with neighbours of equal prot and flags. */
int regions_insert(struct regions *tree, u64 start, u64 end, u32 prot, u32 flags);
/* Unmaps whatever is in [start, end), splitting regions at its ends. */
int regions_remove(struct regions *tree, u64 start, u64 end);
/* Gives all regions in [start, end) the protection prot, splitting at the ends and merging equal neighbours. */
int regions_protect(struct regions *tree, u64 start, u64 end, u32 prot);
/* True if every byte of [start, end) is mapped. */
bool regions_covered(const struct regions *tree, u64 start, u64 end);
/* The highest address below limit with size free bytes (page-aligned), or 0. */
u64 regions_find_gap(const struct regions *tree, u64 size, u64 low, u64 limit);

/* Given by the slab in the kernel and by malloc in the tests. */
struct region *region_alloc(void);
void region_release(struct region *region);

#endif
