#include "mm/slab.h"

#include "lib/string.h"
#include "mm/pool.h"

#define SMALLEST_SHIFT 4
#define CLASSES 9 /* 16 << 0 to 16 << 8 */

struct slab {
	void *free; /* freed objects, each begins with the pointer to the next */
	u8 *fresh;  /* the rest of the page that is being cut up, all zero */
	u32 fresh_objects;
};

static struct slab slabs[CLASSES];

static unsigned class_of(size_t size)
{
	unsigned index = 0;

	ASSERT(size <= PAGE_SIZE);
	while (((size_t)1 << (index + SMALLEST_SHIFT)) < size)
		index++;
	return index;
}

static void *take_fresh(struct slab *slab, size_t object_size)
{
	void *object;

	if (slab->fresh_objects == 0) {
		slab->fresh = pool_take(&kernel_pool);
		if (slab->fresh == NULL)
			return NULL;
		slab->fresh_objects = PAGE_SIZE / object_size;
	}
	object = slab->fresh;
	slab->fresh += object_size;
	slab->fresh_objects--;
	return object;
}

void *slab_alloc(size_t size)
{
	unsigned index = class_of(size);
	size_t object_size = (size_t)1 << (index + SMALLEST_SHIFT);
	struct slab *slab = &slabs[index];
	void *object = slab->free;

	if (object == NULL)
		return take_fresh(slab, object_size);
	slab->free = *(void **)object;
	memset(object, 0, object_size);
	return object;
}

void slab_free(void *object, size_t size)
{
	struct slab *slab = &slabs[class_of(size)];

	if (object == NULL)
		return;
	*(void **)object = slab->free;
	slab->free = object;
}
