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
	airlock_append_string(call, airlock_text("["));
	for (size_t i = 0; i < bytes.size; i++) {
		snprintf(number, sizeof(number), i == 0 ? "%u" : " %u", bytes.data[i]);
		airlock_append_string(call, airlock_text(number));
	}
	snprintf(number, sizeof(number), "] %g %s", airlock_argument_float64(call, 3),
	         airlock_argument_bool(call, 4) ? "true" : "false");
	airlock_append_string(call, airlock_text(number));
}

/*
 * 1*first + 2*second and so on, so that neither one lost nor two exchanged go
 * unnoticed. A handler isn't told how many parameters its function has, so that
 * there is one for each number.
 */
static void weigh(struct airlock_call *call, size_t parameters)
{
	int64_t sum = 0;

	for (size_t i = 0; i < parameters; i++)
		sum += (int64_t)(i + 1) * airlock_argument_int32(call, i);
	airlock_return_int64(call, sum);
}

/* clang-format off */
#define NUMBERS(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) \
	X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32)
/* clang-format on */

#define HANDLER(n)                                                                                                     \
	static void weigh##n(struct airlock_call *call) { weigh(call, n); }

NUMBERS(HANDLER)

/* A range of the list of types is never empty: for 0 parameters it sets the end. */
#define LAST(n) ((n) == 0 ? 0 : (n)-1)
#define ENTRY(n) {"Params" #n, AIRLOCK_INT64, {[0 ... LAST(n)] = (n) == 0 ? 0 : AIRLOCK_INT32}, weigh##n},

static const struct airlock_function functions[] = {
	{"Int32", AIRLOCK_INT32, {AIRLOCK_INT32}, echo_int32},
	{"Uint32", AIRLOCK_UINT32, {AIRLOCK_UINT32}, echo_uint32},
	{"Int64", AIRLOCK_INT64, {AIRLOCK_INT64}, echo_int64},
	{"Uint64", AIRLOCK_UINT64, {AIRLOCK_UINT64}, echo_uint64},
	{"Float32", AIRLOCK_FLOAT32, {AIRLOCK_FLOAT32}, echo_float32},
	{"Float64", AIRLOCK_FLOAT64, {AIRLOCK_FLOAT64}, echo_float64},
	{"Bool", AIRLOCK_BOOL, {AIRLOCK_BOOL}, echo_bool},
	{"String", AIRLOCK_STRING, {AIRLOCK_STRING}, echo_string},
	{"Bytes", AIRLOCK_BYTES, {AIRLOCK_BYTES}, echo_bytes},
	{"Void", AIRLOCK_VOID, {0}, nothing},
	{"Mixed", AIRLOCK_STRING, {AIRLOCK_INT32, AIRLOCK_STRING, AIRLOCK_BYTES, AIRLOCK_FLOAT64, AIRLOCK_BOOL}, mixed},
	NUMBERS(ENTRY)};

const struct exports value_exports = {functions, AIRLOCK_COUNT(functions)};
