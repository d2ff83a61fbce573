#include "file/text.h"

#include "lib/string.h"

void text_begin(struct text *text, struct transfer *transfer, u32 thread)
{
	text->thread = thread;
	text->transfer = transfer;
	text->skip = transfer->position;
	text->result = 0;
	text->done = transfer->left == 0;
	text->used = 0;
}

static void flush(struct text *text)
{
	i64 moved = text->done ? 0 : transfer_to_program(text->transfer, text->buffer, text->used);

	if (moved < text->used || text->transfer->left == 0)
		text->done = true;
	if (moved >= 0)
		text->result += moved;
	else if (text->result == 0)
		text->result = moved;
	text->used = 0;
}

i64 text_end(struct text *text)
{
	flush(text);
	return text->result;
}

void text_bytes(struct text *text, const void *from, u64 size)
{
	const u8 *bytes = from;
	u64 skipped = MIN(text->skip, size);

	text->skip -= skipped;
	bytes += skipped;
	size -= skipped;
	while (size > 0 && !text->done) {
		u64 part = MIN(size, sizeof(text->buffer) - text->used);

		memcpy(text->buffer + text->used, bytes, part);
		text->used += (u32)part;
		bytes += part;
		size -= part;
		if (text->used == sizeof(text->buffer))
			flush(text);
	}
}

void text_put(struct text *text, const char *string) { text_bytes(text, string, strlen(string)); }

static void put_number(struct text *text, u64 value, u32 base, u32 least)
{
	char digits[20];
	u32 at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0 || sizeof(digits) - at < least);
	text_bytes(text, digits + at, sizeof(digits) - at);
}

void text_number(struct text *text, u64 value) { put_number(text, value, 10, 1); }

void text_hex(struct text *text, u64 value, u32 digits) { put_number(text, value, 16, MIN(digits, 16u)); }
