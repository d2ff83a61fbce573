// Timed waits end in time: cond_timedwait on both clocks, mutex_timedlock, sem_timedwait.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <semaphore.h>

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static sem_t sem, timed_out;

static void *try_lock(void *arg)
{
	long long start = now_ms();
	struct timespec until = after_ms(CLOCK_REALTIME, 20);
	CHECK_EQ(pthread_mutex_timedlock(&held, &until), ETIMEDOUT);
	CHECK(now_ms() - start >= 19);
	CHECK_EQ(sem_post(&timed_out), 0);
	until = after_ms(CLOCK_REALTIME, 50000);
	CHECK_EQ(pthread_mutex_timedlock(&held, &until), 0);
	CHECK_EQ(pthread_mutex_unlock(&held), 0);
	CHECK(now_ms() - start < 40000);
	return arg;
}

static void cond_timeout(clockid_t clock)
{
	pthread_condattr_t attr;
	pthread_cond_t cond;
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_condattr_init(&attr);
	CHECK_EQ(pthread_condattr_setclock(&attr, clock), 0);
	CHECK_EQ(pthread_cond_init(&cond, &attr), 0);
	pthread_mutex_lock(&lock);
	struct timespec until = after_ms(clock, 20), now;
	int rc;
	while ((rc = pthread_cond_timedwait(&cond, &lock, &until)) == 0) {
	}
	CHECK_EQ(rc, ETIMEDOUT);
	clock_gettime(clock, &now);
	CHECK(now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
	until.tv_sec -= 10; // in the past
	CHECK_EQ(pthread_cond_timedwait(&cond, &lock, &until), ETIMEDOUT);
	until.tv_nsec = 1000000000;
	CHECK_EQ(pthread_cond_timedwait(&cond, &lock, &until), EINVAL);
	pthread_mutex_unlock(&lock);
	CHECK_EQ(pthread_cond_destroy(&cond), 0);
}

static void *post_later(void *arg)
{
	sleep_ms(20);
	CHECK_EQ(sem_post(&sem), 0);
	return arg;
}

int main(void)
{
	pthread_t t;
	cond_timeout(CLOCK_REALTIME);
	cond_timeout(CLOCK_MONOTONIC);

	sem_init(&timed_out, 0, 0);
	pthread_mutex_lock(&held);
	CHECK_EQ(pthread_create(&t, NULL, try_lock, NULL), 0);
	CHECK_EQ(sem_wait(&timed_out), 0);
	sleep_ms(20);
	pthread_mutex_unlock(&held);
	CHECK_EQ(pthread_join(t, NULL), 0);

	sem_init(&sem, 0, 0);
	struct timespec until = after_ms(CLOCK_REALTIME, 20);
	CHECK_ERR(sem_timedwait(&sem, &until), ETIMEDOUT);
	CHECK_EQ(pthread_create(&t, NULL, post_later, NULL), 0);
	until = after_ms(CLOCK_REALTIME, 50000);
	CHECK_EQ(sem_timedwait(&sem, &until), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	return success();
}
