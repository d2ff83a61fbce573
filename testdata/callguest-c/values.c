/* Each type to the guest and back, and functions of 0 to 32 parameters. */
#include "guest.h"

#include <stdio.h>

#define ECHO(type)                                                                                                     \
	static void echo_##type(struct airlock_call *call)                                                             \
	{                                                                                                              \
		airlock_return_##type(call, airlock_argument_##type(call, 0));                                         \
	}

ECHO(int32)
ECHO(uint32)
ECHO(int64)
ECHO(uint64)
ECHO(float32)
ECHO(float64)
ECHO(bool)
ECHO(string)
ECHO(bytes)

static void nothing(struct airlock_call *call) { (void)call; }

/* All parameters as one text, as Go's fmt.Sprint writes them. */
static void mixed(struct airlock_call *call)
{
	struct airlock_bytes bytes = airlock_argument_bytes(call, 2);
	char number[64];

	snprintf(number, sizeof(number), "%d", airlock_argument_int32(call, 0));
	airlock_return_string(call, airlock_text(number));
	airlock_append_string(call, airlock_argument_string(call, 1));
	for (size_t i = 0; i < bytes.size; i++) {
		snprintf(number, sizeof(number), "%s%u", i == 0 ? "[" : " ", bytes.data[i]);
		airlock_append_string(call, airlock_text(number));
	}
	snprintf(number, sizeof(number), "] %g %s", airlock_argument_float64(call, 3),
	         airlock_argument_bool(call, 4) ? "true" : "false");
	airlock_append_string(call, airlock_text(number));
}

/*
 * 1*first + 2*second and so on, so that neither one lost nor two exchanged go
 * unnoticed. A handler doesn't learn how many parameters its function has: there
 * is one handler for each number.
 */
static void weigh(struct airlock_call *call, size_t parameters)
{
	int64_t sum = 0;

	for (size_t i = 0; i < parameters; i++)
		sum += (int64_t)(i + 1) * airlock_argument_int32(call, i);
	airlock_return_int64(call, sum);
}

/* Each number of parameters, with a list of as many types. */
#define TYPES_4 AIRLOCK_INT32, AIRLOCK_INT32, AIRLOCK_INT32, AIRLOCK_INT32
#define TYPES_8 TYPES_4, TYPES_4
#define TYPES_16 TYPES_8, TYPES_8
#define FOUR(each, from0, from1, from2, from3, ...)                                                                    \
	each(from0, {__VA_ARGS__ 0}) each(from1, {__VA_ARGS__ AIRLOCK_INT32})                                          \
	each(from2, {__VA_ARGS__ AIRLOCK_INT32, AIRLOCK_INT32})                                                        \
	each(from3, {__VA_ARGS__ AIRLOCK_INT32, AIRLOCK_INT32, AIRLOCK_INT32})
#define EACH_NUMBER(each)                                                                                              \
	each(0, {0}) FOUR(each, 0, 1, 2, 3)

#undef EACH_NUMBER
#undef FOUR

