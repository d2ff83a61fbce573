/* The guest whose calls "airlock bench" measures: it returns what it gets. */
#include "airlock_guest.h"

static void echo(struct airlock_call *call) { airlock_return_string(call, airlock_argument_string(call, 0)); }

static const struct airlock_function functions[] = {{"Echo", AIRLOCK_STRING, {AIRLOCK_STRING}, echo}};

int main(void)
{
	static const struct airlock_program program = {functions, AIRLOCK_COUNT(functions), NULL, 0, NULL};

	airlock_serve(&program);
}
