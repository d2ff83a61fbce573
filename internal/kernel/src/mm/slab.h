/*
 * Small kernel objects. Sizes are rounded up to a power of two between 16 and
 * 4096 bytes; each size has a free list that is fed by pages of the pool.
 * Pages do not go back to the pool: what a guest needed once it needs again.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include "lib/types.h"

void *slab_alloc(size_t size);             /* zeroed, aligned to its rounded size; NULL when memory is exhausted */
void slab_free(void *object, size_t size); /* size as given to slab_alloc */

#endif
