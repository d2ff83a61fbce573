// Every thread waits for something that never comes.
// want: timeout
#include "hostile.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_lock(void *arg)
{
	pthread_mutex_lock(&lock);
	return arg;
}

int main(void)
{
	pthread_t t;
	pthread_mutex_lock(&lock);
	pthread_create(&t, NULL, wait_for_lock, NULL);
	pthread_join(t, NULL);
	return 0;
}
