// Asks the kernel to unmap, replace, protect, move and forget its own memory and the direct map.
// want: exit 0
// stdout: SUCCESS
// native: no
#include "hostile.h"

int main(void)
{
	sandbox_only();
	uintptr_t areas[] = {KERNEL, DIRECT_MAP, KERNEL + 4096, DIRECT_MAP + (1 << 20), KERNEL - 4096, 0x800000000000 - 4096};
	enum { rw = PROT_READ | PROT_WRITE, fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED };
	char *own = mmap(NULL, 65536, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char vec[64];
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof areas / sizeof *areas; i++) {
			void *at = (void *)areas[i];
			size_t size = round ? (size_t)1 << 30 : 8192;
			munmap(at, size);
			CHECK(mmap(at, size, rw, fixed, -1, 0) == MAP_FAILED || i == 4);
			CHECK(mmap(at, size, PROT_NONE, fixed, -1, 0) == MAP_FAILED || i == 4);
			CHECK(mprotect(at, size, rw) == -1 || i == 4);
			CHECK(mprotect(at, size, PROT_NONE) == -1 || i == 4);
			madvise(at, size, MADV_DONTNEED);
			CHECK(mremap(at, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED || i == 4);
			CHECK(mremap(own, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, at) == MAP_FAILED || i == 4);
			own = mmap(own, 65536, rw, fixed, -1, 0);
			mincore(at, 4096, vec);
			syscall(SYS_brk, at);
			CHECK_EQ(syscall(SYS_write, 1, "alive\n", 6), 6);
		}
	}
	// Ranges that wrap around or swallow everything.
	munmap((void *)(DIRECT_MAP - 4096), (size_t)-4096);
	CHECK_ERR(munmap((void *)4096, (size_t)-8192), EINVAL);
	CHECK(mmap((void *)4096, (size_t)-8192, rw, fixed, -1, 0) == MAP_FAILED);
	CHECK(mprotect((void *)4096, (size_t)-8192, PROT_NONE) == -1);
	CHECK(mmap(NULL, (size_t)-1, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK(mremap(own, 4096, (size_t)-4096, MREMAP_MAYMOVE) == MAP_FAILED);
	own[0] = 1;
	return success();
}
