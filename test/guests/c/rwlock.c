// Reader-writer locks: readers together, writers alone, try and timed variants.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { threads = 8, rounds = 3000 };
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int readers, writers, together;
static long value_a, value_b;

static void *work(void *arg)
{
	unsigned seed = 99 + (unsigned)(size_t)arg;
	for (int i = 0; i < rounds; i++) {
		if (random32(&seed) % 5 == 0) {
			CHECK_EQ(pthread_rwlock_wrlock(&lock), 0);
			CHECK_EQ(writers++, 0);
			CHECK_EQ(readers, 0);
			value_a++;
			if (i % 50 == 0) {
				sched_yield();
			}
			value_b++;
			writers--;
		} else {
			CHECK_EQ(pthread_rwlock_rdlock(&lock), 0);
			if (++readers > 1) {
				together = 1;
			}
			CHECK_EQ(writers, 0);
			if (i % 20 == 0) {
				sched_yield();
			}
			CHECK_EQ(value_a, value_b);
			readers--;
		}
		CHECK_EQ(pthread_rwlock_unlock(&lock), 0);
	}
	return arg;
}

static void *try_all(void *arg)
{
	struct timespec until = after_ms(CLOCK_REALTIME, 10);
	CHECK_EQ(pthread_rwlock_trywrlock(&lock), EBUSY);
	CHECK_EQ(pthread_rwlock_tryrdlock(&lock), EBUSY);
	CHECK_EQ(pthread_rwlock_timedrdlock(&lock, &until), ETIMEDOUT);
	CHECK_EQ(pthread_rwlock_timedwrlock(&lock, &until), ETIMEDOUT);
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
	CHECK(value_a > 0 && value_a == value_b);
	CHECK(together);
	CHECK_EQ(pthread_rwlock_wrlock(&lock), 0);
	CHECK_EQ(pthread_create(&t[0], NULL, try_all, NULL), 0);
	CHECK_EQ(pthread_join(t[0], NULL), 0);
	CHECK_EQ(pthread_rwlock_unlock(&lock), 0);
	return success();
}
