// Reads a stdin larger than any buffer in pieces of odd sizes.
// want: exit 0
// stdout: SUCCESS
// stdin: 0123456789abcdef
// stdin-repeat: 20000
#include "check.h"
#include <sys/uio.h>

int main(void)
{
	static char buf[9999];
	const char *digits = "0123456789abcdef";
	size_t total = 0, size = 1;
	for (;;) {
		struct iovec parts[2] = {{buf, size / 2}, {buf + size / 2, size - size / 2}};
		ssize_t n = size % 3 ? read(0, buf, size) : readv(0, parts, 2);
		CHECK(n >= 0 && (size_t)n <= size);
		if (n == 0) {
			break;
		}
		for (ssize_t i = 0; i < n; i++) {
			CHECK_EQ(buf[i], digits[(total + i) % 16]);
		}
		total += n;
		size = size * 7 % 9998 + 1;
	}
	CHECK_EQ(total, 16 * 20000);
	return success();
}
