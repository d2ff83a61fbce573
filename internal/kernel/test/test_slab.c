#include "mm/pool.h"
#include "mm/slab.h"

#include "test.h"

#define PAGES 64ull

static _Alignas(4096) u8 memory[PAGES * PAGE_SIZE];

void *physical_to_virtual(u64 physical)
{
	CHECK(physical < sizeof(memory));
	return memory + physical;
}

u64 virtual_to_physical(const void *address) { return (u64)((const u8 *)address - memory); }

static size_t rounded(size_t size)
{
	size_t power = 16;

	while (power < size)
		power *= 2;
	return power;
}

static bool is_zero(const u8 *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

struct object {
	u8 *bytes;
	size_t size;
	u8 mark;
};

static void check_object(const struct object *object)
{
	for (size_t i = 0; i < object->size; i++)
		CHECK_EQUAL(object->bytes[i], object->mark);
}

static struct object make_object(size_t size, u8 mark)
{
	struct object object = {.bytes = slab_alloc(size), .size = size, .mark = mark};

	if (object.bytes) {
		CHECK_EQUAL((uintptr_t)object.bytes % rounded(size), 0);
		CHECK(object.bytes >= memory && object.bytes + rounded(size) <= memory + sizeof(memory));
		CHECK(is_zero(object.bytes, rounded(size)));
		memset(object.bytes, mark, size);
	}
	return object;
}

/* One page holds as many objects of a class as fit, and a freed one is the next to be used. */
static void test_classes(void)
{
	for (size_t size = 16; size <= PAGE_SIZE; size *= 2) {
		u64 before = pool_available(&kernel_pool);
		u8 *first = slab_alloc(size), *other = first;

		for (size_t i = 1; i < PAGE_SIZE / size; i++) {
			other = slab_alloc(size / 2 + 1); /* the smallest that rounds up to it */
			CHECK_EQUAL((uintptr_t)other & PAGE_MASK, (uintptr_t)first & PAGE_MASK);
		}
		CHECK_EQUAL(pool_available(&kernel_pool), before - 1);
		memset(other, 0xff, size);
		slab_free(other, size / 2 + 1);
		CHECK(slab_alloc(size) == other);
		CHECK(is_zero(other, size));
		CHECK_EQUAL(pool_available(&kernel_pool), before - 1);
	}
}

static void test_edges(void)
{
	u8 *none = slab_alloc(0), *one = slab_alloc(1);

	CHECK(none && one && none != one);
	slab_free(none, 0);
	slab_free(one, 1);
	slab_free(NULL, 100);
	CHECK_PANICS(slab_alloc(PAGE_SIZE + 1));
}

/* Objects don't overlap, keep what is in them, and come zeroed; sizes are mixed. */
static void test_random_steps(u64 seed)
{
	static struct object objects[300];
	struct test_random random = {seed};
	size_t count = 0;

	for (int step = 0; step < 50000; step++) {
		if (count < ARRAY_LENGTH(objects) && test_random_below(&random, 2) == 0) {
			size_t size = 1 + test_random_below(&random, 16ull << test_random_below(&random, 6));
			struct object object = make_object(size, (u8)(1 + step % 255));

			if (object.bytes)
				objects[count++] = object;
		} else if (count > 0) {
			size_t at = test_random_below(&random, count);

			check_object(&objects[at]);
			slab_free(objects[at].bytes, objects[at].size);
			objects[at] = objects[--count];
		}
	}
	while (count > 0) {
		check_object(&objects[--count]);
		slab_free(objects[count].bytes, objects[count].size);
	}
}

static void test_exhaustion(void)
{
	struct object objects[PAGES];
	size_t count = 0;

	while (pool_available(&kernel_pool) > 3)
		CHECK(pool_take(&kernel_pool));
	while (count < PAGES) {
		objects[count] = make_object(PAGE_SIZE, 1);
		if (!objects[count].bytes)
			break;
		count++;
	}
	CHECK(count >= 3 && count < PAGES);
	CHECK(!slab_alloc(PAGE_SIZE));
	CHECK(!slab_alloc(PAGE_SIZE / 2 + 1));
	/* What is given back can be had again. */
	slab_free(objects[0].bytes, PAGE_SIZE);
	CHECK(slab_alloc(PAGE_SIZE) == objects[0].bytes);
	CHECK(!slab_alloc(PAGE_SIZE));
}

int main(void)
{
	pool_init(&kernel_pool, 0, sizeof(memory));
	test_classes();
	test_edges();
	test_random_steps(1);
	test_random_steps(2);
	test_exhaustion();
	return 0;
}
