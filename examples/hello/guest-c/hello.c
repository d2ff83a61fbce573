/*
 * The guest of the hello example, in C: it exports SayHello and asks the host for
 * the day. From the root of the repository:
 *
 *	gcc -O2 -static -Isdk/c -o hello.guest examples/hello/guest-c/hello.c sdk/c/airlock_guest.c
 *	go run ./examples/hello hello.guest
 */
#include "airlock_guest.h"

static const struct airlock_import get_weekday = {"GetWeekday", AIRLOCK_STRING, {0}};

static void say_hello(struct airlock_call *call)
{
	struct airlock_string name = airlock_argument_string(call, 0);
	struct airlock_value day;
	char memory[64];

	if (airlock_call_host(&get_weekday, NULL, &day, memory, sizeof(memory)) != AIRLOCK_OK) {
		airlock_return_error(call, day.as.string.data);
		return;
	}
	airlock_return_string(call, airlock_text("Hello, "));
	airlock_append_string(call, name);
	airlock_append_string(call, airlock_text("! Today is "));
	airlock_append_string(call, day.as.string);
	airlock_append_string(call, airlock_text("."));
}

static const struct airlock_function functions[] = {
	{"SayHello", AIRLOCK_STRING, {AIRLOCK_STRING}, say_hello},
};

static const struct airlock_import *const imports[] = {&get_weekday};

int main(void)
{
	static const struct airlock_program program = {
		.functions = functions,
		.function_count = AIRLOCK_COUNT(functions),
		.imports = imports,
		.import_count = AIRLOCK_COUNT(imports),
	};

	airlock_serve(&program);
}
