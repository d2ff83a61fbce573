// Sends garbage to each port for messages, past its SDK.
// call: Attack
// want: protocol
// args: declare
// args: next
// args: host
// args: log
// args: abort
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	static const char *const names[] = {"declare", "next", "host", "log", "abort"};
	struct airlock_info info = message_info();
	(void)call;
	memset((void *)info.output, 0x5a, info.output_size);
	for (int i = 0; i < 5; i++) {
		if (is(how, names[i])) {
			syscall(AIRLOCK_SYSCALL, AIRLOCK_OPERATION_DECLARE + i, info.output_size);
		}
	}
	return "lives";
}
