// Ends itself in the middle of a call: with a word, with 100 kB, from another thread.
// call: Attack
// want: abort
// args: short
// args: long
// args: empty
// args: binary
// args: thread
#include "attack.h"
#include <pthread.h>

static void *abort_there(void *unused)
{
	(void)unused;
	airlock_abort("from another thread");
}

static const char *attack(struct airlock_call *call, const char *how)
{
	static char text[100000];
	(void)call;
	if (is(how, "thread")) {
		pthread_t thread;
		pthread_create(&thread, NULL, abort_there, NULL);
		pthread_join(thread, NULL);
	}
	memset(text, is(how, "binary") ? 0xfe : '\x1b', is(how, "long") ? sizeof text - 1 : is(how, "empty") ? 0 : 100);
	airlock_abort(text);
}
