// Makes one hypercall ten thousand times, as the control page happens to be.
// call: Attack
// want: any
// run: any
// args: 0xa101
// args: 0xa102
// args: 0xa103
// args: 0xa104
// args: 0xa105
// args: 0xa106
// args: 0xa107
// args: 0xa108
// args: 0xa109
// args: 0xa10a
// args: 0xa10b
// args: 0xa10c
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	(void)call;
	if (is(how, "0xa104")) { // so that it is output
		CONTROL->output.descriptor = 1;
		CONTROL->output.length = AIRLOCK_STDIO_OUTPUT_SIZE;
	}
	for (int i = 0; i < 10000; i++) {
		CONTROL->message.length = 0;
		hypercall(number(how));
	}
	return "done";
}
