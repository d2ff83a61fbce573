// Makes and joins 1000 threads, 100 at a time; then 300 that are all alive at once.
// want: exit 0
// stdout: SUCCESS
// memory: 64MiB
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

static atomic_int ran;
static pthread_barrier_t all;

static void *quick(void *arg)
{
	char frame[1024];
	memset(frame, (int)(size_t)arg, sizeof frame);
	__asm__ volatile("" ::"r"(frame) : "memory");
	ran++;
	return arg;
}

static void *together(void *arg)
{
	pthread_barrier_wait(&all);
	return arg;
}

static void batch(void *(*f)(void *), size_t count)
{
	static pthread_t t[300];
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	CHECK_EQ(pthread_attr_setstacksize(&attr, 32768), 0);
	for (size_t i = 0; i < count; i++) {
		CHECK_EQ(pthread_create(&t[i], &attr, f, (void *)i), 0);
	}
	for (size_t i = 0; i < count; i++) {
		void *result;
		CHECK_EQ(pthread_join(t[i], &result), 0);
		CHECK_EQ((size_t)result, i);
	}
}

int main(void)
{
	for (int i = 0; i < 10; i++) {
		batch(quick, 100);
	}
	CHECK_EQ(ran, 1000);
	CHECK_EQ(pthread_barrier_init(&all, NULL, 300), 0);
	batch(together, 300);
	return success();
}
