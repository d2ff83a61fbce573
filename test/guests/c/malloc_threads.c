// Eight threads allocate, pass blocks to each other and free them: malloc arenas and locks.
// want: exit 0
// stdout: SUCCESS
// memory: 64MiB
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

enum { threads = 8, boxes = 64, steps = 20000 };
static _Atomic(unsigned char *) box[boxes];

static void check_block(unsigned char *p)
{
	if (p) {
		unsigned size = p[0] | p[1] << 8;
		for (unsigned i = 2; i < size; i++) {
			CHECK_EQ(p[i], (unsigned char)(size + i));
		}
		free(p);
	}
}

static void *work(void *arg)
{
	unsigned seed = 77 + (unsigned)(size_t)arg;
	for (int i = 0; i < steps; i++) {
		unsigned size = 2 + random32(&seed) % 1000;
		unsigned char *p = malloc(size);
		CHECK(p != NULL);
		p[0] = size;
		p[1] = size >> 8;
		for (unsigned k = 2; k < size; k++) {
			p[k] = size + k;
		}
		check_block(atomic_exchange(&box[random32(&seed) % boxes], p));
	}
	return NULL;
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
	for (int i = 0; i < boxes; i++) {
		check_block(box[i]);
	}
	return success();
}
