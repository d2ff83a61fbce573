/*
 * The guest of the redact example: it exports Redact, which puts stars in the
 * place of each occurrence of a word, and logs how many there were. From the
 * root of the repository:
 *
 *	gcc -O2 -static -Isdk/c -o redact.guest examples/c/redact/guest/redact.c sdk/c/airlock_guest.c
 *	echo 'the password is swordfish' | go run ./examples/c/redact redact.guest swordfish
 */
#include <stdio.h>
#include <string.h>

#include "airlock_guest.h"

/* The text may be any bytes; the result is made piece by piece, so that its size doesn't matter. */
static void redact(struct airlock_call *call)
{
	struct airlock_bytes text = airlock_argument_bytes(call, 0);
	struct airlock_string word = airlock_argument_string(call, 1);
	size_t at = 0, kept = 0, found = 0;
	char message[64];

	if (word.size == 0) {
		airlock_return_error(call, "the word is empty");
		return;
	}
	airlock_return_bytes(call, airlock_bytes_of(NULL, 0));
	while (text.size - at >= word.size) {
		if (memcmp(text.data + at, word.data, word.size) != 0) {
			at++;
			continue;
		}
		airlock_append_bytes(call, airlock_bytes_of(text.data + kept, at - kept));
		for (size_t i = 0; i < word.size; i++)
			airlock_append_string(call, airlock_text("*"));
		at += word.size;
		kept = at;
		found++;
	}
	airlock_append_bytes(call, airlock_bytes_of(text.data + kept, text.size - kept));
	snprintf(message, sizeof(message), "%zu of %zu bytes redacted", found * word.size, text.size);
	airlock_log(AIRLOCK_LOG_INFO, "redact", message);
}

static const struct airlock_function functions[] = {
	{"Redact", AIRLOCK_BYTES, {AIRLOCK_BYTES, AIRLOCK_STRING}, redact},
};

int main(void)
{
	static const struct airlock_program program = {
		.functions = functions,
		.function_count = AIRLOCK_COUNT(functions),
	};

	airlock_serve(&program);
}
