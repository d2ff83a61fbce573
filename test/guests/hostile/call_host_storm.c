// Calls the host ten thousand times in one call.
// call: Attack
// want: result done
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	(void)call;
	(void)how;
	for (int i = 0; i < 10000; i++) {
		if (!echo("storm")) {
			return "a wrong answer";
		}
	}
	return "done";
}
