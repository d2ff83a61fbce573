#include "lib/random.h"

#include "test.h"

/* RFC 8439, section 2.3.2. */
static void test_block_vector(void)
{
	static const u32 want[CHACHA20_WORDS] = {
		0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3,
		0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9, 0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2,
	};
	u32 input[CHACHA20_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	u32 output[CHACHA20_WORDS];
	u8 *key = (u8 *)&input[4];

	for (int i = 0; i < 32; i++)
		key[i] = (u8)i;
	input[12] = 1;
	input[13] = 0x09000000;
	input[14] = 0x4a000000;
	chacha20_block(input, output);
	for (int i = 0; i < CHACHA20_WORDS; i++)
		CHECK_EQUAL(output[i], want[i]);
}

/* RFC 8439, appendix A.1, vectors 1 and 2: blocks 0 and 1 of the all-zero key are what the generator is made of. */
static void test_generator_vector(void)
{
	static const u8 next_key[32] = {
		0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28,
		0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7,
	};
	static const u8 first_bytes[64] = {
		0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d,
		0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6, 0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed,
		0x29, 0xb7, 0x21, 0x76, 0x9c, 0xe6, 0x4e, 0x43, 0xd5, 0x71, 0x33, 0xb0, 0x74, 0xd8, 0x39, 0xd5,
		0x31, 0xed, 0x1f, 0x28, 0x51, 0x0a, 0xfb, 0x45, 0xac, 0xe1, 0x0a, 0x1f, 0x4b, 0x79, 0x4d, 0x6f,
	};
	struct random random = {{0}};
	u8 got[64];

	random_bytes(&random, got, sizeof(got));
	CHECK(memcmp(got, first_bytes, sizeof(got)) == 0);
	CHECK(memcmp(random.key, next_key, sizeof(next_key)) == 0);
}

/* A short answer is the start of a longer one, exactly size bytes are written, and the next key is the same. */
static void test_sizes(void)
{
	struct random long_random = {{1, 2, 3, 4, 5, 6, 7, 8}};
	u8 whole[300];

	random_bytes(&long_random, whole, sizeof(whole));
	for (size_t size = 0; size <= sizeof(whole); size++) {
		struct random random = {{1, 2, 3, 4, 5, 6, 7, 8}};
		u8 *got = malloc(size ? size : 1);

		random_bytes(&random, got, size);
		CHECK(memcmp(got, whole, size) == 0);
		CHECK(memcmp(&random, &long_random, sizeof(random)) == 0);
		free(got);
	}
}

/* Every call leaves another key, and gives other bytes than the call before. */
static void test_key_erasure(void)
{
	struct random random = {{0}};
	u8 last[32] = {0};

	for (int i = 0; i < 1000; i++) {
		struct random before = random;
		u8 bytes[32];

		random_bytes(&random, bytes, (size_t)(i % 33));
		CHECK(memcmp(&before, &random, sizeof(random)) != 0);
		random_bytes(&random, bytes, sizeof(bytes));
		CHECK(memcmp(bytes, last, sizeof(bytes)) != 0);
		CHECK(memcmp(bytes, random.key, sizeof(bytes)) != 0);
		CHECK(memcmp(bytes, before.key, sizeof(bytes)) != 0);
		memcpy(last, bytes, sizeof(last));
	}
}

static void test_seeds(void)
{
	u8 seed[32] = {1}, other_seed[32] = {1, [31] = 1};
	struct random a = {{0}}, b = {{0}}, c = {{0}};
	struct random before;
	u8 x[64], y[64], z[64];

	random_seed(&a, seed);
	random_seed(&b, other_seed);
	random_seed(&c, seed);
	random_bytes(&a, x, sizeof(x));
	random_bytes(&b, y, sizeof(y));
	random_bytes(&c, z, sizeof(z));
	CHECK(memcmp(x, y, sizeof(x)) != 0);
	CHECK(memcmp(x, z, sizeof(x)) == 0);

	/* A seed is mixed in: what was there before still counts, and the seed itself is not kept. */
	before = a;
	random_seed(&a, seed);
	random_seed(&b, seed);
	CHECK(memcmp(&a, &b, sizeof(a)) != 0);
	CHECK(memcmp(&a, &before, sizeof(a)) != 0);
	for (int i = 0; i < 8; i++)
		before.key[i] ^= ((const u32 *)(const void *)seed)[i];
	CHECK(memcmp(&a, &before, sizeof(a)) != 0);
}

/* Not a test of the cipher, but of how it is used: no byte value is missing or far too frequent. */
static void test_spread(void)
{
	struct random random = {{0}};
	u32 counts[256] = {0};

	for (int i = 0; i < 1024; i++) {
		u8 bytes[256];

		random_bytes(&random, bytes, sizeof(bytes));
		for (size_t j = 0; j < sizeof(bytes); j++)
			counts[bytes[j]]++;
	}
	for (int i = 0; i < 256; i++)
		CHECK(counts[i] > 800 && counts[i] < 1250);
}

int main(void)
{
	test_block_vector();
	test_generator_vector();
	test_sizes();
	test_key_erasure();
	test_seeds();
	test_spread();
	return 0;
}
