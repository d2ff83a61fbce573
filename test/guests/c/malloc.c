// Heavy malloc, calloc, realloc, memalign and free with patterns, in small and in mapped sizes.
// want: exit 0
// stdout: SUCCESS
// memory: 64MiB
// pie: yes
#include "check.h"
#include <malloc.h>
#include <stdint.h>

enum { slots = 400, steps = 40000 };
static struct slot {
	unsigned char *data;
	size_t size;
	unsigned char tag;
} table[slots];

static void fill(struct slot *s)
{
	memset(s->data, s->tag, s->size);
}

static void verify(const struct slot *s, size_t upto)
{
	for (size_t i = 0; i < upto; i += i < 64 || i + 64 >= upto ? 1 : 61) {
		CHECK_EQ(s->data[i], s->tag);
	}
}

static size_t pick_size(unsigned *seed)
{
	unsigned r = random32(seed);
	return r % 100 == 0 ? 1 + r / 100 % 400000 : r % 10 == 0 ? 1 + r / 10 % 20000 : 1 + r / 10 % 500;
}

int main(void)
{
	unsigned seed = 12345;
	for (int step = 0; step < steps; step++) {
		struct slot *s = &table[random32(&seed) % slots];
		size_t size = pick_size(&seed);
		if (s->data == NULL) {
			s->tag = step;
			s->size = size;
			switch (step % 3) {
			case 0:
				CHECK((s->data = malloc(size)) != NULL);
				break;
			case 1:
				CHECK((s->data = calloc(1, size)) != NULL);
				for (size_t i = 0; i < size; i += 7) {
					CHECK_EQ(s->data[i], 0);
				}
				break;
			default:
				CHECK_EQ(posix_memalign((void **)&s->data, 256, size), 0);
				CHECK_EQ((uintptr_t)s->data % 256, 0);
			}
			CHECK(malloc_usable_size(s->data) >= size);
			fill(s);
		} else if (step % 2) {
			CHECK((s->data = realloc(s->data, size)) != NULL);
			verify(s, size < s->size ? size : s->size);
			s->size = size;
			fill(s);
		} else {
			verify(s, s->size);
			free(s->data);
			s->data = NULL;
		}
	}

	// Big blocks: grown by mremap, given back by munmap.
	size_t size = 1 << 20;
	unsigned char *big = malloc(size);
	CHECK(big != NULL);
	memset(big, 0x5a, size);
	for (; size < 16 << 20; size *= 2) {
		CHECK((big = realloc(big, size * 2)) != NULL);
		CHECK(big[0] == 0x5a && big[size - 1] == 0x5a);
		memset(big + size, 0x5a, size);
	}
	CHECK((big = realloc(big, 4096)) != NULL);
	CHECK(big[0] == 0x5a && big[4095] == 0x5a);
	free(big);
	for (int i = 0; i < slots; i++) {
		if (table[i].data) {
			verify(&table[i], table[i].size);
		}
		free(table[i].data);
	}
#ifdef __GLIBC__
	malloc_trim(0);
#endif
	for (int i = 0; i < 20; i++) { // 20 times 32 MiB fits only if it is given back
		unsigned char *p = malloc(32 << 20);
		CHECK(p != NULL);
		p[i << 20] = 1;
		memset(p + (4 << 20), i, 2 << 20);
		free(p);
	}
	CHECK(malloc((size_t)1 << 60) == NULL && errno == ENOMEM);
	return success();
}
