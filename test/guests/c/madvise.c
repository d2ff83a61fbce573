// madvise DONTNEED gives zeroes, FREE keeps or zeroes, hints are accepted; mincore and mlock answer.
// want: exit 0
// stdout: SUCCESS
// memory: 32MiB
#include "check.h"
#include <sys/mman.h>

enum { page = 4096, pages = 64 };
#ifndef MADV_FREE
#define MADV_FREE 8
#endif

static char zeroes[8 * page] __attribute__((aligned(4096))); // .bss is memory like any other
static char data[2 * page] __attribute__((aligned(4096))) = "data";

int main(void)
{
	memset(zeroes, 5, sizeof zeroes);
	CHECK_EQ(madvise(zeroes + page, 2 * page, MADV_DONTNEED), 0);
	for (int i = 0; i < 8 * page; i++) {
		CHECK_EQ(zeroes[i], i >= page && i < 3 * page ? 0 : 5);
	}
	data[page] = 7;
	if (madvise(data, page, MADV_DONTNEED) == 0) { // Linux has the file at hand, a sandbox refuses
		CHECK(strcmp(data, "data") == 0);
	}
	CHECK_EQ(data[page], 7);

	char *a = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(a != MAP_FAILED);
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < pages; i++) {
			CHECK_EQ(a[i * page + round], 0);
			memset(a + i * page, round + 1, page);
		}
		CHECK_EQ(madvise(a + 8 * page, 16 * page, MADV_DONTNEED), 0);
		for (int i = 0; i < pages; i++) {
			CHECK_EQ(a[i * page + 77], i >= 8 && i < 24 ? 0 : (char)(round + 1));
			CHECK_EQ(a[i * page + page - 1], i >= 8 && i < 24 ? 0 : (char)(round + 1));
		}
		CHECK_EQ(madvise(a, pages * page, MADV_DONTNEED), 0);
	}
	memset(a, 9, pages * page);
	CHECK_EQ(madvise(a, pages * page, MADV_FREE), 0);
	for (int i = 0; i < pages; i++) {
		CHECK(a[i * page] == 9 || a[i * page] == 0);
		a[i * page] = 5; // a write cancels it
		CHECK_EQ(a[i * page], 5);
	}
	// 8 times 16 MiB fits into 32 MiB only if DONTNEED gives memory back.
	size_t big = 16 << 20;
	char *b = mmap(NULL, big, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *c = mmap(NULL, big, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int round = 0; round < 8; round++) {
		char *p = round % 2 ? b : c;
		for (size_t i = 0; i < big; i += page) {
			CHECK_EQ(p[i], 0);
			p[i] = 1;
		}
		CHECK_EQ(madvise(p, big, MADV_DONTNEED), 0);
	}
	CHECK_EQ(munmap(b, big), 0);
	CHECK_EQ(munmap(c, big), 0);

	// WILLNEED takes no memory away from who uses it, and none of it is dirty.
	size_t huge = (size_t)1 << 30;
	char *h = mmap(NULL, huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(h != MAP_FAILED);
	h[5 * page] = 7;
	CHECK_EQ(madvise(h, huge, MADV_WILLNEED), 0);
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(h[i * page], i == 5 ? 7 : 0);
	}
	char *d = mmap(NULL, big / 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(d != MAP_FAILED);
	memset(d, 1, big / 2);
	CHECK_EQ(munmap(d, big / 2), 0);
	CHECK_EQ(munmap(h, huge), 0);
	CHECK_ERR(madvise(h, page, MADV_WILLNEED), ENOMEM);

	// DONTNEED on a read-only mapping zeroes as well.
	CHECK_EQ(mprotect(a, page, PROT_READ), 0);
	CHECK_EQ(madvise(a, page, MADV_DONTNEED), 0);
	CHECK_EQ(a[0], 0);
	int hints[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTDUMP, MADV_DODUMP};
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(madvise(a, pages * page, hints[i]), 0);
	}
	int rc = madvise(a, pages * page, MADV_HUGEPAGE); // absent from some kernels
	CHECK(rc == 0 || errno == EINVAL);
	CHECK_ERR(madvise(a + 1, page, MADV_DONTNEED), EINVAL);
	CHECK_ERR(madvise(a, page, 9999), EINVAL);
	CHECK_EQ(madvise(a, 0, MADV_DONTNEED), 0);

	unsigned char residency[pages];
	CHECK_EQ(mincore(a, pages * page, residency), 0);
	CHECK_EQ(residency[pages - 1] & 1, 1);
	CHECK_ERR(mincore(a + 1, page, residency), EINVAL);
	CHECK_EQ(munmap(a + page, page), 0);
	CHECK_ERR(mincore(a + page, page, residency), ENOMEM);
	CHECK_ERR(madvise(a + page, page, MADV_DONTNEED), ENOMEM);

	enum { populate_read = 22, populate_write = 23 };
	CHECK_ERR(madvise(a, page, populate_write), EINVAL); // it is read-only
	CHECK_ERR(madvise(a + page, page, populate_read), ENOMEM);
	CHECK_EQ(madvise(a, page, populate_read), 0);
	CHECK_EQ(mlock(a + 5, 1), 0);
	CHECK_EQ(munlock(a + 5, 1), 0);
	CHECK_ERR(mlock(a, 2 * page), ENOMEM);
	CHECK_ERR(munlock(a, 2 * page), ENOMEM);
	CHECK_ERR(mlockall(0), EINVAL);
	CHECK_ERR(mlockall(64), EINVAL);
	return success();
}
