// exit_group takes the low eight bits of its code; the exit of one thread is not the program's end.
// want: exit 44
#include "check.h"
#include <pthread.h>
#include <sys/syscall.h>

static void *leave(void *arg)
{
	syscall(SYS_exit, 7); // of this thread only
	return arg;
}

int main(void)
{
	pthread_t t;
	CHECK_EQ(pthread_create(&t, NULL, leave, NULL), 0);
	sleep_ms(20); // no join: the C library has not heard of its end
	syscall(SYS_exit_group, 0x12c);
	return 1;
}
