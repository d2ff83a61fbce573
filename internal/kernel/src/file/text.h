/*
 * The text of a pseudo file, which is made anew at every read: what lies
 * before the position is thrown away, the rest goes to the program, and there
 * is no limit to its length.
 */
#ifndef FILE_TEXT_H
#define FILE_TEXT_H

#include "file/transfer.h"
#include "lib/types.h"

struct text {
	struct transfer *transfer;
	u32 thread; /* whose text it is, by its id */
	u64 skip;   /* bytes that lie before the position */
	i64 result; /* bytes moved, or a negative errno */
	bool done;  /* the program has what it wants, or can't take it */
	u32 used;
	char buffer[256];
};

void text_begin(struct text *text, struct transfer *transfer, u32 thread);
i64 text_end(struct text *text); /* the result of the read */

void text_bytes(struct text *text, const void *from, u64 size);
void text_put(struct text *text, const char *string);
void text_number(struct text *text, u64 value);
void text_hex(struct text *text, u64 value, u32 digits); /* at least so many digits */

#endif
