// pthread_once runs its function once, and every caller waits until it has ended.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <threads.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static once_flag c11_once = ONCE_FLAG_INIT;
static int runs, finished, c11_runs;

static void slow_init(void)
{
	runs++;
	sleep_ms(10);
	finished = 1;
}

static void c11_init(void)
{
	c11_runs++;
}

static void *work(void *arg)
{
	CHECK_EQ(pthread_once(&once, slow_init), 0);
	CHECK_EQ(finished, 1);
	call_once(&c11_once, c11_init);
	return arg;
}

static int c11_thread(void *arg)
{
	return *(int *)arg + 1;
}

int main(void)
{
	pthread_t t[10];
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, work, NULL), 0);
	}
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	CHECK(runs == 1 && c11_runs == 1);

	thrd_t c11;
	int result, arg = 41;
	CHECK_EQ(thrd_create(&c11, c11_thread, &arg), thrd_success);
	CHECK_EQ(thrd_join(c11, &result), thrd_success);
	CHECK_EQ(result, 42);
	return success();
}
