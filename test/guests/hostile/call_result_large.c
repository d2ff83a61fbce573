// Returns, and appends, more than there is room for: the call fails, the sandbox is ready.
// call: Attack
// want: guest-error
// args: return
// args: append
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	size_t size = message_info().output_size + 1;
	char *text = calloc(1, size + 1);
	memset(text, 'x', size);
	if (is(how, "append")) {
		airlock_return_string(call, airlock_text(""));
		for (int i = 0; i < 100; i++) {
			airlock_append_string(call, airlock_text_of(text, size / 10));
		}
		return NULL;
	}
	return text;
}
