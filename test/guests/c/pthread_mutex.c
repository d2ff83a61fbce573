// Mutexes of all kinds: contention, recursion, error checking, trylock.
// want: exit 0
// stdout: SUCCESS
// pie: yes
#include "check.h"
#include <pthread.h>
#include <sched.h>

enum { threads = 8, rounds = 20000 };
static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER, kind;
static long counter, inside;

static void *contend(void *arg)
{
	for (int i = 0; i < rounds; i++) {
		CHECK_EQ(pthread_mutex_lock(&plain), 0);
		CHECK_EQ(inside++, 0);
		counter++;
		if (i % 1000 == 0) {
			sched_yield(); // others must now block, in the kernel
		}
		inside--;
		CHECK_EQ(pthread_mutex_unlock(&plain), 0);
	}
	return arg;
}

static void *try_other(void *arg)
{
	(void)arg;
	CHECK_EQ(pthread_mutex_trylock(&kind), EBUSY);
	return NULL;
}

static void run(void *(*f)(void *), int count)
{
	pthread_t t[threads];
	for (int i = 0; i < count; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, f, NULL), 0);
	}
	for (int i = 0; i < count; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
}

static void with_type(int type)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	CHECK_EQ(pthread_mutexattr_settype(&attr, type), 0);
	CHECK_EQ(pthread_mutex_init(&kind, &attr), 0);
	pthread_mutexattr_destroy(&attr);
	CHECK_EQ(pthread_mutex_lock(&kind), 0);
	run(try_other, 2);
	if (type == PTHREAD_MUTEX_RECURSIVE) {
		CHECK_EQ(pthread_mutex_lock(&kind), 0);
		CHECK_EQ(pthread_mutex_trylock(&kind), 0);
		CHECK_EQ(pthread_mutex_unlock(&kind), 0);
		CHECK_EQ(pthread_mutex_unlock(&kind), 0);
	} else if (type == PTHREAD_MUTEX_ERRORCHECK) {
		CHECK_EQ(pthread_mutex_lock(&kind), EDEADLK);
	}
	CHECK_EQ(pthread_mutex_unlock(&kind), 0);
	if (type == PTHREAD_MUTEX_ERRORCHECK) {
		CHECK_EQ(pthread_mutex_unlock(&kind), EPERM);
	}
	CHECK_EQ(pthread_mutex_destroy(&kind), 0);
}

int main(void)
{
	run(contend, threads);
	CHECK_EQ(counter, threads * rounds);
	with_type(PTHREAD_MUTEX_NORMAL);
	with_type(PTHREAD_MUTEX_RECURSIVE);
	with_type(PTHREAD_MUTEX_ERRORCHECK);
	return success();
}
