// A timer signal every millisecond hits threads that compute, allocate and lock; nothing is corrupted.
// want: exit 0
// stdout: SUCCESS
// memory: 64MiB
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/time.h>

static atomic_int ticks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long locked;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	volatile double x = 3.25;
	char clobber[300];
	memset(clobber, ticks, sizeof clobber);
	__asm__ volatile("" ::"r"(clobber) : "memory");
	x = x * x;
	ticks++;
}

static uint64_t compute(void)
{
	uint64_t h = 14695981039346656037u;
	double f = 1;
	for (int i = 0; i < 100000; i++) {
		h = (h ^ (i & 255)) * 1099511628211u;
		f = f * 1.0000001 + 1e-9;
	}
	return h ^ (uint64_t)(f * 1e12);
}

static void *work(void *arg)
{
	uint64_t want = *(uint64_t *)arg;
	while (ticks < 60) {
		CHECK_EQ(compute(), want);
		char *p = malloc(5000);
		memset(p, 7, 5000);
		CHECK_EQ(p[4999], 7);
		free(p);
		pthread_mutex_lock(&lock);
		locked++;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
	CHECK_EQ(sigaction(SIGALRM, &sa, NULL), 0);
	uint64_t want = compute();
	pthread_t t[4];
	struct itimerval every = {{0, 1000}, {0, 1000}};
	CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, work, &want), 0);
	}
	work(&want);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	CHECK(locked > 0);
	return success();
}
