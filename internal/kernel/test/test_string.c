/*
 * The kernel's string functions, in one of two ways. As a part of this file
 * they have other names, because the host's own, and the sanitizers' in front
 * of them, have to stay what they are. With STRING_LINKED they are the object
 * as the kernel links it, under their real names: where the compiler made a
 * call of memset out of the loop in memset, this one runs out of stack.
 */
#include "test.h"

#ifdef STRING_LINKED
#include "lib/string.h"
#define kernel_memcpy memcpy
#define kernel_memmove memmove
#define kernel_memset memset
#define kernel_memcmp memcmp
#define kernel_strlen strlen
#define kernel_strcmp strcmp
#else
#define memcpy kernel_memcpy
#define memmove kernel_memmove
#define memset kernel_memset
#define memcmp kernel_memcmp
#define strlen kernel_strlen
#define strcmp kernel_strcmp
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp
#endif

#define MARGIN 16
#define LARGEST 1100 /* more than where the string instructions take over */
#define ROOM (2 * LARGEST + 4 * MARGIN)

static u8 pattern(size_t n) { return (u8)(n * 31 + n / 251 + 1); }

static void fill(u8 *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = pattern(i);
}

/* Every size up to 300, then some; each with every alignment. */
static size_t next_size(size_t size) { return size < 300 ? size + 1 : size + 97; }

static void check_copy(size_t to_offset, size_t from_offset, size_t size)
{
	u8 from[LARGEST + 2 * MARGIN], to[LARGEST + 2 * MARGIN], want[LARGEST + 2 * MARGIN];

	fill(from, sizeof(from));
	memset(to, 0, sizeof(to));
	memset(want, 0, sizeof(want));
	for (size_t i = 0; i < size; i++)
		want[to_offset + i] = from[from_offset + i];
	CHECK(kernel_memcpy(to + to_offset, from + from_offset, size) == to + to_offset);
	CHECK(memcmp(to, want, sizeof(to)) == 0);

	memset(to, 0, sizeof(to));
	CHECK(kernel_memmove(to + to_offset, from + from_offset, size) == to + to_offset);
	CHECK(memcmp(to, want, sizeof(to)) == 0);
}

static void test_copy(void)
{
	for (size_t size = 0; size <= LARGEST; size = next_size(size))
		for (size_t to = 0; to < MARGIN; to++)
			for (size_t from = 0; from < MARGIN; from += 1 + (size > 40) * 4)
				check_copy(to, from, size);
}

static void check_overlap(size_t to, size_t from, size_t size)
{
	u8 got[ROOM], want[ROOM];

	fill(got, sizeof(got));
	fill(want, sizeof(want));
	for (size_t i = 0; i < size; i++)
		want[to + i] = pattern(from + i);
	CHECK(kernel_memmove(got + to, got + from, size) == got + to);
	CHECK(memcmp(got, want, sizeof(got)) == 0);
}

static void test_overlap(void)
{
	for (size_t size = 0; size <= LARGEST; size = next_size(size)) {
		size_t step = size < 64 ? 1 : 1 + size / 16;

		for (size_t distance = 0; distance <= size + 1; distance += step) {
			check_overlap(MARGIN, MARGIN + distance, size);
			check_overlap(MARGIN + distance, MARGIN, size);
			check_overlap(MARGIN + 3, MARGIN + 3 + distance, size);
		}
		check_overlap(MARGIN, MARGIN + 1, size);
		check_overlap(MARGIN + 1, MARGIN, size);
		check_overlap(MARGIN, MARGIN + 7, size);
		check_overlap(MARGIN + 7, MARGIN, size);
	}
}

static void test_set(void)
{
	static const int bytes[] = {0, 1, 0x80, 0xff, 0x1a5, -1};

	for (size_t size = 0; size <= LARGEST; size = next_size(size)) {
		for (size_t offset = 0; offset < MARGIN; offset++) {
			u8 got[LARGEST + 2 * MARGIN], want[LARGEST + 2 * MARGIN];
			int byte = bytes[(size + offset) % ARRAY_LENGTH(bytes)];

			fill(got, sizeof(got));
			fill(want, sizeof(want));
			for (size_t i = 0; i < size; i++)
				want[offset + i] = (u8)byte;
			CHECK(kernel_memset(got + offset, byte, size) == got + offset);
			CHECK(memcmp(got, want, sizeof(got)) == 0);
		}
	}
}

static int sign(int value) { return (value > 0) - (value < 0); }

static void test_compare(void)
{
	for (size_t size = 0; size <= 300; size++) {
		/* Exactly size bytes on the heap: ASan reports a read of one more. */
		u8 *a = malloc(size + 1), *b = malloc(size + 1);
		u8 *x = a + 1, *y = b + 1;

		fill(x, size);
		fill(y, size);
		CHECK_EQUAL(kernel_memcmp(x, y, size), 0);
		for (size_t at = 0; at < size; at++) {
			y[at] = (u8)(x[at] + 0x80);
			CHECK_EQUAL(sign(kernel_memcmp(x, y, size)), sign(x[at] - y[at]));
			CHECK_EQUAL(sign(kernel_memcmp(y, x, size)), sign(y[at] - x[at]));
			CHECK_EQUAL(kernel_memcmp(x, y, at), 0);
			y[at] = x[at];
		}
		free(a);
		free(b);
	}
}

static void test_text(void)
{
	static const char *const sorted[] = {"", "a", "a\x01", "ab", "abc", "b", "\x7f", "\x80", "\xff"};

	for (size_t length = 0; length <= 300; length++) {
		char *text = malloc(length + 1);

		memset(text, 'x', length);
		text[length] = 0;
		CHECK_EQUAL(kernel_strlen(text), length);
		free(text);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(sorted); i++)
		for (size_t j = 0; j < ARRAY_LENGTH(sorted); j++)
			CHECK_EQUAL(sign(kernel_strcmp(sorted[i], sorted[j])), sign((int)i - (int)j));
}

int main(void)
{
	test_copy();
	test_overlap();
	test_set();
	test_compare();
	test_text();
	return 0;
}
