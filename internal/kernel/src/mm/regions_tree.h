/* The treap under mm/regions.h: what the calls that change it are made of. No call here allocates. */
#ifndef MM_REGIONS_TREE_H
#define MM_REGIONS_TREE_H

#include "mm/regions.h"

/* Puts a region whose start, end, prot and flags are set, and which overlaps no other, into the tree. */
void regions_link(struct regions *tree, struct region *region);
void regions_unlink(struct regions *tree, struct region *region);
/* Moves the bounds of a region in the tree; it must stay between its neighbours. */
void regions_resize(struct regions *tree, struct region *region, u64 start, u64 end);

#endif
