// Join, detach, exit values, cleanup handlers, deferred and asynchronous cancellation.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

static sem_t started, detached_done;
static atomic_int cleaned;

static void cleanup(void *arg)
{
	cleaned += *(int *)arg;
}

static void *sleeper(void *arg)
{
	pthread_cleanup_push(cleanup, arg);
	sem_post(&started);
	for (;;) {
		sleep_ms(1000);
	}
	pthread_cleanup_pop(0);
	return arg;
}

static void *blocked_in_read(void *arg)
{
	char c;
	int *fds = arg, one = 1;
	pthread_cleanup_push(cleanup, &one);
	sem_post(&started);
	CHECK(read(fds[0], &c, 1) < 0); // never returns
	pthread_cleanup_pop(0);
	return arg;
}

static void *spinner(void *arg)
{
	volatile unsigned long turns = 0;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	sem_post(&started);
	for (;;) {
		turns++;
	}
	return arg;
}

static void *immune(void *arg)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	sem_post(&started);
	sleep_ms(20);
	return arg;
}

static void *quick(void *arg)
{
	pthread_exit(arg);
}

static void *detached(void *arg)
{
	CHECK_EQ(pthread_detach(pthread_self()), 0);
	sem_post(&detached_done);
	return arg;
}

// cancelled starts f, cancels it and returns how it ended.
static void *cancelled(void *(*f)(void *), void *arg)
{
	pthread_t t;
	void *result;
	CHECK_EQ(pthread_create(&t, NULL, f, arg), 0);
	sem_wait(&started);
	sleep_ms(2);
	CHECK_EQ(pthread_cancel(t), 0);
	CHECK_EQ(pthread_join(t, &result), 0);
	return result;
}

int main(void)
{
	int ten = 10, fds[2];
	sem_init(&started, 0, 0);
	sem_init(&detached_done, 0, 0);
	CHECK_EQ(pipe(fds), 0);
	CHECK(cancelled(sleeper, &ten) == PTHREAD_CANCELED);
	CHECK_EQ(cleaned, 10);
	CHECK(cancelled(blocked_in_read, fds) == PTHREAD_CANCELED);
	CHECK_EQ(cleaned, 11);
	CHECK(cancelled(spinner, NULL) == PTHREAD_CANCELED);
	CHECK(cancelled(immune, &ten) == &ten);
	for (int i = 0; i < 100; i++) {
		pthread_t t;
		void *result;
		CHECK_EQ(pthread_create(&t, NULL, quick, &ten), 0);
		CHECK(pthread_join(t, &result) == 0 && result == &ten);
		CHECK_EQ(pthread_create(&t, NULL, detached, NULL), 0);
	}
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(sem_wait(&detached_done), 0);
	}
	return success();
}
