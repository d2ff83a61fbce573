// Threads map, touch, protect and unmap at the same time, each verifying its own pages.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

enum { page = 4096, threads = 6, rounds = 300 };

static void *work(void *arg)
{
	unsigned seed = 31 + (unsigned)(size_t)arg;
	for (int i = 0; i < rounds; i++) {
		size_t n = 1 + random32(&seed) % 32;
		unsigned char tag = seed;
		unsigned char *p = mmap(NULL, n * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(p != MAP_FAILED);
		for (size_t k = 0; k < n * page; k += 512) {
			CHECK_EQ(p[k], 0);
			p[k] = tag + k / 512;
		}
		sched_yield();
		CHECK_EQ(mprotect(p, n * page, PROT_READ), 0);
		for (size_t k = 0; k < n * page; k += 512) {
			CHECK_EQ(p[k], (unsigned char)(tag + k / 512));
		}
		CHECK_EQ(munmap(p, n * page), 0);
	}
	return arg;
}

int main(void)
{
	pthread_t t[threads];
	for (size_t i = 0; i < threads; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, work, (void *)i), 0);
	}
	for (int i = 0; i < threads; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	return success();
}
