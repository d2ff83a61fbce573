// A thread of it calls the host without end, also between calls, where everything stands still.
// call: Attack
// want: result done
#include "attack.h"
#include <pthread.h>

static volatile int before, during;

static void *storm(void *unused)
{
	for (;;) {
		during += echo("outside");
		sched_yield();
	}
	return unused;
}

// Before main, when no call can be in progress.
static __attribute__((constructor)) void early(void)
{
	if (message_info().serve) {
		before = echo("early");
	}
}

static const char *attack(struct airlock_call *call, const char *how)
{
	pthread_t thread;
	(void)call;
	(void)how;
	pthread_create(&thread, NULL, storm, NULL);
	while (during < 50) {
		sched_yield();
	}
	return before ? "the host answered too early" : "done";
}
