/*
 * compute WORK TIMES: the C twin of compute/main.go. One line for each time:
 * its nanoseconds. The checksum goes to stderr.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t random_state = 88172645463325252ull;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint32_t rotate(uint32_t x, int by) { return x >> by | x << (32 - by); }

static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void sha256_block(uint32_t state[8], const uint8_t *data)
{
	uint32_t w[64], s[8];

	for (int i = 0; i < 16; i++, data += 4)
		w[i] = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
	for (int i = 16; i < 64; i++) {
		uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
	memcpy(s, state, sizeof(s));
	for (int i = 0; i < 64; i++) {
		uint32_t big1 = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
		uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32_t t1 = s[7] + big1 + choice + round_constants[i] + w[i];
		uint32_t big0 = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
		uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);

		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + t1;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = t1 + big0 + majority;
	}
	for (int i = 0; i < 8; i++)
		state[i] += s[i];
}

#define CHUNK (256 << 10)

/* SHA-256 of 8 MiB, a chunk again and again. */
static uint32_t sha256(void)
{
	static uint8_t chunk[CHUNK];
	uint8_t last[64] = {0x80};
	uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

	if (chunk[0] == 0) {
		for (size_t i = 1; i < CHUNK; i++)
			chunk[i] = (uint8_t)next_random();
		chunk[0] = 1;
	}
	for (int pass = 0; pass < 32; pass++)
		for (size_t i = 0; i < CHUNK; i += 64)
			sha256_block(state, chunk + i);
	last[60] = 4; /* the length in bits: 1 << 26 */
	sha256_block(state, last);
	return state[0];
}

#define COUNT 500000

/*
 * Quicksort, with the middle one of three in the middle, and insertion for the
 * short ends. The C libraries' qsort differ from each other.
 */
static void sort(int64_t *list, size_t count)
{
	while (count > 16) {
		int64_t a = list[0], b = list[count / 2], c = list[count - 1];
		int64_t pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
		size_t low = 0, high = count - 1;

		for (;; low++, high--) {
			while (list[low] < pivot)
				low++;
			while (list[high] > pivot)
				high--;
			if (low >= high)
				break;
			a = list[low];
			list[low] = list[high];
			list[high] = a;
		}
		sort(list + high + 1, count - high - 1);
		count = high + 1;
	}
	for (size_t i = 1; i < count; i++) {
		int64_t one = list[i];
		size_t j = i;

		for (; j > 0 && list[j - 1] > one; j--)
			list[j] = list[j - 1];
		list[j] = one;
	}
}

static uint32_t sorting(void)
{
	static int64_t from[COUNT], list[COUNT];

	if (from[0] == 0)
		for (size_t i = 0; i < COUNT; i++)
			from[i] = (int64_t)(next_random() >> 1);
	memcpy(list, from, sizeof(list));
	sort(list, COUNT);
	for (size_t i = 1; i < COUNT; i++)
		if (list[i - 1] > list[i])
			abort();
	return (uint32_t)list[COUNT / 2];
}

#define N 320

static uint32_t matrix(void)
{
	static double a[N][N], b[N][N], c[N][N];

	if (a[1][1] == 0)
		for (int i = 0; i < N; i++)
			for (int j = 0; j < N; j++) {
				a[i][j] = i + j;
				b[i][j] = i - j;
			}
	memset(c, 0, sizeof(c));
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++)
			for (int j = 0; j < N; j++)
				c[i][j] += a[i][k] * b[k][j];
	return (uint32_t)(int64_t)c[N / 2][N / 3];
}

static const struct work {
	const char *name;
	uint32_t (*run)(void);
} works[] = {{"sha256", sha256}, {"sort", sorting}, {"matrix", matrix}};

int main(int argc, char **argv)
{
	int times = argc == 3 ? atoi(argv[2]) : 0;
	uint32_t sum = 0;

	for (size_t i = 0; times > 0 && i < sizeof(works) / sizeof(works[0]); i++) {
		if (strcmp(argv[1], works[i].name) != 0)
			continue;
		while (times-- > 0) {
			uint64_t start = now();

			sum += works[i].run();
			printf("%llu\n", (unsigned long long)(now() - start));
		}
		fprintf(stderr, "checksum %u\n", sum);
		return 0;
	}
	fprintf(stderr, "usage: compute sha256|sort|matrix TIMES\n");
	return 2;
}
