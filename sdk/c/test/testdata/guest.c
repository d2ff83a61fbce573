/*
 * The guest of the tests: one function for each behaviour. It uses no libc, so
 * that it can be built with any and without one.
 */
#include "airlock_guest.h"

#define TEXT(s) airlock_text(s)

static int64_t calls, restores;
static struct airlock_call *kept;

static void count_restore(void)
{
	restores++;
	if (kept != NULL)
		airlock_argument_int32(kept, 0);
}

/* ---- Each type, there and back, in the guest and through the host. */

#define ECHO(type, constant)                                                                                           \
	static void echo_##type(struct airlock_call *call)                                                             \
	{                                                                                                              \
		airlock_return_##type(call, airlock_argument_##type(call, 0));                                         \
	}                                                                                                              \
	static const struct airlock_import import_##type = {"Echo." #type, constant, {constant}};                      \
	static char memory_##type[64 << 10];                                                                           \
	static void host_##type(struct airlock_call *call)                                                             \
	{                                                                                                              \
		const struct airlock_value value = airlock_value_##type(airlock_argument_##type(call, 0));             \
		struct airlock_value result;                                                                           \
		if (airlock_call_host(&import_##type, &value, &result, memory_##type, sizeof(memory_##type)) !=        \
		    AIRLOCK_OK)                                                                                        \
			airlock_return_error(call, result.as.string.data);                                             \
		else                                                                                                   \
			airlock_return_##type(call, result.as.FIELD_##type);                                           \
	}

#define FIELD_int32 int32
#define FIELD_uint32 uint32
#define FIELD_int64 int64
#define FIELD_uint64 uint64
#define FIELD_float32 float32
#define FIELD_float64 float64
#define FIELD_bool boolean
#define FIELD_string string
#define FIELD_bytes bytes
ECHO(int32, AIRLOCK_INT32)
ECHO(uint32, AIRLOCK_UINT32)
ECHO(int64, AIRLOCK_INT64)
ECHO(uint64, AIRLOCK_UINT64)
ECHO(float32, AIRLOCK_FLOAT32)
ECHO(float64, AIRLOCK_FLOAT64)
ECHO(bool, AIRLOCK_BOOL)
ECHO(string, AIRLOCK_STRING)
ECHO(bytes, AIRLOCK_BYTES)

static const struct airlock_import void_import = {"Echo.void", AIRLOCK_VOID, {0}};

static void nothing(struct airlock_call *call) { (void)call; }

static void host_void(struct airlock_call *call)
{
	if (airlock_call_host(&void_import, NULL, NULL, NULL, 0) != AIRLOCK_OK)
		airlock_return_error(call, "it failed");
}

static void sum(struct airlock_call *call)
{
	int64_t total = 0;

	for (size_t i = 0; i < AIRLOCK_MAX_PARAMETERS; i++)
		total += airlock_argument_int32(call, i);
	airlock_return_int64(call, total);
}

static const struct airlock_import sum_import = {
	"Sum",
	AIRLOCK_INT64,
	{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
};

static void host_sum(struct airlock_call *call)
{
	struct airlock_value arguments[AIRLOCK_MAX_PARAMETERS], result;

	for (int32_t i = 0; i < AIRLOCK_MAX_PARAMETERS; i++)
		arguments[i] = airlock_value_int32(i);
	if (airlock_call_host(&sum_import, arguments, &result, NULL, 0) != AIRLOCK_OK)
		airlock_return_error(call, "it failed");
	else
		airlock_return_int64(call, result.as.int64);
}

static void append_digits(struct airlock_call *call, uint64_t n)
{
	char digits[20];
	size_t start = sizeof(digits);

	do {
		digits[--start] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	airlock_append_string(call, airlock_text_of(digits + start, sizeof(digits) - start));
}

static void mixed(struct airlock_call *call)
{
	struct airlock_bytes bytes = airlock_argument_bytes(call, 2);

	airlock_return_string(call, airlock_argument_string(call, 1));
	append_digits(call, (uint64_t)airlock_argument_int32(call, 0));
	airlock_append_bytes(call, bytes);
	append_digits(call, (uint64_t)(airlock_argument_float64(call, 3) * 1000));
	airlock_append_string(call, TEXT(airlock_argument_bool(call, 4) ? "yes" : "no"));
}

/* ---- Results. */

static void count(struct airlock_call *call) { airlock_return_int64(call, ++calls); }

static void restored(struct airlock_call *call) { airlock_return_int64(call, restores); }

static void error(struct airlock_call *call)
{
	airlock_return_error(call, "no: ");
	airlock_append_string(call, airlock_argument_string(call, 0));
}

static void large(struct airlock_call *call)
{
	static const uint8_t zeros[1000];
	int64_t size = airlock_argument_int64(call, 0);

	airlock_return_bytes(call, airlock_bytes_of(NULL, 0));
	for (; size > 0; size -= (int64_t)sizeof(zeros))
		airlock_append_bytes(call, airlock_bytes_of(zeros, size < 1000 ? (size_t)size : sizeof(zeros)));
}

static void bad_text(struct airlock_call *call) { airlock_return_string(call, TEXT("\xc3(")); }

/* A character in two pieces is whole in the end. */
static void split_text(struct airlock_call *call)
{
	airlock_return_string(call, TEXT("\xc3"));
	airlock_append_string(call, TEXT("\xbc"));
}

static void twice(struct airlock_call *call)
{
	airlock_return_error(call, "first");
	airlock_return_string(call, TEXT("second, and longer"));
	airlock_return_string(call, TEXT("third"));
}

static void late_error(struct airlock_call *call)
{
	airlock_return_string(call, TEXT("first"));
	airlock_return_error(call, "late");
}

/* What was returned is the caller's own memory, which is reused at once. */
static void local(struct airlock_call *call)
{
	char text[8] = "local";

	airlock_return_string(call, airlock_text_of(text, 5));
	for (size_t i = 0; i < sizeof(text); i++)
		((volatile char *)text)[i] = 'x';
}

/* ---- What else is sent while a call is in progress. */

static void keep(struct airlock_call *call)
{
	struct airlock_string text = airlock_argument_string(call, 0);
	struct airlock_bytes bytes = airlock_argument_bytes(call, 1);
	char memory[16];
	struct airlock_value result;
	const struct airlock_value argument = airlock_value_string(TEXT("overwrites"));

	airlock_call_host(&import_string, &argument, &result, memory, sizeof(memory));
	airlock_log(AIRLOCK_LOG_INFO, "test", "keep");
	airlock_return_bytes(call, airlock_bytes_of(text.data, text.size + 1)); /* with its NUL */
	airlock_append_bytes(call, bytes);
	airlock_append_string(call, result.as.string);
}

static void stream(struct airlock_call *call)
{
	int32_t n = airlock_argument_int32(call, 1);
	const struct airlock_value argument = airlock_value_string(airlock_argument_string(call, 0));
	char memory[256];
	struct airlock_value result;

	airlock_return_string(call, TEXT("["));
	for (int32_t i = 0; i < n; i++) {
		airlock_call_host(&import_string, &argument, &result, memory, sizeof(memory));
		airlock_append_string(call, result.as.string);
		airlock_log(AIRLOCK_LOG_DEBUG, "test", "stream");
	}
	airlock_append_string(call, TEXT("]"));
}

static void late_log(struct airlock_call *call)
{
	airlock_return_int32(call, 42);
	airlock_log(AIRLOCK_LOG_INFO, "test", "late");
}

static void log_text(struct airlock_call *call)
{
	const struct airlock_attribute attributes[] = {
		{TEXT("length"), TEXT("many")},
		{TEXT("text"), airlock_argument_string(call, 1)},
	};
	struct airlock_record record = {(enum airlock_level)airlock_argument_int32(call, 0),
	                                airlock_argument_string(call, 1),
	                                TEXT("test"),
	                                TEXT(__FILE__),
	                                __LINE__,
	                                attributes,
	                                AIRLOCK_COUNT(attributes)};

	airlock_return_bool(call, airlock_log_record(&record));
}

/* ---- Errors of the host. */

static const struct airlock_import fails = {"Fails", AIRLOCK_VOID, {AIRLOCK_BOOL}};
static const struct airlock_import panics = {"Panics", AIRLOCK_VOID, {0}};
static const struct airlock_import large_import = {"Large", AIRLOCK_BYTES, {AIRLOCK_INT64}};
/* These are not declared. */
static const struct airlock_import missing = {"Missing", AIRLOCK_VOID, {0}};
static const struct airlock_import other = {"Echo.int32", AIRLOCK_VOID, {AIRLOCK_STRING}};
static const struct airlock_import other_result = {"Echo.int32", AIRLOCK_VOID, {AIRLOCK_INT32}};
static const struct airlock_import nameless = {"", AIRLOCK_VOID, {0}};

/* Returns the code and the message of a call of the host. */
static void report(struct airlock_call *call, const struct airlock_import *function, struct airlock_value argument,
                   size_t capacity)
{
	static char memory[64 << 10];
	struct airlock_value result;
	enum airlock_code code = airlock_call_host(function, &argument, &result, memory, capacity);

	airlock_return_string(call, TEXT(""));
	append_digits(call, code);
	airlock_append_string(call, TEXT(":"));
	if (result.type == AIRLOCK_STRING)
		airlock_append_string(call, result.as.string);
	else if (result.type == AIRLOCK_BYTES)
		append_digits(call, result.as.bytes.size);
	if (code == AIRLOCK_OK || capacity == 0)
		return;
	if (result.as.string.data[result.as.string.size] != 0)
		airlock_abort("no NUL behind a string");
}

static void host_fails(struct airlock_call *call)
{
	report(call, &fails, airlock_value_bool(airlock_argument_bool(call, 0)), 4096);
}

static void host_panics(struct airlock_call *call) { report(call, &panics, airlock_value_bool(true), 4096); }
static void host_missing(struct airlock_call *call) { report(call, &missing, airlock_value_bool(true), 4096); }
static void host_other(struct airlock_call *call) { report(call, &other, airlock_value_string(TEXT("1")), 4096); }

static void host_other_result(struct airlock_call *call) { report(call, &other_result, airlock_value_int32(1), 4096); }

static void host_wrong(struct airlock_call *call) { report(call, &other, airlock_value_int32(1), 4096); }
static void host_nameless(struct airlock_call *call) { report(call, &nameless, airlock_value_int32(1), 4096); }

static void host_bad_text(struct airlock_call *call)
{
	report(call, &import_string, airlock_value_string(TEXT("\xed\xa0\x80")), 4096);
}

static void host_large(struct airlock_call *call)
{
	report(call, &large_import, airlock_value_int64(airlock_argument_int64(call, 0)),
	       (size_t)airlock_argument_int64(call, 1));
}

static void host_text(struct airlock_call *call)
{
	report(call, &import_string, airlock_value_string(airlock_argument_string(call, 0)),
	       (size_t)airlock_argument_int64(call, 1));
}

static void send_large(struct airlock_call *call)
{
	static uint8_t zeros[1 << 20];

	report(call, &import_bytes,
	       airlock_value_bytes(airlock_bytes_of(zeros, (size_t)airlock_argument_int64(call, 0))), 64 << 10);
}

/* ---- Ends. */

static void abort_with(struct airlock_call *call) { airlock_abort(airlock_argument_string(call, 0).data); }

static void exit_with(struct airlock_call *call)
{
	int64_t number = 231; /* exit_group */

	__asm__ volatile("syscall"
	                 : "+a"(number)
	                 : "D"((int64_t)airlock_argument_int32(call, 0))
	                 : "rcx", "r11", "memory");
}

static void fault(struct airlock_call *call)
{
	(void)call;
	*(volatile int *)(uintptr_t)0x123456789000 = 1;
}

/* ---- Mistakes. */

static void wrong_argument(struct airlock_call *call) { airlock_return_string(call, airlock_argument_string(call, 0)); }
static void no_argument(struct airlock_call *call) { airlock_return_int32(call, airlock_argument_int32(call, 1)); }
static void wrong_result(struct airlock_call *call) { airlock_return_int32(call, 1); }
static void wrong_bytes(struct airlock_call *call) { airlock_return_bytes(call, airlock_bytes_of("x", 1)); }
static void no_append(struct airlock_call *call) { airlock_append_string(call, TEXT("x")); }

/* The call is over when the hook uses it. */
static void keep_call(struct airlock_call *call) { kept = call; }

static void number_append(struct airlock_call *call)
{
	airlock_return_int32(call, 1);
	airlock_append_string(call, TEXT("x"));
}

#define NAME_51 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

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
	{"Sum",
         AIRLOCK_INT64,
         {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
         sum},
	{"HostSum", AIRLOCK_INT64, {0}, host_sum},
	{"Mixed", AIRLOCK_STRING, {AIRLOCK_INT32, AIRLOCK_STRING, AIRLOCK_BYTES, AIRLOCK_FLOAT64, AIRLOCK_BOOL}, mixed},
	{"Count", AIRLOCK_INT64, {0}, count},
	{"Restored", AIRLOCK_INT64, {0}, restored},
	{"Error", AIRLOCK_VOID, {AIRLOCK_STRING}, error},
	{"Large", AIRLOCK_BYTES, {AIRLOCK_INT64}, large},
	{"BadText", AIRLOCK_STRING, {0}, bad_text},
	{"SplitText", AIRLOCK_STRING, {0}, split_text},
	{"Twice", AIRLOCK_STRING, {0}, twice},
	{"LateError", AIRLOCK_STRING, {0}, late_error},
	{"Local", AIRLOCK_STRING, {0}, local},
	{"Keep", AIRLOCK_BYTES, {AIRLOCK_STRING, AIRLOCK_BYTES}, keep},
	{"Stream", AIRLOCK_STRING, {AIRLOCK_STRING, AIRLOCK_INT32}, stream},
	{"LateLog", AIRLOCK_INT32, {0}, late_log},
	{"Log", AIRLOCK_BOOL, {AIRLOCK_INT32, AIRLOCK_STRING}, log_text},
	{"HostFails", AIRLOCK_STRING, {AIRLOCK_BOOL}, host_fails},
	{"HostPanics", AIRLOCK_STRING, {0}, host_panics},
	{"HostMissing", AIRLOCK_STRING, {0}, host_missing},
	{"HostOther", AIRLOCK_STRING, {0}, host_other},
	{"HostOtherResult", AIRLOCK_STRING, {0}, host_other_result},
	{"HostWrong", AIRLOCK_STRING, {0}, host_wrong},
	{"HostNameless", AIRLOCK_STRING, {0}, host_nameless},
	{"HostBadText", AIRLOCK_STRING, {0}, host_bad_text},
	{"HostLarge", AIRLOCK_STRING, {AIRLOCK_INT64, AIRLOCK_INT64}, host_large},
	{"HostText", AIRLOCK_STRING, {AIRLOCK_STRING, AIRLOCK_INT64}, host_text},
	{"SendLarge", AIRLOCK_STRING, {AIRLOCK_INT64}, send_large},
	{"Abort", AIRLOCK_VOID, {AIRLOCK_STRING}, abort_with},
	{"Exit", AIRLOCK_VOID, {AIRLOCK_INT32}, exit_with},
	{"Fault", AIRLOCK_VOID, {0}, fault},
	{"WrongArgument", AIRLOCK_STRING, {AIRLOCK_INT32}, wrong_argument},
	{"NoArgument", AIRLOCK_INT32, {AIRLOCK_INT32}, no_argument},
	{"WrongResult", AIRLOCK_STRING, {0}, wrong_result},
	{"WrongBytes", AIRLOCK_STRING, {0}, wrong_bytes},
	{"NoResult", AIRLOCK_STRING, {0}, nothing},
	{"NoAppend", AIRLOCK_STRING, {0}, no_append},
	{"KeepCall", AIRLOCK_VOID, {AIRLOCK_INT32}, keep_call},
	{"NumberAppend", AIRLOCK_INT32, {0}, number_append},
	{"Gr\xc3\xbc\xc3\x9f"
         "e, \xe7\x81\xab!",
         AIRLOCK_VOID,
         {0},
         nothing},
	{NAME_51 NAME_51 NAME_51 NAME_51 NAME_51, AIRLOCK_VOID, {0}, nothing},
};

static const struct airlock_import *const imports[] = {
	&import_int32,  &import_uint32, &import_int64, &import_uint64, &import_float32, &import_float64, &import_bool,
	&import_string, &import_bytes,  &void_import,  &sum_import,    &fails,          &panics,         &large_import,
};

int main(void)
{
	static const struct airlock_program program = {
		functions, AIRLOCK_COUNT(functions), imports, AIRLOCK_COUNT(imports), count_restore,
	};

	airlock_serve(&program);
}
