/*
 * What the host tests of the kernel's pure parts share. A test is one program:
 * it exits 0, or stops at the first thing that is wrong and says where.
 */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/types.h"

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			test_fail(__FILE__, __LINE__, #condition);                                                     \
	} while (0)

#define CHECK_EQUAL(got, want)                                                                                         \
	do {                                                                                                           \
		u64 got_ = (u64)(got), want_ = (u64)(want);                                                            \
		if (got_ != want_)                                                                                     \
			test_fail_equal(__FILE__, __LINE__, #got, got_, want_);                                        \
	} while (0)

/* Passes if the statement ends in panic(). */
#define CHECK_PANICS(statement)                                                                                        \
	do {                                                                                                           \
		panic_expected = true;                                                                                 \
		if (setjmp(panic_return) == 0) {                                                                       \
			statement;                                                                                     \
			test_fail(__FILE__, __LINE__, "panics: " #statement);                                          \
		}                                                                                                      \
		panic_expected = false;                                                                                \
	} while (0)

static jmp_buf panic_return;
static bool panic_expected;

static inline _Noreturn void test_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	exit(1);
}

static inline _Noreturn void test_fail_equal(const char *file, int line, const char *what, u64 got, u64 want)
{
	fprintf(stderr, "%s:%d: %s = %#llx; want %#llx\n", file, line, what, (unsigned long long)got,
	        (unsigned long long)want);
	exit(1);
}

/* The kernel's panic, for what is under test. */
_Noreturn void panic(const char *text)
{
	if (panic_expected)
		longjmp(panic_return, 1);
	fprintf(stderr, "panic: %s\n", text);
	abort();
}

/* splitmix64: the same numbers in every run, so that a failure comes again. */
struct test_random {
	u64 state;
};

static inline u64 test_random(struct test_random *random)
{
	u64 z = random->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline u64 test_random_below(struct test_random *random, u64 bound) { return test_random(random) % bound; }

#endif
