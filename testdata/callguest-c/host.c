/* What calls functions of the host. */
#include "guest.h"

#include <stdio.h>

/* What the host returns: as much as the largest message that a test asks for. */
static char memory[4 << 20];

/* What the text of an error begins with: what kind of error it is. */
static const char *kind(enum airlock_code code)
{
	switch (code) {
	case AIRLOCK_FAILED:
		return "failed: ";
	case AIRLOCK_UNKNOWN_FUNCTION:
		return "unknown function: ";
	case AIRLOCK_WRONG_PARAMETERS:
		return "wrong parameters: ";
	case AIRLOCK_PANICKED:
		return "panicked: ";
	case AIRLOCK_TOO_LARGE:
		return "too large: ";
	case AIRLOCK_DENIED:
		return "denied: ";
	default:
		return "another error: ";
	}
}

bool ask(struct airlock_call *call, const struct airlock_import *function, const struct airlock_value *arguments,
         struct airlock_value *result)
{
	enum airlock_code code = airlock_call_host(function, arguments, result, memory, sizeof(memory));

	if (code == AIRLOCK_OK)
		return true;
	airlock_return_error(call, "host function: ");
	airlock_append_string(call, airlock_text(kind(code)));
	airlock_append_string(call, result->as.string);
	return false;
}

struct airlock_string failure(const struct airlock_import *function, const struct airlock_value *arguments)
{
	static char text[5000];
	struct airlock_value result;
	enum airlock_code code = airlock_call_host(function, arguments, &result, memory, sizeof(memory));

	if (code == AIRLOCK_OK)
		return airlock_text("<nil>");
	snprintf(text, sizeof(text), "host function: %s%s", kind(code), result.as.string.data);
	return airlock_text(text);
}

/* ---- Each type to the host and back. */

#define ECHO(name, type, field, constant)                                                                              \
	static const struct airlock_import echo_##type = {"Echo" name, constant, {constant}};                          \
	static void host_##type(struct airlock_call *call)                                                             \
	{                                                                                                              \
		const struct airlock_value value = airlock_value_##type(airlock_argument_##type(call, 0));             \
		struct airlock_value result;                                                                           \
                                                                                                                       \
		if (ask(call, &echo_##type, &value, &result))                                                          \
			airlock_return_##type(call, result.as.field);                                                  \
	}

ECHO("Int32", int32, int32, AIRLOCK_INT32)
ECHO("Uint32", uint32, uint32, AIRLOCK_UINT32)
ECHO("Int64", int64, int64, AIRLOCK_INT64)
ECHO("Uint64", uint64, uint64, AIRLOCK_UINT64)
ECHO("Float32", float32, float32, AIRLOCK_FLOAT32)
ECHO("Float64", float64, float64, AIRLOCK_FLOAT64)
ECHO("Bool", bool, boolean, AIRLOCK_BOOL)
ECHO("String", string, string, AIRLOCK_STRING)
ECHO("Bytes", bytes, bytes, AIRLOCK_BYTES)

static const struct airlock_import echo_void = {"EchoVoid", AIRLOCK_VOID, {0}};

static void host_void(struct airlock_call *call)
{
	struct airlock_value result;

	ask(call, &echo_void, NULL, &result);
}

/* ---- The host's functions as programs use them. */

static const struct airlock_import weekday = {"Weekday", AIRLOCK_STRING, {0}};
static const struct airlock_import twice = {"Double", AIRLOCK_INT32, {AIRLOCK_INT32}};
static const struct airlock_import fails = {"Fails", AIRLOCK_VOID, {AIRLOCK_BOOL}};
static const struct airlock_import panics = {"Panics", AIRLOCK_VOID, {0}};
static const struct airlock_import sleeps = {"Sleeps", AIRLOCK_VOID, {0}};
static const struct airlock_import again = {"Reenter", AIRLOCK_VOID, {0}};
static const struct airlock_import large = {"Large", AIRLOCK_BYTES, {AIRLOCK_INT64}};

static void hello(struct airlock_call *call)
{
	struct airlock_value day;

	if (!ask(call, &weekday, NULL, &day))
		return;
	airlock_return_string(call, airlock_text("Hello, "));
	airlock_append_string(call, airlock_argument_string(call, 0));
	airlock_append_string(call, airlock_text("! Today is "));
	airlock_append_string(call, day.as.string);
	airlock_append_string(call, airlock_text("."));
}

static void host_double(struct airlock_call *call)
{
	const struct airlock_value value = airlock_value_int32(airlock_argument_int32(call, 0));
	struct airlock_value result;

	if (ask(call, &twice, &value, &result))
		airlock_return_int32(call, result.as.int32);
}

static void host_fails(struct airlock_call *call)
{
	const struct airlock_value visible = airlock_value_bool(airlock_argument_bool(call, 0));

	airlock_return_string(call, failure(&fails, &visible));
}

static void host_panics(struct airlock_call *call) { airlock_return_string(call, failure(&panics, NULL)); }

/* Tells the host what it was told. */
static void host_panic_told(struct airlock_call *call)
{
	const struct airlock_value told = airlock_value_string(failure(&panics, NULL));
	struct airlock_value result;

	ask(call, &echo_string, &told, &result);
}

static void host_sleeps(struct airlock_call *call)
{
	struct airlock_value result;

	ask(call, &sleeps, NULL, &result);
}

static void host_reenters(struct airlock_call *call) { airlock_return_string(call, failure(&again, NULL)); }

static void host_large(struct airlock_call *call)
{
	const struct airlock_value size = airlock_value_int64(airlock_argument_int64(call, 0));
	struct airlock_value result;

	if (ask(call, &large, &size, &result))
		airlock_return_int64(call, (int64_t)result.as.bytes.size);
}

const struct airlock_import *const imports[] = {
	&echo_int32, &echo_uint32, &echo_int64, &echo_uint64, &echo_float32, &echo_float64,
	&echo_bool,  &echo_string, &echo_bytes, &echo_void,   &weekday,      &twice,
	&fails,      &panics,      &sleeps,     &again,       &large,
};
const size_t import_count = AIRLOCK_COUNT(imports);

static const struct airlock_function functions[] = {
	{"HostInt32", AIRLOCK_INT32, {AIRLOCK_INT32}, host_int32},
	{"HostUint32", AIRLOCK_UINT32, {AIRLOCK_UINT32}, host_uint32},
	{"HostInt64", AIRLOCK_INT64, {AIRLOCK_INT64}, host_int64},
	{"HostUint64", AIRLOCK_UINT64, {AIRLOCK_UINT64}, host_uint64},
	{"HostFloat32", AIRLOCK_FLOAT32, {AIRLOCK_FLOAT32}, host_float32},
	{"HostFloat64", AIRLOCK_FLOAT64, {AIRLOCK_FLOAT64}, host_float64},
	{"HostBool", AIRLOCK_BOOL, {AIRLOCK_BOOL}, host_bool},
	{"HostString", AIRLOCK_STRING, {AIRLOCK_STRING}, host_string},
	{"HostBytes", AIRLOCK_BYTES, {AIRLOCK_BYTES}, host_bytes},
	{"HostVoid", AIRLOCK_VOID, {0}, host_void},
	{"Hello", AIRLOCK_STRING, {AIRLOCK_STRING}, hello},
	{"Double", AIRLOCK_INT32, {AIRLOCK_INT32}, host_double},
	{"HostFails", AIRLOCK_STRING, {AIRLOCK_BOOL}, host_fails},
	{"HostPanics", AIRLOCK_STRING, {0}, host_panics},
	{"HostPanicTold", AIRLOCK_VOID, {0}, host_panic_told},
	{"HostSleeps", AIRLOCK_VOID, {0}, host_sleeps},
	{"HostReenters", AIRLOCK_STRING, {0}, host_reenters},
	{"HostLarge", AIRLOCK_INT64, {AIRLOCK_INT64}, host_large},
};

const struct exports host_exports = {functions, AIRLOCK_COUNT(functions)};
