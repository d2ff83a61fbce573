// Writes 2 MiB to stdout in pieces of many sizes; every write is complete.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <sys/uio.h>

int main(void)
{
	static char block[100000];
	for (size_t i = 0; i < sizeof block; i++) {
		block[i] = i % 64 == 63 ? '\n' : 'a' + i % 26;
	}
	for (size_t total = 0, size = 1; total < 2 << 20; total += size) {
		size = size * 3 % 99991 + 1;
		CHECK_EQ(write(1, block, size), size);
	}
	volatile int minus_one = -1;
	struct iovec parts[3] = {{block, 5}, {NULL, 0}, {(char *)"\n", 1}};
	CHECK_EQ(writev(1, parts, 3), 6);
	CHECK_EQ(writev(1, parts, 0), 0);
	CHECK_EQ(write(1, block, 0), 0);
	CHECK_EQ(write(2, "to stderr\n", 10), 10);
	CHECK_ERR(write(77, "x", 1), EBADF);
	CHECK_ERR(writev(1, parts, minus_one), EINVAL);
	return success();
}
