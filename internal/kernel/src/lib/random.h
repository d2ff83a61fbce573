/*
 * The kernel's random generator: ChaCha20 (RFC 8439) with fast key erasure,
 * so that what was given out can't be computed from what is kept.
 */
#ifndef LIB_RANDOM_H
#define LIB_RANDOM_H

#include "lib/types.h"

struct random {
	u32 key[8];
};

void random_seed(struct random *random, const u8 seed[32]); /* mixes the seed into the key that is there */
void random_bytes(struct random *random, void *to, size_t size);

/* The ChaCha20 block function. Words are little-endian; declared here for its test vectors. */
#define CHACHA20_WORDS 16
void chacha20_block(const u32 input[CHACHA20_WORDS], u32 output[CHACHA20_WORDS]);

#endif
