// The main thread's stack grows by use to several MiB, and big frames work.
// want: exit 0
// stdout: SUCCESS
#include "check.h"

static __attribute__((noinline)) unsigned dig(unsigned depth, unsigned char *up)
{
	unsigned char frame[4000];
	memset(frame, (int)depth, sizeof frame);
	__asm__ volatile("" ::"r"(frame) : "memory");
	unsigned got = depth == 0 ? 0 : 1 + dig(depth - 1, frame);
	CHECK_EQ(frame[0] + frame[3999], 2 * (depth & 255));
	CHECK(up == NULL || up[1234] == (unsigned char)(depth + 1));
	return got;
}

static __attribute__((noinline)) void big_frame(void)
{
	volatile char frame[3 << 20];
	frame[0] = 1; // far below what was touched so far
	frame[sizeof frame - 1] = 2;
	CHECK_EQ(frame[0] + frame[sizeof frame - 1] + frame[1 << 20], 3 + frame[1 << 20]);
}

int main(void)
{
	big_frame();
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(dig(1200, NULL), 1200);
	}
	big_frame();
	return success();
}
