/*
 * A fuzz target for the SDK's reader and writer: with libFuzzer (-fsanitize=
 * fuzzer), or with a main of its own (-DFUZZ_MAIN), which makes a number of
 * mutations of the files that it is given: fuzz COUNT FILE...
 *
 * The first byte says what the others are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AIRLOCK_TEST_KERNEL
#include "../../airlock_guest.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int64_t raw_system_call(int64_t number, const int64_t *arguments)
{
	(void)number;
	(void)arguments;
	abort();
}

static void must(bool condition)
{
	if (!condition)
		abort();
}

static bool same_bytes(const void *a, size_t a_size, const void *b, size_t b_size)
{
	return a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0);
}

static bool same_value(const struct airlock_value *a, const struct airlock_value *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == AIRLOCK_STRING)
		return same_bytes(a->as.string.data, a->as.string.size, b->as.string.data, b->as.string.size);
	if (a->type == AIRLOCK_BYTES)
		return same_bytes(a->as.bytes.data, a->as.bytes.size, b->as.bytes.data, b->as.bytes.size);
	return a->as.uint64 == b->as.uint64;
}

/* A message that can be read can be written, is then not much longer, and says the same. */
static void fuzz_call(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
	struct request a, b;
	struct writer w;

	if (!read_call(data, size, &a))
		return;
	start_writer(&w, out, room);
	must(write_call(&w, a.name, a.arguments, a.count));
	must(read_call(out, w.position, &b) && a.count == b.count);
	must(same_bytes(a.name.data, a.name.size, b.name.data, b.name.size));
	for (size_t i = 0; i < a.count; i++)
		must(same_value(&a.arguments[i], &b.arguments[i]));
}

static void fuzz_result(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
	struct outcome a, b;
	struct writer w;

	if (!read_result(data, size, &a))
		return;
	start_writer(&w, out, room);
	if (a.code == AIRLOCK_OK)
		must(write_result(&w, &a.value));
	else
		must(write_result_error(&w, a.code, a.value.as.string));
	must(read_result(out, w.position, &b) && a.code == b.code && same_value(&a.value, &b.value));
}

/* Any text can be the message of an error, and comes out as UTF-8 within the limit. */
static void fuzz_text(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
	struct airlock_string text = airlock_text_of((const char *)data, size);
	struct outcome outcome;
	struct writer w;

	start_writer(&w, out, room);
	must(write_result_error(&w, AIRLOCK_FAILED, text));
	must(read_result(out, w.position, &outcome) && outcome.code == AIRLOCK_FAILED);
	if (is_utf8(data, size) && size <= AIRLOCK_MAX_ERROR)
		must(same_bytes(outcome.value.as.string.data, outcome.value.as.string.size, data, size));
}

/* Any record in any room: written as a whole or refused. */
static void fuzz_record(const uint8_t *data, size_t size)
{
	struct airlock_record record = {AIRLOCK_LOG_INFO, {NULL, 0}, {NULL, 0}, {NULL, 0}, 7, NULL, 0};
	struct airlock_attribute attribute;
	size_t room = size < 2 ? 0 : load16(data), part = size / 4;
	uint8_t *out = malloc(room);
	struct writer w;

	record.message = airlock_text_of((const char *)data, part);
	record.source = airlock_text_of((const char *)data + part, part);
	attribute.key = airlock_text_of((const char *)data + 2 * part, part);
	attribute.value = airlock_text_of((const char *)data + 3 * part, size - 3 * part);
	record.attributes = &attribute;
	record.attribute_count = 1;
	start_writer(&w, out, room);
	must(write_record(&w, &record) == !w.full && w.position <= room);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = 8 * size + (16 << 10);
	uint8_t *message, *out;

	if (size == 0)
		return 0;
	message = malloc(size - 1); /* exactly, so that a sanitizer sees who goes beyond it */
	out = malloc(room);
	if (size > 1)
		memcpy(message, data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		fuzz_call(message, size - 1, out, room);
		break;
	case 1:
		fuzz_result(message, size - 1, out, room);
		break;
	case 2:
		fuzz_text(message, size - 1, out, room);
		break;
	default:
		fuzz_record(message, size - 1);
	}
	free(message);
	free(out);
	return 0;
}

#ifdef FUZZ_MAIN

static uint32_t draw(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

/* Changes some bytes and, at times, the length; then the size prefix is often made right. */
static size_t mutate(uint8_t *data, size_t size)
{
	static const uint8_t often[] = {0, 1, 2, 4, 8, 12, 0x7f, 0x80, 0xff};

	if (size > 5 && draw() % 8 == 0)
		size -= draw() % 5;
	for (uint32_t n = draw() % 4; n > 0 && size > 1; n--) {
		uint8_t *at = data + 1 + draw() % (size - 1);

		*at = draw() % 2 == 0 ? often[draw() % sizeof(often)] : (uint8_t)(*at + draw() % 9 - 4);
	}
	if (size >= 5 && draw() % 8 != 0)
		store32(data + 1, (uint32_t)size - 5);
	return size;
}

int main(int argc, char **argv)
{
	static uint8_t seed[1 << 16], data[1 << 16];
	unsigned long count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;

	for (unsigned long i = 0; i < count; i++) {
		FILE *f = fopen(argv[2 + i % (unsigned long)(argc - 2)], "rb");
		size_t size;

		must(f != NULL);
		size = fread(seed, 1, sizeof(seed), f);
		fclose(f);
		LLVMFuzzerTestOneInput(seed, size);
		for (int n = 0; n < 100; n++) {
			memcpy(data, seed, size);
			LLVMFuzzerTestOneInput(data, mutate(data, size));
		}
	}
	printf("ran %lu\n", count * 101);
	return 0;
}

#endif
