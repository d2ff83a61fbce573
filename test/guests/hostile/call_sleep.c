// Waits in a call for what never comes.
// call: Attack
// want: timeout
// args: pause
// args: futex
// args: poll
// args: pipe
// args: deadline
#include "attack.h"
#include <pthread.h>
#include <poll.h>

static const char *attack(struct airlock_call *call, const char *how)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	struct timespec ages = {1 << 30, 0};
	int ends[2];
	char c;
	(void)call;
	for (;;) {
		if (is(how, "futex")) {
			pthread_mutex_lock(&mutex);
		} else if (is(how, "poll")) {
			poll(NULL, 0, -1);
		} else if (is(how, "pipe") && pipe(ends) == 0) {
			read(ends[0], &c, 1);
		} else if (is(how, "deadline")) {
			nanosleep(&ages, NULL);
		} else {
			pause();
		}
	}
	return "stopped";
}
