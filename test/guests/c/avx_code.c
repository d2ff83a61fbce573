// Code that the compiler vectorised with AVX2 gives the results of plain code, in several threads.
// want: exit 0
// stdout: SUCCESS
// flags: -mavx2 -mfma -O3
#include "check.h"
#include <immintrin.h>
#include <pthread.h>
#include <stdint.h>

enum { n = 4096 };

static void *work(void *arg)
{
	static __thread float a[n], b[n];
	static __thread int32_t x[n], y[n];
	unsigned seed = 1 + (unsigned)(size_t)arg;
	for (int round = 0; round < 100; round++) {
		int64_t want = 0, got = 0;
		float largest = 0;
		for (int i = 0; i < n; i++) {
			x[i] = random32(&seed) % 1000;
			y[i] = random32(&seed) % 1000;
			a[i] = x[i];
			b[i] = 0.5f;
		}
		for (int i = 0; i < n; i++) { // vectorised
			got += (int64_t)x[i] * y[i];
			a[i] = a[i] * b[i] + 1.0f;
			largest = a[i] > largest ? a[i] : largest;
		}
		for (int i = 0; i < n; i++) { // not vectorised
			want += (int64_t)x[i] * y[i];
			__asm__ volatile("" : "+r"(want));
			CHECK(a[i] == x[i] * 0.5f + 1.0f && a[i] <= largest);
		}
		CHECK_EQ(got, want);
		__m256i sorted = _mm256_min_epi32(_mm256_loadu_si256((void *)x), _mm256_loadu_si256((void *)y));
		CHECK_EQ(_mm256_extract_epi32(sorted, 5), x[5] < y[5] ? x[5] : y[5]);
	}
	return arg;
}

int main(void)
{
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
		puts("this processor has no AVX2");
		return success();
	}
	pthread_t t[4];
	for (size_t i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, work, (void *)i), 0);
	}
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	return success();
}
