// 20 000 random mmap, munmap, mprotect, mremap and madvise steps against a model, contents checked.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <stdint.h>
#include <sys/mman.h>

enum { page = 4096, pages = 128, steps = 20000 };
static char *area;
static struct {
	int mapped, prot;
	uint64_t value; // of the page's first and last word
} model[pages];
static int fds[2];
static unsigned seed = 2463534242u;

static int pick(int below)
{
	return random32(&seed) % below;
}

static uint64_t *word(int i, int last)
{
	return (uint64_t *)(area + i * page + (last ? page - 8 : 0));
}

// verify asks the kernel itself by way of a pipe, so that no fault is needed.
static void verify(int i)
{
	char c = 0;
	if (!model[i].mapped || model[i].prot == PROT_NONE) {
		CHECK_ERR(write(fds[1], area + i * page, 1), EFAULT);
	} else {
		CHECK_EQ(*word(i, 0), model[i].value);
		CHECK_EQ(*word(i, 1), model[i].value);
	}
	if (model[i].mapped && model[i].prot == PROT_READ) {
		CHECK_EQ(write(fds[1], &c, 1), 1);
		CHECK_ERR(read(fds[0], area + i * page, 1), EFAULT);
		CHECK(read(fds[0], &c, 1) == 1);
	}
	CHECK_EQ(madvise(area + i * page, page, MADV_NORMAL) == 0, model[i].mapped);
}

static void set(int i, int n, int mapped, int prot)
{
	for (int k = i; k < i + n; k++) {
		model[k].mapped = mapped;
		model[k].prot = prot;
		model[k].value = 0;
	}
}

static void touch(int i, int n)
{
	for (int k = i; k < i + n; k++) {
		if (model[k].mapped && model[k].prot == (PROT_READ | PROT_WRITE)) {
			model[k].value = (uint64_t)random32(&seed) << 32 | k;
			*word(k, 0) = *word(k, 1) = model[k].value;
		}
	}
}

static void map(int i, int n, int prot)
{
	char *at = area + i * page;
	CHECK(mmap(at, n * page, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
	set(i, n, 1, prot);
}

static int all_mapped(int i, int n)
{
	int all = 1;
	for (int k = i; k < i + n; k++) {
		all &= model[k].mapped;
	}
	return all;
}

// move maps a fresh range, fills it, and moves it, perhaps growing, to a place of its own.
static void move(int i, int n)
{
	int size = n + pick(3), to = pick(pages - size);
	if (to < i + n && i < to + size) {
		return;
	}
	map(i, n, PROT_READ | PROT_WRITE);
	touch(i, n);
	char *at = area + to * page;
	CHECK(mremap(area + i * page, n * page, size * page, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
	set(to, size, 1, PROT_READ | PROT_WRITE);
	for (int k = 0; k < n; k++) {
		model[to + k].value = model[i + k].value;
	}
	set(i, n, 0, 0);
}

int main(void)
{
	static const int prots[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE};
	CHECK_EQ(pipe(fds), 0);
	area = mmap(NULL, pages * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(area != MAP_FAILED);
	set(0, pages, 1, PROT_NONE);
	for (int step = 0; step < steps; step++) {
		int n = 1 + pick(12), i = pick(pages - n), prot = prots[pick(4)];
		char *at = area + i * page;
		switch (pick(7)) {
		case 0:
			map(i, n, prot);
			break;
		case 1:
			CHECK_EQ(munmap(at, n * page), 0);
			set(i, n, 0, 0);
			break;
		case 2:
			if (all_mapped(i, n)) {
				CHECK_EQ(mprotect(at, n * page, prot), 0);
				for (int k = i; k < i + n; k++) {
					model[k].prot = prot;
				}
			} else if (!model[i].mapped) {
				CHECK_ERR(mprotect(at, n * page, prot), ENOMEM);
			}
			break;
		case 3:
			if (all_mapped(i, n)) {
				CHECK_EQ(madvise(at, n * page, MADV_DONTNEED), 0);
				for (int k = i; k < i + n; k++) {
					model[k].value = 0;
				}
			}
			break;
		case 4:
			move(i, n);
			break;
		case 5: // changes nothing that can be seen
			CHECK_EQ(madvise(at, n * page, MADV_WILLNEED) == 0, all_mapped(i, n));
			break;
		default:
			touch(i, n);
		}
		verify(pick(pages));
		verify(i);
		verify(i + n - 1);
		if (step % 500 == 0) {
			for (int k = 0; k < pages; k++) {
				verify(k);
			}
		}
	}
	return success();
}
