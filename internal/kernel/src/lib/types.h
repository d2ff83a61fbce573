/*
 * The words that every file of the kernel uses: integer types, a few macros,
 * and how the kernel gives up.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

#define PAGE_SIZE 4096ull
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define NEVER UINT64_MAX /* a deadline that does not come */

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

static inline u64 page_down(u64 address) { return address & PAGE_MASK; }
static inline u64 page_up(u64 address) { return (address + PAGE_SIZE - 1) & PAGE_MASK; }

/* Reports to the host that the kernel itself is broken, and ends the VM's run. */
_Noreturn void panic(const char *text);

#define ASSERT(condition)                                                                                              \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			panic(__FILE__ ": " #condition);                                                               \
	} while (0)

#endif
