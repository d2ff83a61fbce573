// Calls the host from eight threads at a time, each with an answer of its own.
// call: Attack
// want: result done
#include "attack.h"
#include <pthread.h>

static volatile int wrong;

static void *storm(void *id)
{
	char text[64];
	for (int i = 0; i < 400; i++) {
		snprintf(text, sizeof text, "%d of thread %d", i, (int)(size_t)id);
		if (!echo(text)) {
			wrong = 1;
		}
		sched_yield();
	}
	return NULL;
}

static const char *attack(struct airlock_call *call, const char *how)
{
	pthread_t threads[8];
	(void)call;
	(void)how;
	for (size_t i = 0; i < 8; i++) {
		pthread_create(&threads[i], NULL, storm, (void *)i);
	}
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
	}
	return wrong ? "a wrong answer" : "done";
}
