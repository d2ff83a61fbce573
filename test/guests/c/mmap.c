// mmap and munmap: zeroed pages, hints, MAP_FIXED, MAP_FIXED_NOREPLACE, holes, error codes.
// want: exit 0
// stdout: SUCCESS
// pie: yes
#include "check.h"
#include <stdint.h>
#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { page = 4096, flags = MAP_PRIVATE | MAP_ANONYMOUS, rw = PROT_READ | PROT_WRITE };

static char *map(void *at, size_t pages, int prot, int more)
{
	return mmap(at, pages * page, prot, flags | more, -1, 0);
}

// mapped asks the kernel whether a page is mapped at all.
static int mapped(void *at)
{
	return madvise(at, page, MADV_NORMAL) == 0;
}

int main(void)
{
	char *a = map(NULL, 16, rw, 0);
	CHECK(a != MAP_FAILED && (uintptr_t)a % page == 0);
	for (int i = 0; i < 16 * page; i++) {
		CHECK_EQ(a[i], 0);
	}
	memset(a, 1, 16 * page);
	CHECK_EQ(munmap(a + 4 * page, 2 * page), 0); // a hole
	CHECK(mapped(a + 3 * page) && !mapped(a + 4 * page) && !mapped(a + 5 * page) && mapped(a + 6 * page));
	CHECK_EQ(a[4 * page - 1] + a[6 * page], 2);
	CHECK_EQ(munmap(a + 4 * page, 2 * page), 0); // of nothing: fine
	char *hint = map(a + 4 * page, 2, rw, 0);
	CHECK(hint == a + 4 * page); // a free hint is taken
	CHECK_EQ(hint[0] + hint[2 * page - 1], 0);
	char *other = map(a, 1, rw, 0);
	CHECK(other != a && other != MAP_FAILED); // an occupied one is not
	CHECK_EQ(a[0], 1);
	CHECK_ERR((intptr_t)map(a, 1, rw, MAP_FIXED_NOREPLACE), EEXIST);
	CHECK_EQ(munmap(other, page), 0);
	CHECK(map(a + page, 2, rw, MAP_FIXED) == a + page); // replaces
	CHECK_EQ(a[page - 1], 1);
	CHECK_EQ(a[page] + a[3 * page - 1], 0);
	CHECK_EQ(a[3 * page], 1);
	CHECK_EQ(munmap(a, 16 * page), 0);
	CHECK(!mapped(a) && !mapped(a + 15 * page));
	CHECK(map(a, 1, rw, MAP_FIXED_NOREPLACE) == a);

	CHECK_ERR((intptr_t)mmap(NULL, 0, rw, flags, -1, 0), EINVAL);
	CHECK_ERR((intptr_t)map(a + 1, 1, rw, MAP_FIXED), EINVAL);
	CHECK_ERR((intptr_t)mmap(NULL, page, rw, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERR((intptr_t)mmap(NULL, page, rw, MAP_PRIVATE, 77, 0), EBADF);
	CHECK_ERR((intptr_t)mmap(NULL, (size_t)1 << 60, rw, flags, -1, 0), ENOMEM);
	CHECK_ERR((intptr_t)mmap((void *)0x7ffffffff000, 2 * page, rw, flags | MAP_FIXED, -1, 0), ENOMEM);
	CHECK_ERR(munmap(a + 1, page), EINVAL);
	CHECK_ERR(munmap(a, 0), EINVAL);
	CHECK_EQ((uintptr_t)map((void *)0x12345678, 1, rw, 0) % page, 0); // a hint need not be aligned

	// Reserve far more than there is memory, as Go does, and commit parts of it.
	char *big = mmap(NULL, (size_t)1 << 38, PROT_NONE, flags | MAP_NORESERVE, -1, 0);
	CHECK(big != MAP_FAILED);
	for (size_t i = 0; i < 10; i++) {
		char *part = big + (i * 6007 << 22);
		CHECK(map(part, 4, rw, MAP_FIXED) == part);
		part[4 * page - 1] = (char)i;
		CHECK_EQ(part[0] + part[4 * page - 1], (char)i);
	}
	CHECK_EQ(munmap(big, (size_t)1 << 38), 0);
	CHECK(!mapped(big) && !mapped(big + (7919UL << 22)));

	// Shared anonymous memory, populated memory, an unaligned length.
	char *shared = mmap(NULL, 3 * page - 5, rw, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	CHECK(shared != MAP_FAILED);
	shared[3 * page - 1] = 1;
	CHECK_EQ(munmap(shared, 3 * page - 5), 0);
	CHECK(!mapped(shared + 2 * page));

	// In the low 2 GiB, for code that addresses it with 32 bits.
	for (int i = 0; i < 4; i++) {
		char *low = mmap(NULL, 1 << 20, rw, flags | MAP_32BIT, -1, 0);
		CHECK(low != MAP_FAILED && (uintptr_t)low + (1 << 20) <= 1u << 31);
		low[i] = 1;
	}

	// Give back and take again many times: the kernel must not lose pages.
	for (int i = 0; i < 2000; i++) {
		char *p = map(NULL, 64, rw, 0);
		CHECK(p != MAP_FAILED);
		for (int k = 0; k < 64; k += 8) {
			CHECK_EQ(p[k * page], 0);
			p[k * page] = 1;
		}
		CHECK_EQ(munmap(p, 64 * page), 0);
	}
	return success();
}
