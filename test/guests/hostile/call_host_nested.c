// Calls a function of the host that calls the guest: it is told that the sandbox is busy.
// call: Attack
// want: result busy busy busy
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	static char said[256];
	char buffer[64];
	struct airlock_value result;
	(void)call;
	(void)how;
	for (int i = 0; i < 3; i++) {
		if (airlock_call_host(&nested_import, NULL, &result, buffer, sizeof buffer) != AIRLOCK_OK) {
			return "refused";
		}
		strcat(strcat(said, i ? " " : ""), result.as.string.data);
	}
	return said;
}
