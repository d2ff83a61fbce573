/* Serves the function calls that are measured: the same as calls/main.go. */
#include "airlock_guest.h"

static const struct airlock_import ask = {"Ask", AIRLOCK_STRING, {AIRLOCK_STRING}};

static void echo(struct airlock_call *call) { airlock_return_string(call, airlock_argument_string(call, 0)); }

static void echo_bytes(struct airlock_call *call) { airlock_return_bytes(call, airlock_argument_bytes(call, 0)); }

static void third(struct airlock_call *call)
{
	struct airlock_bytes data = airlock_argument_bytes(call, 0);

	airlock_return_bytes(call, airlock_bytes_of(data.data, data.size / 3));
}

static void length(struct airlock_call *call)
{
	airlock_return_int64(call, (int64_t)airlock_argument_bytes(call, 0).size);
}

/* Nothing is allocated here. */
static void settle(struct airlock_call *call) { (void)call; }

static void ask_host(struct airlock_call *call)
{
	struct airlock_value argument = airlock_value_string(airlock_argument_string(call, 0)), answer;
	char memory[256];

	if (airlock_call_host(&ask, &argument, &answer, memory, sizeof(memory)) != AIRLOCK_OK) {
		airlock_return_error(call, answer.as.string.data);
		return;
	}
	airlock_return_string(call, answer.as.string);
}

static const struct airlock_function functions[] = {
	{"Echo", AIRLOCK_STRING, {AIRLOCK_STRING}, echo},    {"EchoBytes", AIRLOCK_BYTES, {AIRLOCK_BYTES}, echo_bytes},
	{"Third", AIRLOCK_BYTES, {AIRLOCK_BYTES}, third},    {"Length", AIRLOCK_INT64, {AIRLOCK_BYTES}, length},
	{"Ask", AIRLOCK_STRING, {AIRLOCK_STRING}, ask_host}, {"Settle", AIRLOCK_VOID, {0}, settle},
};

static const struct airlock_import *const imports[] = {&ask};

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
