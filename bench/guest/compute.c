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

/* The rounds of SHA-256, with a constant of its own: rotations, additions, logic, dependent on each other. */
static uint32_t integers(void)
{
	static uint32_t block[4096];
	uint32_t s[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

	if (block[0] == 0)
		for (size_t i = 0; i < 4096; i++)
			block[i] = (uint32_t)next_random() | 1;
	for (int pass = 0; pass < 2500; pass++) {
		for (size_t i = 0; i < 4096; i++) {
			uint32_t big1 = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
			uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
			uint32_t t1 = s[7] + big1 + choice + 0x428a2f98u + block[i];
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
	}
	return s[0] ^ s[4];
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

#define COUNT 300000

static uint32_t sorting(void)
{
	static int64_t from[COUNT], list[COUNT];

	if (from[0] == 0)
		for (size_t i = 0; i < COUNT; i++)
			from[i] = (int64_t)next_random();
	memcpy(list, from, sizeof(list));
	qsort(list, COUNT, sizeof(list[0]), compare);
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
} works[] = {{"integers", integers}, {"sort", sorting}, {"matrix", matrix}};

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
	fprintf(stderr, "usage: compute integers|sort|matrix TIMES\n");
	return 2;
}
