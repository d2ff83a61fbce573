// Logs ten thousand records in one call: the host passes on its limit, and a word about the rest.
// call: Attack
// want: result done
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	(void)call;
	(void)how;
	for (int i = 0; i < 10000; i++) {
		if (!airlock_log(AIRLOCK_LOG_ERROR, "flood", "\x1b[2J a record \n with a line break")) {
			return "refused";
		}
	}
	return "done";
}
