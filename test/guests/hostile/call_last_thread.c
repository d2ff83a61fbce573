// Ends the thread that serves, so that nobody is left to answer: the program ends.
// call: Attack
// want: exit 0
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	(void)call;
	(void)how;
	syscall(SYS_exit, 0);
	return "lives";
}
