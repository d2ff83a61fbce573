// Writes without end in a call.
// call: Attack
// want: timeout
// run: timeout
// args: stdout
// args: stderr
// args: bytes
// args: both
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	static char text[1 << 16];
	(void)call;
	memset(text, 'x', sizeof text);
	for (int i = 0;; i++) {
		int to = is(how, "stderr") || (is(how, "both") && i % 2) ? 2 : 1;
		write(to, text, is(how, "bytes") ? 1 : sizeof text);
	}
	return "stopped";
}
