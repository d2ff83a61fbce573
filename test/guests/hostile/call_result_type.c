// Returns another type than it has declared, which its SDK doesn't pass on.
// call: Attack
// want: abort
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	(void)how;
	airlock_return_int64(call, -1);
	return "lives";
}
