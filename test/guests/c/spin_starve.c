// Threads that spin without system calls do not starve the one that wakes from nanosleep to end it.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>

static volatile int flag;

static void *spin(void *arg)
{
	volatile unsigned long turns = 0;
	while (!flag) {
		turns++;
	}
	CHECK(turns > 0);
	return arg;
}

static void *set_later(void *arg)
{
	sleep_ms(30);
	flag = 1;
	return arg;
}

int main(void)
{
	pthread_t t[4];
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, i == 3 ? set_later : spin, NULL), 0);
	}
	spin(NULL); // the main thread spins, too
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	return success();
}
