// A function of the host fails a thousand times; each time it is told, and no more than that.
// call: Attack
// want: result done
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	char buffer[256];
	struct airlock_value result;
	(void)call;
	(void)how;
	for (int i = 0; i < 1000; i++) {
		memset(buffer, 0, sizeof buffer);
		if (airlock_call_host(&fail_import, NULL, &result, buffer, sizeof buffer) != AIRLOCK_FAILED) {
			return "no failure";
		}
		if (strstr(buffer, "secret")) {
			return "it says why";
		}
	}
	return "done";
}
