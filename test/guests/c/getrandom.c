// getrandom and getentropy fill whole buffers of any size with bytes that differ from call to call.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <sys/random.h>

int main(void)
{
	static unsigned char a[100000], b[100000];
	CHECK_EQ(getrandom(a, sizeof a, 0), sizeof a);
	CHECK_EQ(getrandom(b, sizeof b, 0), sizeof b);
	CHECK(memcmp(a, b, sizeof a) != 0);
	long ones = 0, counts[256] = {0};
	for (size_t i = 0; i < sizeof a; i++) {
		ones += __builtin_popcount(a[i]);
		counts[a[i]]++;
	}
	CHECK(ones > 395000 && ones < 405000);
	for (int i = 0; i < 256; i++) {
		CHECK(counts[i] > 250 && counts[i] < 550);
	}
	for (size_t size = 0; size < 300; size++) {
		memset(a, 0, 512);
		CHECK_EQ(getrandom(a, size, size % 2 ? GRND_NONBLOCK : 0), (ssize_t)size);
		for (size_t i = size; i < 512; i++) {
			CHECK_EQ(a[i], 0); // nothing behind it
		}
	}
	CHECK_EQ(getrandom(a, 32, GRND_RANDOM), 32);
	CHECK_EQ(getentropy(a, 32), 0);
	CHECK_EQ(getentropy(b, 32), 0);
	CHECK(memcmp(a, b, 32) != 0);
	CHECK_ERR(getentropy(a, 257), EIO);
	CHECK_ERR(getrandom(a, 1, 0x100), EINVAL);
	return success();
}
