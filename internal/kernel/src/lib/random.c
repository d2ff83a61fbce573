#include "lib/random.h"

#include "lib/string.h"

static u32 rotate_left(u32 word, int bits) { return word << bits | word >> (32 - bits); }

static void quarter_round(u32 *a, u32 *b, u32 *c, u32 *d)
{
	*a += *b;
	*d = rotate_left(*d ^ *a, 16);
	*c += *d;
	*b = rotate_left(*b ^ *c, 12);
	*a += *b;
	*d = rotate_left(*d ^ *a, 8);
	*c += *d;
	*b = rotate_left(*b ^ *c, 7);
}

void chacha20_block(const u32 input[CHACHA20_WORDS], u32 output[CHACHA20_WORDS])
{
	u32 *x = output;

	for (int i = 0; i < CHACHA20_WORDS; i++)
		x[i] = input[i];
	for (int round = 0; round < 20; round += 2) {
		quarter_round(&x[0], &x[4], &x[8], &x[12]);
		quarter_round(&x[1], &x[5], &x[9], &x[13]);
		quarter_round(&x[2], &x[6], &x[10], &x[14]);
		quarter_round(&x[3], &x[7], &x[11], &x[15]);
		quarter_round(&x[0], &x[5], &x[10], &x[15]);
		quarter_round(&x[1], &x[6], &x[11], &x[12]);
		quarter_round(&x[2], &x[7], &x[8], &x[13]);
		quarter_round(&x[3], &x[4], &x[9], &x[14]);
	}
	for (int i = 0; i < CHACHA20_WORDS; i++)
		x[i] += input[i];
}

/* A memset that the compiler can't drop because nobody reads the memory afterwards. */
static void erase(void *secret, size_t size)
{
	memset(secret, 0, size);
	__asm__ volatile("" : : "r"(secret) : "memory");
}

void random_seed(struct random *random, const u8 seed[32])
{
	u32 words[8];

	memcpy(words, seed, sizeof(words));
	for (int i = 0; i < 8; i++)
		random->key[i] ^= words[i];
	erase(words, sizeof(words));
	/* Leave neither the seed nor the sum behind: move on to the next key. */
	random_bytes(random, NULL, 0);
}

void random_bytes(struct random *random, void *to, size_t size)
{
	u32 input[CHACHA20_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */
	u32 block[CHACHA20_WORDS];
	u8 *out = to;

	memcpy(&input[4], random->key, sizeof(random->key));
	/* Block 0 is the next key, so nothing that stays here leads back to the blocks that are given out. */
	chacha20_block(input, block);
	memcpy(random->key, block, sizeof(random->key));
	while (size > 0) {
		size_t piece = MIN(size, sizeof(block));

		/* The counter has 64 bits: the nonce behind it is always zero, as each key is used once. */
		input[13] += ++input[12] == 0;
		chacha20_block(input, block);
		memcpy(out, block, piece);
		out += piece;
		size -= piece;
	}
	erase(input, sizeof(input));
	erase(block, sizeof(block));
}
