// mremap: grow in place and by moving, shrink, MREMAP_FIXED, contents and zeroed new pages.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <stdint.h>
#include <sys/mman.h>

enum { page = 4096, rw = PROT_READ | PROT_WRITE };

static char *map(void *at, size_t pages)
{
	char *p = mmap(at, pages * page, rw, MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < pages; i++) {
		p[i * page] = (char)(i + 1);
	}
	return p;
}

static void verify(const char *p, size_t from, size_t to, int zero)
{
	for (size_t i = from; i < to; i++) {
		CHECK_EQ(p[i * page], zero ? 0 : (char)(i + 1));
		CHECK_EQ(p[i * page + page - 1], 0);
	}
}

static int mapped(void *at)
{
	return madvise(at, page, MADV_NORMAL) == 0;
}

int main(void)
{
	char *area = mmap(NULL, 64 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(area != MAP_FAILED);
	CHECK_EQ(munmap(area, 64 * page), 0); // a place known to be free

	char *p = map(area, 4);
	char *q = mremap(p, 4 * page, 8 * page, 0);
	CHECK(q == p); // room behind it
	verify(q, 0, 4, 0);
	verify(q, 4, 8, 1);
	q = mremap(p, 8 * page, 3 * page, 0);
	CHECK(q == p && mapped(p + 2 * page) && !mapped(p + 3 * page));
	verify(q, 0, 3, 0);

	char *wall = map(p + 3 * page, 1);
	CHECK_ERR((intptr_t)mremap(p, 3 * page, 5 * page, 0), ENOMEM);
	verify(p, 0, 3, 0);
	q = mremap(p, 3 * page, 5 * page, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p && !mapped(p) && !mapped(p + 2 * page));
	verify(q, 0, 3, 0);
	verify(q, 3, 5, 1);
	CHECK_EQ(*wall, 1);

	char *target = map(area + 32 * page, 4); // is replaced
	char *r = mremap(q, 5 * page, 6 * page, MREMAP_MAYMOVE | MREMAP_FIXED, target - page);
	CHECK(r == target - page && !mapped(q));
	verify(r, 0, 3, 0);
	verify(r, 3, 6, 1);
	r = mremap(r, 6 * page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, area + 48 * page);
	CHECK(r == area + 48 * page && !mapped(target - page) && !mapped(target + 4 * page));
	verify(r, 0, 2, 0);

	CHECK_ERR((intptr_t)mremap(r + 1, page, 2 * page, MREMAP_MAYMOVE), EINVAL);
	CHECK_ERR((intptr_t)mremap(r, page, 0, MREMAP_MAYMOVE), EINVAL);
	CHECK_ERR((intptr_t)mremap(r, page, page, 0x40), EINVAL);
	CHECK_ERR((intptr_t)mremap(r, page, page, MREMAP_FIXED, area), EINVAL);
	CHECK_ERR((intptr_t)mremap(r, 2 * page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, r + page), EINVAL);
	CHECK_ERR((intptr_t)mremap(area, page, 2 * page, MREMAP_MAYMOVE), EFAULT);
	CHECK_ERR((intptr_t)mremap(r, 3 * page, 9 * page, MREMAP_MAYMOVE), EFAULT); // leaves the mapping
	verify(r, 0, 2, 0);

	// The middle of a mapping moves away and leaves a hole.
	p = map(area, 8);
	q = mremap(p + 2 * page, 2 * page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, area + 20 * page);
	CHECK(q == area + 20 * page && !mapped(p + 2 * page) && mapped(p + 4 * page));
	CHECK_EQ(q[0], 3);
	CHECK_EQ(p[4 * page], 5);
	// Protection moves along.
	CHECK_EQ(mprotect(q, 2 * page, PROT_READ), 0);
	r = mremap(q, 2 * page, 4 * page, MREMAP_MAYMOVE);
	CHECK(r != MAP_FAILED && r[0] == 3 && r[3 * page] == 0);
	int fds[2];
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_ERR(read(fds[0], r, 1), EFAULT);
	return success();
}
