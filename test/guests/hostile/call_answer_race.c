// A thread overwrites both message buffers while calls of the host go on.
// call: Attack
// want: any
// args: input
// args: output
// args: length
#include "attack.h"
#include <pthread.h>

static const char *target;

static void *scribble(void *unused)
{
	struct airlock_info info = message_info();
	unsigned seed = 77;
	for (;;) {
		if (is(target, "length")) {
			CONTROL->message.length = random32(&seed) % 256;
			CONTROL->message.answer = random32(&seed);
		} else {
			volatile uint8_t *at = (uint8_t *)(is(target, "input") ? info.input : info.output);
			at[random32(&seed) % 256] = (uint8_t)random32(&seed);
		}
		if (random32(&seed) % 64 == 0) {
			sched_yield();
		}
	}
	return unused;
}

static const char *attack(struct airlock_call *call, const char *how)
{
	pthread_t thread;
	int right = 0;
	(void)call;
	target = how;
	pthread_create(&thread, NULL, scribble, NULL);
	for (int i = 0; i < 2000; i++) {
		right += echo("right");
		sched_yield();
	}
	return right ? "done" : "nothing was right";
}
