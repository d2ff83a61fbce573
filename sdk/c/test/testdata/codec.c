/*
 * Reads and writes messages with the SDK's own code for the Go test, which
 * compares what comes of it with internal/wire.
 *
 * stdin: kind, length, message or description. stdout: 1 or 0 for refused,
 * length, what the message says (as in internal/wire/testdata/vectors), length,
 * the message as the SDK writes it. Numbers are 32 bits wide. A kind with 256
 * added to it asks for the message in every buffer that is too small.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AIRLOCK_TEST_KERNEL
#include "../../airlock_guest.c"

int64_t raw_system_call(int64_t number, const int64_t *arguments)
{
	(void)number;
	(void)arguments;
	abort();
}

enum {
	KIND_CALL = 1,
	KIND_RESULT = 2,
	KIND_ERROR = 3,
	KIND_LOG = 4,
	KIND_DECLARATION = 5,
};

/* ---- What a message says. */

static void say_hex(FILE *f, const void *data, size_t size)
{
	if (size == 0)
		fputc('-', f);
	for (size_t i = 0; i < size; i++)
		fprintf(f, "%02x", ((const uint8_t *)data)[i]);
}

static void say_value(FILE *f, const struct airlock_value *v)
{
	fputs(type_name(v->type), f);
	if (v->type != AIRLOCK_VOID)
		fputc(' ', f);
	switch (v->type) {
	case AIRLOCK_INT32:
		fprintf(f, "%" PRId32, v->as.int32);
		break;
	case AIRLOCK_UINT32:
		fprintf(f, "%" PRIu32, v->as.uint32);
		break;
	case AIRLOCK_INT64:
		fprintf(f, "%" PRId64, v->as.int64);
		break;
	case AIRLOCK_UINT64:
		fprintf(f, "%" PRIu64, v->as.uint64);
		break;
	case AIRLOCK_FLOAT32:
		fprintf(f, "%08" PRIx32, v->as.uint32);
		break;
	case AIRLOCK_FLOAT64:
		fprintf(f, "%016" PRIx64, v->as.uint64);
		break;
	case AIRLOCK_BOOL:
		fputs(v->as.boolean ? "true" : "false", f);
		break;
	case AIRLOCK_STRING:
		if (v->as.string.data[v->as.string.size] != 0)
			abort();
		say_hex(f, v->as.string.data, v->as.string.size);
		break;
	case AIRLOCK_BYTES:
		say_hex(f, v->as.bytes.data, v->as.bytes.size);
		break;
	case AIRLOCK_VOID:
		break;
	}
	fputc('\n', f);
}

static const char *const code_names[] = {
	"ok",        "failed",    "unknown-function", "wrong-parameters", "panicked",
	"too-large", "malformed", "denied",           "cancelled",        "aborted",
};

static bool say(FILE *f, uint32_t kind, const uint8_t *data, size_t size, struct request *request,
                struct outcome *outcome)
{
	if (kind == KIND_CALL) {
		if (!read_call(data, size, request))
			return false;
		fputs("name ", f);
		say_hex(f, request->name.data, request->name.size);
		fputc('\n', f);
		for (size_t i = 0; i < request->count; i++) {
			fputs("param ", f);
			say_value(f, &request->arguments[i]);
		}
	}
	if (kind == KIND_RESULT) {
		if (!read_result(data, size, outcome))
			return false;
		fputs(outcome->code == AIRLOCK_OK ? "value " : "error ", f);
		if (outcome->code == AIRLOCK_OK) {
			say_value(f, &outcome->value);
		} else {
			fprintf(f, "%s ", code_names[outcome->code]);
			say_hex(f, outcome->value.as.string.data, outcome->value.as.string.size);
			fputc('\n', f);
		}
	}
	return true;
}

/* ---- Descriptions of messages that guests only write. */

static uint32_t next_number(const uint8_t **at)
{
	uint32_t v = load32(*at);

	*at += 4;
	return v;
}

static struct airlock_string next_text(const uint8_t **at)
{
	size_t size = next_number(at);
	struct airlock_string text = airlock_text_of((const char *)*at, size);

	*at += size;
	return text;
}

static void describe_record(const uint8_t *at, struct airlock_record *record, struct airlock_attribute *attributes)
{
	record->level = (enum airlock_level)next_number(&at);
	record->line = next_number(&at);
	record->message = next_text(&at);
	record->source = next_text(&at);
	record->file = next_text(&at);
	record->attribute_count = next_number(&at);
	record->attributes = attributes;
	for (size_t i = 0; i < record->attribute_count; i++) {
		attributes[i].key = next_text(&at);
		attributes[i].value = next_text(&at);
	}
}

struct description {
	struct airlock_string name, version;
	struct airlock_program program;
	struct airlock_function functions[64];
	struct airlock_import imports[64];
	const struct airlock_import *list[64];
};

/* Names are followed by a NUL, which belongs to their text. */
static void next_function(const uint8_t **at, const char **name, uint8_t *result, uint8_t *parameters)
{
	struct airlock_string types;

	*name = next_text(at).data;
	*result = (uint8_t)next_number(at);
	types = next_text(at);
	memcpy(parameters, types.data, types.size);
}

static void describe_program(const uint8_t *at, struct description *d)
{
	memset(d, 0, sizeof(*d));
	d->name = next_text(&at);
	d->version = next_text(&at);
	d->program.functions = d->functions;
	d->program.function_count = next_number(&at);
	for (size_t i = 0; i < d->program.function_count; i++)
		next_function(&at, &d->functions[i].name, &d->functions[i].result, d->functions[i].parameters);
	d->program.imports = d->list;
	d->program.import_count = next_number(&at);
	for (size_t i = 0; i < d->program.import_count; i++) {
		d->list[i] = &d->imports[i];
		next_function(&at, &d->imports[i].name, &d->imports[i].result, d->imports[i].parameters);
	}
}

/* ---- What the SDK writes. */

struct input {
	uint32_t kind;
	const uint8_t *data;
	struct request request;
	struct outcome outcome;
	struct airlock_record record;
	struct airlock_attribute attributes[256];
	struct description description;
};

static bool write_message(struct writer *w, const struct input *in)
{
	const struct description *d = &in->description;
	const uint8_t *at = in->data;
	uint32_t code;

	switch (in->kind) {
	case KIND_CALL:
		return write_call(w, in->request.name, in->request.arguments, in->request.count);
	case KIND_RESULT:
		if (in->outcome.code == AIRLOCK_OK)
			return write_result(w, &in->outcome.value);
		return write_result_error(w, in->outcome.code, in->outcome.value.as.string);
	case KIND_ERROR:
		code = next_number(&at);
		return write_error(w, (enum airlock_code)code, next_text(&at));
	case KIND_LOG:
		return write_record(w, &in->record);
	case KIND_DECLARATION:
		return write_declaration(w, &d->program, d->name, d->version);
	}
	return false;
}

/* Writes into every buffer that is too small: the sanitizers see who goes beyond it. */
static void check_small(const struct input *in, const struct writer *whole)
{
	for (size_t size = 0; size <= whole->position && size <= 600; size++) {
		uint8_t *buffer = malloc(size);
		bool fits = size == whole->position;
		struct writer w;

		start_writer(&w, buffer, size);
		if (write_message(&w, in) != fits || (fits && memcmp(buffer, whole->data, size) != 0))
			abort();
		free(buffer);
	}
}

static void send(const void *data, size_t size)
{
	uint32_t length = (uint32_t)size;

	fwrite(&length, sizeof(length), 1, stdout);
	fwrite(data, 1, size, stdout);
}

static void serve(struct input *in, size_t size, bool small)
{
	static uint8_t out[1 << 20];
	char *text = NULL;
	size_t text_size = 0;
	FILE *f = open_memstream(&text, &text_size);
	struct writer w;
	uint32_t good;

	start_writer(&w, out, sizeof(out));
	if (in->kind == KIND_LOG)
		describe_record(in->data, &in->record, in->attributes);
	if (in->kind == KIND_DECLARATION)
		describe_program(in->data, &in->description);
	good = say(f, in->kind, in->data, size, &in->request, &in->outcome) && write_message(&w, in);
	if (good && small)
		check_small(in, &w);
	fclose(f);
	fwrite(&good, sizeof(good), 1, stdout);
	send(text, good ? text_size : 0);
	send(out, good ? w.position : 0);
	fflush(stdout);
	free(text);
}

int main(void)
{
	static struct input in;
	uint32_t header[2];

	while (fread(header, sizeof(header), 1, stdin) == 1) {
		uint8_t *message = malloc(header[1]); /* exactly, so that a sanitizer sees who goes beyond it */

		if (fread(message, 1, header[1], stdin) != header[1])
			return 1;
		in.kind = header[0] % 256;
		in.data = message;
		serve(&in, header[1], header[0] >= 256);
		free(message);
	}
	return 0;
}
