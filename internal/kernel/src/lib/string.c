/*
 * Plain C and string instructions only: the kernel may not touch vector
 * registers, they hold the program's values.
 *
 * Short runs go by words: the string instructions take 20 to 100 cycles to
 * start, REP STOSB more than REP MOVSB, even on processors that announce fast
 * short ones. From the sizes below on they win (measured on an AMD EPYC). The
 * last word of a run is moved by an access that overlaps the one before it,
 * which saves a loop over the rest.
 *
 * Some names are in parentheses because string.h has macros of these names.
 */
#include "lib/string.h"

#define LARGE_COPY 256
#define LARGE_SET 512

/* Words at any address, which may alias anything. */
typedef u64 __attribute__((may_alias, aligned(1))) any_u64;
typedef u32 __attribute__((may_alias, aligned(1))) any_u32;
typedef u16 __attribute__((may_alias, aligned(1))) any_u16;

/*
 * Keeps the compiler from seeing a loop as memcpy or memset, and so calling a
 * function from itself. -ffreestanding says so too, but that is easily lost.
 */
#define NOT_AN_IDIOM() __asm__ volatile("" : : : "memory")

/* Up to 16 bytes. Loads all before it stores, so the two may overlap. */
static void move_small(u8 *to, const u8 *from, size_t size)
{
	if (size >= 8) {
		u64 first = *(const any_u64 *)from, last = *(const any_u64 *)(from + size - 8);

		*(any_u64 *)to = first;
		*(any_u64 *)(to + size - 8) = last;
	} else if (size >= 4) {
		u32 first = *(const any_u32 *)from, last = *(const any_u32 *)(from + size - 4);

		*(any_u32 *)to = first;
		*(any_u32 *)(to + size - 4) = last;
	} else if (size >= 2) {
		u16 first = *(const any_u16 *)from, last = *(const any_u16 *)(from + size - 2);

		*(any_u16 *)to = first;
		*(any_u16 *)(to + size - 2) = last;
	} else if (size == 1) {
		*to = *from;
	}
}

/* Upwards, so right for an overlap when to is below from. */
static void move_up(u8 *to, const u8 *from, size_t size)
{
	if (size <= 16) {
		move_small(to, from, size);
	} else if (size >= LARGE_COPY) {
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	} else {
		/* Read before the loop may overwrite it. */
		u64 last = *(const any_u64 *)(from + size - 8);
		u8 *last_to = to + size - 8;

		for (; to < last_to; to += 8, from += 8) {
			*(any_u64 *)to = *(const any_u64 *)from;
			NOT_AN_IDIOM();
		}
		*(any_u64 *)last_to = last;
	}
}

/* More than 16 bytes, downwards: right for an overlap when to is above from. */
static void move_down(u8 *to, const u8 *from, size_t size)
{
	u64 first = *(const any_u64 *)from;

	for (; size > 8; size -= 8) {
		*(any_u64 *)(to + size - 8) = *(const any_u64 *)(from + size - 8);
		NOT_AN_IDIOM();
	}
	*(any_u64 *)to = first;
}

void *(memcpy)(void *restrict to, const void *restrict from, size_t size)
{
	move_up(to, from, size);
	return to;
}

void *(memmove)(void *to, const void *from, size_t size)
{
	/* Unsigned: a distance below 0 is a large one. */
	bool to_is_inside_from = (uintptr_t)to - (uintptr_t)from < size;

	if (to_is_inside_from && size > 16)
		move_down(to, from, size);
	else
		move_up(to, from, size);
	return to;
}

void *(memset)(void *to, int byte, size_t size)
{
	u64 word = (u8)byte * 0x0101010101010101ull;
	u8 *at = to;

	if (size >= LARGE_SET) {
		__asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(byte) : "memory");
	} else if (size >= 8) {
		u8 *last = at + size - 8;

		for (; at < last; at += 8) {
			*(any_u64 *)at = word;
			NOT_AN_IDIOM();
		}
		*(any_u64 *)last = word;
	} else {
		for (; size > 0; size--) {
			*at++ = (u8)byte;
			NOT_AN_IDIOM();
		}
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const u8 *x = a, *y = b;

	for (; size >= 8 && *(const any_u64 *)x == *(const any_u64 *)y; size -= 8) {
		x += 8;
		y += 8;
	}
	for (; size > 0; size--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *text)
{
	const char *end = text;

	while (*end) {
		end++;
		NOT_AN_IDIOM();
	}
	return (size_t)(end - text);
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}
