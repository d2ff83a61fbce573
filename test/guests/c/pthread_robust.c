// A robust mutex whose owner ended: the next owner, also one that waits, gets EOWNERDEAD.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <semaphore.h>

static pthread_mutex_t one, two;
static sem_t held;

static void robust_init(pthread_mutex_t *m)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	CHECK_EQ(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST), 0);
	CHECK_EQ(pthread_mutex_init(m, &attr), 0);
	pthread_mutexattr_destroy(&attr);
}

static void *die_holding(void *arg)
{
	CHECK_EQ(pthread_mutex_lock(&one), 0);
	CHECK_EQ(pthread_mutex_lock(&two), 0);
	sem_post(&held);
	sleep_ms(30); // main waits for "one" by now
	return arg;
}

int main(void)
{
	pthread_t t;
	sem_init(&held, 0, 0);
	robust_init(&one);
	robust_init(&two);
	CHECK_EQ(pthread_create(&t, NULL, die_holding, NULL), 0);
	sem_wait(&held);
	CHECK_EQ(pthread_mutex_lock(&one), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(&one), 0);
	CHECK_EQ(pthread_mutex_unlock(&one), 0);
	CHECK_EQ(pthread_mutex_lock(&one), 0);
	CHECK_EQ(pthread_mutex_unlock(&one), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);

	CHECK_EQ(pthread_mutex_trylock(&two), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_unlock(&two), 0); // not made consistent
	CHECK_EQ(pthread_mutex_lock(&two), ENOTRECOVERABLE);
	return success();
}
