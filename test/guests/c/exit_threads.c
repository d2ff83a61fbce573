// exit from a thread ends the program with its code while other threads wait, sleep and spin.
// want: exit 5
#include "check.h"
#include <pthread.h>

static int fds[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *spin(void *arg)
{
	for (volatile unsigned long turns = 0;; turns++) {
	}
	return arg;
}

static void *in_read(void *arg)
{
	char c;
	CHECK(read(fds[0], &c, 1) < 0);
	return arg;
}

static void *in_lock(void *arg)
{
	pthread_mutex_lock(&lock);
	return arg;
}

static void *in_sleep(void *arg)
{
	sleep_ms(100000);
	return arg;
}

static void *end_all(void *arg)
{
	sleep_ms(20);
	exit((int)(size_t)arg);
}

int main(void)
{
	void *(*f[])(void *) = {spin, in_read, in_lock, in_sleep, spin, end_all};
	pthread_t t;
	pthread_mutex_lock(&lock);
	CHECK_EQ(pipe(fds), 0);
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(pthread_create(&t, NULL, f[i], (void *)5), 0);
	}
	pthread_join(t, NULL);
	return 1;
}
