// Sends itself a signal that nobody can catch.
// call: Attack
// want: signal SIGKILL
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	(void)call;
	(void)how;
	kill(getpid(), SIGKILL);
	return "lives";
}
