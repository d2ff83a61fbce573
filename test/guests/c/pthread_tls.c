// Thread-local storage: __thread variables with initial values and alignment, keys, destructors.
// want: exit 0
// stdout: SUCCESS
// pie: yes
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

enum { threads = 16 };
static __thread int initialised = 1234;
static __thread char zeroed[5000];
static __thread int64_t aligned __attribute__((aligned(64))) = -1;
static pthread_key_t key, chained;
static atomic_int destroyed, destroyed_again;

static void destroy(void *value)
{
	CHECK_EQ(initialised, 1234 + (intptr_t)value);
	CHECK(pthread_getspecific(key) == NULL);
	destroyed++;
	if (pthread_getspecific(chained) == NULL) {
		pthread_setspecific(chained, value);
	}
}

static void destroy_chained(void *value)
{
	CHECK((intptr_t)value > 0);
	destroyed_again++;
}

static void *work(void *arg)
{
	intptr_t id = (intptr_t)arg;
	CHECK_EQ(initialised, 1234);
	CHECK_EQ(aligned, -1);
	CHECK_EQ((uintptr_t)&aligned % 64, 0);
	for (size_t i = 0; i < sizeof zeroed; i++) {
		CHECK_EQ(zeroed[i], 0);
	}
	CHECK(pthread_getspecific(key) == NULL);
	initialised += id;
	aligned = id;
	memset(zeroed, (int)id, sizeof zeroed);
	errno = (int)id;
	CHECK_EQ(pthread_setspecific(key, arg), 0);
	for (int i = 0; i < 50; i++) {
		sched_yield();
		CHECK_EQ(errno, id);
		CHECK_EQ(initialised, 1234 + id);
		CHECK_EQ(aligned, id);
		CHECK_EQ(zeroed[i * 100], (char)id);
		CHECK_EQ((intptr_t)pthread_getspecific(key), id);
	}
	return arg;
}

int main(void)
{
	pthread_t t[threads];
	CHECK_EQ(pthread_key_create(&key, destroy), 0);
	CHECK_EQ(pthread_key_create(&chained, destroy_chained), 0);
	for (intptr_t i = 0; i < threads; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, work, (void *)(i + 1)), 0);
	}
	for (intptr_t i = 0; i < threads; i++) {
		void *result;
		CHECK_EQ(pthread_join(t[i], &result), 0);
		CHECK_EQ((intptr_t)result, i + 1);
	}
	CHECK_EQ(destroyed, threads);
	CHECK_EQ(destroyed_again, threads);
	CHECK_EQ(initialised, 1234);
	CHECK_EQ(pthread_key_delete(key), 0);
	return success();
}
