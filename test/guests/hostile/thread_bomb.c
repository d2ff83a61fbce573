// Every thread starts more threads, for ever, with the smallest stacks there are.
// want: any
// native: no
#include "hostile.h"
#include <pthread.h>

static void *explode(void *arg)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	for (;;) {
		pthread_t t;
		if (pthread_create(&t, &attr, explode, NULL) != 0) {
			syscall(SYS_sched_yield);
		}
	}
	return arg;
}

int main(void)
{
	sandbox_only();
	explode(NULL);
}
