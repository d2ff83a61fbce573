// Exits in the middle of a call: by the library, by the system call, from another thread.
// call: Attack
// want: exit 5
// args: library
// args: call
// args: thread
#include "attack.h"
#include <pthread.h>

static void *exit_there(void *unused)
{
	(void)unused;
	_exit(5);
}

static const char *attack(struct airlock_call *call, const char *how)
{
	pthread_t thread;
	(void)call;
	if (is(how, "library")) {
		exit(5);
	}
	if (is(how, "call")) {
		syscall(SYS_exit_group, 0x105);
	}
	pthread_create(&thread, NULL, exit_there, NULL);
	pthread_join(thread, NULL);
	return "lives";
}
