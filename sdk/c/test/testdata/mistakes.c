/* Programs whose tables are wrong, by number: mistakes NUMBER. */
#include <stdlib.h>

#include "airlock_guest.h"

static void nothing(struct airlock_call *call) { (void)call; }

#define NAME_64 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static const struct airlock_function functions[] = {
	{"Good", AIRLOCK_VOID, {0}, nothing}, {"Good", AIRLOCK_INT32, {0}, nothing},
	{"", AIRLOCK_VOID, {0}, nothing},     {NULL, AIRLOCK_VOID, {0}, nothing},
	{"\xff", AIRLOCK_VOID, {0}, nothing}, {NAME_64 NAME_64 NAME_64 NAME_64, AIRLOCK_VOID, {0}, nothing},
	{"Handler", AIRLOCK_VOID, {0}, NULL}, {"Result", 11, {0}, nothing},
	{"NoResult", 0, {0}, nothing},        {"Parameter", AIRLOCK_VOID, {AIRLOCK_INT32, AIRLOCK_VOID}, nothing},
};

static const struct airlock_import import = {"Twice", AIRLOCK_VOID, {0}};
static const struct airlock_import *const imports[] = {&import, &import};

int main(int argc, char **argv)
{
	static struct airlock_function many[AIRLOCK_MAX_FUNCTIONS + 1];
	struct airlock_program program = {NULL, 0, NULL, 0, NULL};
	size_t number = argc == 2 ? (size_t)atoi(argv[1]) : 0;

	if (number == 0) {
		program.imports = imports;
		program.import_count = 2;
	} else if (number == 1) {
		program.functions = functions;
		program.function_count = 2;
	} else if (number < AIRLOCK_COUNT(functions)) {
		program.functions = &functions[number];
		program.function_count = 1;
	} else {
		/* One name too many, or a list that is longer than the message buffer. */
		static char names[AIRLOCK_COUNT(many)][256];

		program.functions = many;
		program.function_count = AIRLOCK_COUNT(many) - (number > AIRLOCK_COUNT(functions));
		for (size_t i = 0; i < AIRLOCK_COUNT(many); i++) {
			for (size_t at = 0; at < 250; at++)
				names[i][at] = (char)('a' + (at < 3 ? i >> (4 * at) & 15 : 0));
			many[i].name = names[i];
			many[i].result = AIRLOCK_VOID;
			many[i].handler = nothing;
		}
	}
	airlock_serve(&program);
}
