#include "lib/ring.h"

#include "test.h"

#define SIZE 64u

/* Byte number n of the stream that goes through the ring. */
static u8 stream(u32 n) { return (u8)(n * 167 + n / 256); }

/* Writes want bytes of the stream from position at; returns how many were taken. */
static u32 write_stream(struct ring *ring, u32 at, u32 want)
{
	u8 bytes[2 * SIZE];

	for (u32 i = 0; i < want; i++)
		bytes[i] = stream(at + i);
	return ring_write(ring, bytes, want);
}

/* Reads up to want bytes and checks that they are those of the stream from position at. */
static u32 read_stream(struct ring *ring, u32 at, u32 want)
{
	u8 bytes[2 * SIZE + 1];
	u32 got;

	memset(bytes, 0xee, sizeof(bytes));
	got = ring_read(ring, bytes, want);
	CHECK(got <= want);
	for (u32 i = 0; i < got; i++)
		CHECK_EQUAL(bytes[i], stream(at + i));
	for (u32 i = got; i < sizeof(bytes); i++)
		CHECK_EQUAL(bytes[i], 0xee);
	return got;
}

/* Random reads and writes, with the counters starting at a given value. */
static void test_from(u32 start, u64 seed)
{
	u8 *buffer = malloc(SIZE); /* on the heap, so that ASan sees an access beside it */
	struct ring ring = {.buffer = buffer, .size = SIZE, .head = start, .tail = start};
	struct test_random random = {seed};
	u32 written = 0, read = 0;

	for (int step = 0; step < 20000; step++) {
		u32 want = (u32)test_random_below(&random, 2 * SIZE + 1);
		u32 used = written - read;

		CHECK_EQUAL(ring_used(&ring), used);
		CHECK_EQUAL(ring_free(&ring), SIZE - used);
		if (test_random_below(&random, 2) == 0) {
			u32 moved = write_stream(&ring, written, want);

			CHECK_EQUAL(moved, MIN(want, SIZE - used));
			written += moved;
		} else {
			u32 moved = read_stream(&ring, read, want);

			CHECK_EQUAL(moved, MIN(want, used));
			read += moved;
		}
		CHECK_EQUAL(ring.head, start + read);
		CHECK_EQUAL(ring.tail, start + written);
	}
	free(buffer);
}

int main(void)
{
	test_from(0, 1);
	test_from(SIZE - 1, 2);
	/* The counters pass 2^32. */
	test_from(UINT32_MAX, 3);
	test_from(UINT32_MAX - SIZE + 1, 4);
	test_from(UINT32_MAX - 10 * SIZE + 7, 5);
	test_from(1u << 31, 6);
	return 0;
}
