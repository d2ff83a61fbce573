/*
 * airlock_guest.h: functions of a C program that the host of an Airlock sandbox
 * calls, and functions of the host that the program calls.
 *
 * This header and airlock_guest.c are all there is. They are C99 for x86-64 with
 * GCC or Clang, and use no libc; C++ may include the header. README.md has a
 * program to start from.
 *
 *	static void add(struct airlock_call *call)
 *	{
 *		airlock_return_int32(call, airlock_argument_int32(call, 0) + airlock_argument_int32(call, 1));
 *	}
 *
 *	static const struct airlock_function functions[] = {
 *		{"Add", AIRLOCK_INT32, {AIRLOCK_INT32, AIRLOCK_INT32}, add},
 *	};
 *
 *	int main(void)
 *	{
 *		const struct airlock_program program = {functions, AIRLOCK_COUNT(functions), NULL, 0, NULL};
 *
 *		airlock_serve(&program);
 *	}
 *
 * Mistakes that only the program's author can make (a name that is exported
 * twice, an argument read as another type than the one declared) end the program
 * by airlock_abort with a message that says which. What may go wrong in a correct
 * program is a result: of airlock_call_host, or to the host.
 */
#ifndef AIRLOCK_GUEST_H
#define AIRLOCK_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Limits of the messages. */
#define AIRLOCK_MAX_NAME 255       /* bytes of a function's name, which has at least one */
#define AIRLOCK_MAX_PARAMETERS 32  /* of a function */
#define AIRLOCK_MAX_FUNCTIONS 1024 /* exported, and as many imported */
#define AIRLOCK_MAX_ERROR 4096     /* bytes of an error's message; the rest is cut off */
#define AIRLOCK_MAX_LOG 8192       /* bytes of a log record's message; the rest is cut off */
#define AIRLOCK_MAX_SOURCE 255     /* bytes of its source */
#define AIRLOCK_MAX_FILE 1024      /* bytes of its file */
#define AIRLOCK_MAX_ATTRIBUTES 32  /* of a log record; it is refused if it has more */
#define AIRLOCK_MAX_KEY 255        /* bytes of an attribute's key */
#define AIRLOCK_MAX_ATTRIBUTE 1024 /* bytes of an attribute's value */

/* The number of items of an array. */
#define AIRLOCK_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The functions here that don't return. */
#define AIRLOCK_NORETURN __attribute__((noreturn))

/* ---- Values ------------------------------------------------------------- */

/* The type of a parameter or a result. */
enum airlock_type {
	AIRLOCK_INT32 = 1,
	AIRLOCK_UINT32 = 2,
	AIRLOCK_INT64 = 3,
	AIRLOCK_UINT64 = 4,
	AIRLOCK_FLOAT32 = 5,
	AIRLOCK_FLOAT64 = 6,
	AIRLOCK_BOOL = 7,
	AIRLOCK_STRING = 8,
	AIRLOCK_BYTES = 9,
	AIRLOCK_VOID = 10, /* a result only */
};

/*
 * Text in UTF-8 that belongs to somebody else. What the SDK hands out has a NUL
 * behind it, which size doesn't count; it may have other NULs before that.
 */
struct airlock_string {
	const char *data;
	size_t size;
};

/* Bytes that belong to somebody else. */
struct airlock_bytes {
	const uint8_t *data;
	size_t size;
};

/* A value of one of the types. */
struct airlock_value {
	enum airlock_type type;
	union {
		int32_t int32;
		uint32_t uint32;
		int64_t int64;
		uint64_t uint64;
		float float32;
		double float64;
		bool boolean;
		struct airlock_string string;
		struct airlock_bytes bytes;
	} as;
};

/* The string that ends at the first NUL of the text; an empty one for NULL. */
struct airlock_string airlock_text(const char *text);

/* The string of so many bytes. */
struct airlock_string airlock_text_of(const char *text, size_t size);

/* The bytes that are there. */
struct airlock_bytes airlock_bytes_of(const void *data, size_t size);

/* Values, as airlock_call_host takes them. */
struct airlock_value airlock_value_int32(int32_t v);
struct airlock_value airlock_value_uint32(uint32_t v);
struct airlock_value airlock_value_int64(int64_t v);
struct airlock_value airlock_value_uint64(uint64_t v);
struct airlock_value airlock_value_float32(float v);
struct airlock_value airlock_value_float64(double v);
struct airlock_value airlock_value_bool(bool v);
struct airlock_value airlock_value_string(struct airlock_string v);
struct airlock_value airlock_value_bytes(struct airlock_bytes v);

/* ---- Serving ------------------------------------------------------------ */

/* A call that the host makes. It ends when its handler returns. */
struct airlock_call;

/*
 * A function that the host may call: its name, the type of its result, the types
 * of its parameters ({0} for none), and what runs when it is called.
 */
struct airlock_function {
	const char *name;
	uint8_t result;                             /* enum airlock_type */
	uint8_t parameters[AIRLOCK_MAX_PARAMETERS]; /* the same, up to the first 0 */
	void (*handler)(struct airlock_call *call);
};

/* A function of the host that the program needs. */
struct airlock_import {
	const char *name;
	uint8_t result;
	uint8_t parameters[AIRLOCK_MAX_PARAMETERS];
};

/* What a program tells the host of itself. Lists without members may be NULL. */
struct airlock_program {
	const struct airlock_function *functions;
	size_t function_count;
	/* The host refuses a guest whose needs it does not meet. */
	const struct airlock_import *const *imports;
	size_t import_count;
	/*
	 * Runs before the first call after the sandbox was restored or made from a
	 * snapshot; may be NULL. Randomness, identifiers and the like that the program
	 * keeps in its memory are then also those of every other copy: this is where it
	 * makes new ones. getrandom(2) needs nothing, the host gives it a new seed.
	 */
	void (*on_restore)(void);
};

/*
 * The name of a function without parameters and result that the host calls
 * before it takes a snapshot, if the program exports one: to do what each use of
 * the snapshot would otherwise do again, and to forget what none should know. If
 * it fails there is no snapshot. Hosts don't list it.
 */
#define AIRLOCK_SNAPSHOT "airlock.snapshot"

/*
 * Tells the host what the program exports and needs, and then answers calls, for
 * ever. When nobody is there to call, because the program runs outside a sandbox
 * or is run for its own sake, it says so on stderr and exits with status 1.
 * Everything that program leads to must stay as it is.
 */
AIRLOCK_NORETURN void airlock_serve(const struct airlock_program *program);

/*
 * The arguments of a call, counted from 0. Strings and bytes stay valid and
 * unchanged until the handler returns, whatever it calls meanwhile.
 */
int32_t airlock_argument_int32(const struct airlock_call *call, size_t index);
uint32_t airlock_argument_uint32(const struct airlock_call *call, size_t index);
int64_t airlock_argument_int64(const struct airlock_call *call, size_t index);
uint64_t airlock_argument_uint64(const struct airlock_call *call, size_t index);
float airlock_argument_float32(const struct airlock_call *call, size_t index);
double airlock_argument_float64(const struct airlock_call *call, size_t index);
bool airlock_argument_bool(const struct airlock_call *call, size_t index);
struct airlock_string airlock_argument_string(const struct airlock_call *call, size_t index);
struct airlock_bytes airlock_argument_bytes(const struct airlock_call *call, size_t index);

/*
 * The result of a call. It is copied at once, so that what a handler returns may
 * be its own local memory. The last of several holds. A function that returns
 * AIRLOCK_VOID needs none of these, any other one of them in each call.
 */
void airlock_return_int32(struct airlock_call *call, int32_t v);
void airlock_return_uint32(struct airlock_call *call, uint32_t v);
void airlock_return_int64(struct airlock_call *call, int64_t v);
void airlock_return_uint64(struct airlock_call *call, uint64_t v);
void airlock_return_float32(struct airlock_call *call, float v);
void airlock_return_float64(struct airlock_call *call, double v);
void airlock_return_bool(struct airlock_call *call, bool v);
void airlock_return_string(struct airlock_call *call, struct airlock_string v);
void airlock_return_bytes(struct airlock_call *call, struct airlock_bytes v);

/* The call fails with this message, which is text up to its NUL. The sandbox stays usable. */
void airlock_return_error(struct airlock_call *call, const char *message);

/*
 * Make the string, the bytes or the message of the error that was returned
 * longer, so that a large result needs no memory but the message buffer. A
 * result that doesn't fit fails the call with AIRLOCK_TOO_LARGE, and one that is
 * declared as a string and is not UTF-8 with AIRLOCK_FAILED.
 */
void airlock_append_string(struct airlock_call *call, struct airlock_string v);
void airlock_append_bytes(struct airlock_call *call, struct airlock_bytes v);

/* ---- The host ----------------------------------------------------------- */

/* Why a function of the host failed. */
enum airlock_code {
	AIRLOCK_OK = 0,
	AIRLOCK_FAILED = 1,           /* it ran and returned an error */
	AIRLOCK_UNKNOWN_FUNCTION = 2, /* the host has no such function */
	AIRLOCK_WRONG_PARAMETERS = 3, /* it has other parameters, or the arguments here are not those of the import */
	AIRLOCK_PANICKED = 4,         /* it panicked */
	AIRLOCK_TOO_LARGE = 5,        /* arguments, result or the buffer for it: something has no room */
	AIRLOCK_MALFORMED = 6,        /* arguments that can't be sent, or an answer that is no message */
	AIRLOCK_DENIED = 7,           /* not for this caller, or not now: no call is in progress */
	AIRLOCK_CANCELLED = 8,
	AIRLOCK_ABORTED = 9,
};

/*
 * Calls a function of the host with as many arguments as it has parameters. They
 * may be NULL if it has none.
 *
 * The bytes of a result that is a string or bytes go to buffer, and result leads
 * there: the caller's memory, for as long as the caller keeps it. A string takes
 * a byte more than its size, for its NUL. If the capacity is too small the call
 * has been made and its result is lost: AIRLOCK_TOO_LARGE.
 *
 * Unless it returns AIRLOCK_OK, result is a string that says why, in buffer too
 * and cut to fit. buffer may be NULL if capacity is 0; result may be NULL if
 * nobody wants to know.
 *
 * Only while the host calls the program is this possible; any thread may do it.
 */
enum airlock_code airlock_call_host(const struct airlock_import *function, const struct airlock_value *arguments,
                                    struct airlock_value *result, void *buffer, size_t capacity);

enum airlock_level {
	AIRLOCK_LOG_TRACE = 1,
	AIRLOCK_LOG_DEBUG = 2,
	AIRLOCK_LOG_INFO = 3,
	AIRLOCK_LOG_WARN = 4,
	AIRLOCK_LOG_ERROR = 5,
};

struct airlock_attribute {
	struct airlock_string key;
	struct airlock_string value;
};

/* A line for the host's log, which adds the time and the name of the guest. */
struct airlock_record {
	enum airlock_level level;
	struct airlock_string message;
	struct airlock_string source; /* the part of the program that speaks */
	struct airlock_string file;   /* and where, or empty */
	uint32_t line;                /* in it, or 0 */
	const struct airlock_attribute *attributes;
	size_t attribute_count;
};

/*
 * Send a record to the host's logger. Of texts that are too long the rest is cut
 * off, and what is not UTF-8 in them is replaced: a program must be able to say
 * what went wrong, even with bytes that went wrong. They return false if the
 * record could not be sent. The host takes a limited number in each call and
 * drops the others. airlock_log takes text up to its NUL.
 */
bool airlock_log(enum airlock_level level, const char *source, const char *message);
bool airlock_log_record(const struct airlock_record *record);

/*
 * Ends the program at once. The call that it is in fails with the message, and
 * the host uses the sandbox no more.
 */
AIRLOCK_NORETURN void airlock_abort(const char *message);

#ifdef __cplusplus
}
#endif

#endif
