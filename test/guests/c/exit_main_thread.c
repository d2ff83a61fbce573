// The main thread ends with pthread_exit; the program goes on until its last thread ends: code 0.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>

static pthread_t main_thread;

static void *go_on(void *arg)
{
	void *result;
	CHECK_EQ(pthread_join(main_thread, &result), 0);
	CHECK(result == &main_thread);
	sleep_ms(20);
	success();
	return arg;
}

int main(void)
{
	pthread_t t;
	main_thread = pthread_self();
	CHECK_EQ(pthread_create(&t, NULL, go_on, NULL), 0);
	pthread_exit(&main_thread);
}
