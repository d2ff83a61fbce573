// Returns a string that is not UTF-8: the call fails, the sandbox is ready.
// call: Attack
// want: guest-error
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	(void)call;
	(void)how;
	return "\xff\xfe\xc0\x80 \xed\xa0\x80";
}
