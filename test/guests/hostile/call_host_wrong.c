// Calls functions of the host that don't exist, or with other types: it is refused, each time.
// call: Attack
// want: result done
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	static const struct airlock_import unknown[] = {
		{"Nothing", AIRLOCK_STRING, {AIRLOCK_STRING}}, {"echo", AIRLOCK_STRING, {AIRLOCK_STRING}},
		{"Echo\n", AIRLOCK_STRING, {AIRLOCK_STRING}}, {"../Echo", AIRLOCK_STRING, {AIRLOCK_STRING}},
		{"Echo", AIRLOCK_STRING, {AIRLOCK_BYTES}}, {"Bytes", AIRLOCK_BYTES, {AIRLOCK_STRING}},
	};
	char buffer[256];
	(void)call;
	(void)how;
	for (int i = 0; i < 600; i++) {
		const struct airlock_import *function = &unknown[i % 6];
		struct airlock_value text = airlock_value_string(airlock_text("x")), result;
		if (function->parameters[0] == AIRLOCK_BYTES) {
			text = airlock_value_bytes(airlock_bytes_of("x", 1));
		}
		enum airlock_code want = i % 6 < 4 ? AIRLOCK_UNKNOWN_FUNCTION : AIRLOCK_WRONG_PARAMETERS;
		if (airlock_call_host(function, &text, &result, buffer, sizeof buffer) != want) {
			return "another answer";
		}
	}
	return "done";
}
