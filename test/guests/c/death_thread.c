// A fault in another thread ends the whole program.
// want: fault page-fault read
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

static void *fault(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)*(volatile int *)(uintptr_t)0x1000;
}

int main(void)
{
	pthread_t t;
	pthread_create(&t, NULL, fault, NULL);
	for (;;) {
		pause();
	}
}
