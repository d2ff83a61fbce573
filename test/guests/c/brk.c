// brk grows, shrinks and gives zeroed memory again; it refuses what is too much.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <stdint.h>
#include <sys/syscall.h>

// brk_to is the bare call: it returns the break that then holds.
static char *brk_to(char *to)
{
	return (char *)syscall(SYS_brk, to);
}

int main(void)
{
	char *start = brk_to(NULL);
	CHECK(start != NULL && brk_to(NULL) == start);
	for (int round = 0; round < 20; round++) {
		size_t size = (size_t)(round + 1) * 100000;
		CHECK(brk_to(start + size) == start + size);
		for (size_t i = 0; i < size; i++) {
			// The rest of the page that the break was in is kept as it was.
			CHECK(start[i] == 0 || ((uintptr_t)(start + i) & ~4095UL) == ((uintptr_t)start & ~4095UL));
		}
		memset(start, 0x77, size);
		CHECK(brk_to(start + size / 2) == start + size / 2);
		CHECK_EQ(start[size / 2 - 1], 0x77);
		CHECK(brk_to(start + size) == start + size);
		CHECK_EQ(start[size - 1], 0); // given back, so zeroed
		CHECK(brk_to(start) == start);
	}
	CHECK(brk_to((char *)1) == start);
	CHECK(brk_to((char *)-4096) == start);
	CHECK(brk_to(start + ((uintptr_t)1 << 46)) == start);
	CHECK(brk_to(start + 1) == start + 1);
	start[0] = 1;
	return success();
}
