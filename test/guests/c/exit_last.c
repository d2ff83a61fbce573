// When all threads end by exit(2), the program's status is the last one's, as of Linux 5.17.
// want: exit 7
#include "check.h"
#include <pthread.h>
#include <sys/syscall.h>

static void *last(void *arg)
{
	sleep_ms(50);
	syscall(SYS_exit, 7);
	return arg;
}

int main(void)
{
	pthread_t thread;
	CHECK_EQ(pthread_create(&thread, NULL, last, NULL), 0);
	syscall(SYS_exit, 3);
	return 1;
}
