/*
 * The guest of the call tests, in C: one function for each behaviour, the same
 * ones as ../callguest exports, but for what is about a language.
 */
#include "guest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t counter;

static void count(struct airlock_call *call) { airlock_return_int64(call, ++counter); }

static void fail(struct airlock_call *call)
{
	airlock_return_error(call, "");
	airlock_append_string(call, airlock_argument_string(call, 0));
}

static void large(struct airlock_call *call)
{
	static const uint8_t zeros[1024];

	airlock_return_bytes(call, airlock_bytes_of(NULL, 0));
	for (int64_t left = airlock_argument_int64(call, 0); left > 0; left -= (int64_t)sizeof(zeros)) {
		size_t n = left < (int64_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);

		airlock_append_bytes(call, airlock_bytes_of(zeros, n));
	}
}

static void spin(struct airlock_call *call)
{
	(void)call;
	for (;;)
		++*(volatile int64_t *)&counter;
}

/* Text that is repeated; it need not be UTF-8. */
static void text(struct airlock_call *call)
{
	struct airlock_bytes piece = airlock_argument_bytes(call, 0);
	struct airlock_string view = airlock_text_of((const char *)piece.data, piece.size);

	airlock_return_string(call, airlock_text(""));
	for (int64_t times = airlock_argument_int64(call, 1); times > 0; times--)
		airlock_append_string(call, view);
}

static void print(struct airlock_call *call)
{
	struct airlock_string line = airlock_argument_string(call, 0);

	for (size_t i = 0; i < line.size; i++)
		putchar(toupper((unsigned char)line.data[i]));
	fflush(stdout);
}

static void pause_for(struct airlock_call *call)
{
	int64_t milliseconds = airlock_argument_int64(call, 0);
	const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* ---- Logs. */

static void log_many(struct airlock_call *call)
{
	for (int64_t i = 0; i < airlock_argument_int64(call, 0); i++) {
		char number[24];
		snprintf(number, sizeof(number), "%lld", (long long)i);
		const struct airlock_attribute attribute = {airlock_text("i"), airlock_text(number)};
		const struct airlock_record record = {.level = AIRLOCK_LOG_INFO,
		                                      .message = airlock_argument_string(call, 1),
		                                      .source = airlock_text("test"),
		                                      .file = airlock_text(__FILE__),
		                                      .line = __LINE__,
		                                      .attributes = &attribute,
		                                      .attribute_count = 1};

		airlock_log_record(&record);
	}
}

static void log_levels(struct airlock_call *call)
{
	for (int level = AIRLOCK_LOG_TRACE; level <= AIRLOCK_LOG_ERROR; level++)
		airlock_log((enum airlock_level)level, airlock_argument_string(call, 0).data,
		            airlock_argument_string(call, 1).data);
}

/* Text that can't be sent as a string: a message that is no UTF-8. */
static void log_bytes(struct airlock_call *call)
{
	struct airlock_bytes bytes = airlock_argument_bytes(call, 0);
	struct airlock_string message = airlock_text_of((const char *)bytes.data, bytes.size);
	const struct airlock_attribute attribute = {airlock_text("key"), message};
	const struct airlock_record record = {.level = AIRLOCK_LOG_INFO,
	                                      .message = message,
	                                      .source = airlock_text("test"),
	                                      .attributes = &attribute,
	                                      .attribute_count = 1};

	airlock_log_record(&record);
}

static const struct airlock_function own[] = {
	{"Count", AIRLOCK_INT64, {0}, count},
	{"Error", AIRLOCK_VOID, {AIRLOCK_STRING}, fail},
	{"Large", AIRLOCK_BYTES, {AIRLOCK_INT64}, large},
	{"Spin", AIRLOCK_VOID, {0}, spin},
	{"Text", AIRLOCK_STRING, {AIRLOCK_BYTES, AIRLOCK_INT64}, text},
	{"Print", AIRLOCK_VOID, {AIRLOCK_STRING}, print},
	{"Sleep", AIRLOCK_VOID, {AIRLOCK_INT64}, pause_for},
	{"Log", AIRLOCK_VOID, {AIRLOCK_INT64, AIRLOCK_STRING}, log_many},
	{"LogLevels", AIRLOCK_VOID, {AIRLOCK_STRING, AIRLOCK_STRING}, log_levels},
	{"LogBytes", AIRLOCK_VOID, {AIRLOCK_BYTES}, log_bytes},
};

int main(void)
{
	const struct exports parts[] = {
		{own, AIRLOCK_COUNT(own)}, value_exports, host_exports, failure_exports, language_exports,
	};
	static struct airlock_function all[256];
	struct airlock_program program = {.functions = all, .imports = imports, .import_count = import_count};

	for (size_t i = 0; i < AIRLOCK_COUNT(parts); i++) {
		if (program.function_count + parts[i].count > AIRLOCK_COUNT(all))
			airlock_abort("main: more functions than there is room for");
		memcpy(all + program.function_count, parts[i].list, parts[i].count * sizeof(all[0]));
		program.function_count += parts[i].count;
	}
	airlock_serve(&program);
}
