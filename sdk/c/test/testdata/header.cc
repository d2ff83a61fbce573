// The header is C++ too: a program that uses each part of it.
#include "airlock_guest.h"

static void add(struct airlock_call *call)
{
	airlock_value argument = airlock_value_string(airlock_text("x")), result;
	static const airlock_import import = {"Import", AIRLOCK_STRING, {AIRLOCK_STRING}};
	char memory[16];

	if (airlock_call_host(&import, &argument, &result, memory, sizeof(memory)) != AIRLOCK_OK)
		airlock_log(AIRLOCK_LOG_WARN, "header", result.as.string.data);
	airlock_return_int32(call, airlock_argument_int32(call, 0));
}

static const airlock_function functions[] = {
	{"Add", AIRLOCK_INT32, {AIRLOCK_INT32}, add},
	{"Same", AIRLOCK_VOID, {0}, [](airlock_call *) {}},
};

int main()
{
	const airlock_program program = {functions, AIRLOCK_COUNT(functions), nullptr, 0, nullptr};

	airlock_serve(&program);
}
