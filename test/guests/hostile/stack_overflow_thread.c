// Recurses for ever in a thread of its own; its handler has no alternate stack to run on.
// want: fault page-fault write
#include "hostile.h"
#include <pthread.h>

static __attribute__((noinline)) int dig(volatile int *up)
{
	volatile int frame[64];
	frame[0] = *up + 1;
	return frame[0] < 0 ? 0 : dig(frame) + frame[0];
}

static void *run(void *arg)
{
	volatile int zero = 0;
	return (void *)(uintptr_t)(dig(&zero) + (arg != NULL));
}

static void handler(int sig)
{
	_exit(sig);
}

int main(void)
{
	pthread_t t;
	signal(SIGSEGV, handler);
	pthread_create(&t, NULL, run, NULL);
	pthread_join(t, NULL);
	return 0;
}
