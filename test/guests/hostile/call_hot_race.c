// Sends messages through the outbox and changes them while the host, which runs at the same time if
// the call is hot, reads them: the text, the length, any byte. What the host makes of them is a call
// with text that is right, or a broken protocol.
// call: Attack
// want: any
// args: text
// args: length
// args: any
// args: sequence
#include "attack.h"

static void change(volatile uint8_t *message, const char *how, unsigned *seed)
{
	uint32_t size = *(volatile uint32_t *)message, at = random32(seed) % (size + 4);
	uint8_t before = message[at];
	if (is(how, "text")) {
		volatile uint8_t *text = memmem((void *)message, size + 4, "hello", 5);
		if (text) {
			text[3] = 0xff;
			text[3] = 'l';
		}
	} else if (is(how, "length")) {
		*(volatile uint32_t *)message = random32(seed) % 3 ? 0xffffffff : 0x7fffffff;
		*(volatile uint32_t *)message = size;
	} else {
		message[at] = (uint8_t)random32(seed);
		message[at] = before;
	}
}

static const char *attack(struct airlock_call *call, const char *how)
{
	volatile struct airlock_outbox *outbox = (void *)(AIRLOCK_PHYSMAP + AIRLOCK_OUTBOX_GPA);
	volatile uint8_t *message = (uint8_t *)message_info().output;
	unsigned seed = 99, answers = 0;
	(void)call;
	echo("hello, while it changes"); // what it has sent stays in the buffer
	for (uint32_t n = 1; n < 3000; n++) {
		uint32_t sequence = (n + 0x100000) << AIRLOCK_OPERATION_BITS | AIRLOCK_OPERATION_HOST;
		outbox->sequence = sequence;
		for (int i = 0; i < 40 && CLOCK->inbox.sequence != sequence; i++) {
			change(message, how, &seed);
			if (is(how, "sequence")) {
				outbox->sequence = random32(&seed) & ~7u;
			}
		}
		answers += CLOCK->inbox.sequence == sequence;
	}
	return answers ? "answered" : "not hot";
}
