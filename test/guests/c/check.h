// What the C guests share: checks that end the program with the place that failed.
#ifndef CHECK_H
#define CHECK_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// CHECK(condition) is for any thread and for handlers of synchronous faults.
#define CHECK(cond) ((cond) ? (void)0 : check_fail(__FILE__, __LINE__, #cond))

// CHECK_EQ(got, want) compares integers and shows both.
#define CHECK_EQ(got, want) check_eq(__FILE__, __LINE__, #got, (long long)(got), (long long)(want))

// CHECK_ERR(expr, code): expr must be -1 with errno == code.
#define CHECK_ERR(expr, code)                                              \
	do {                                                                   \
		errno = 0;                                                         \
		long long check_result = (long long)(expr);                        \
		check_eq(__FILE__, __LINE__, #expr, check_result, -1);             \
		check_eq(__FILE__, __LINE__, "errno of " #expr, errno, code);      \
	} while (0)

static inline __attribute__((noreturn)) void check_fail(const char *file, int line, const char *what)
{
	int code = errno;
	fflush(stdout);
	fprintf(stderr, "%s:%d: %s (errno %d, %s)\n", file, line, what, code, strerror(code));
	_exit(1);
}

static inline void check_eq(const char *file, int line, const char *what, long long got, long long want)
{
	if (got != want) {
		fflush(stdout);
		fprintf(stderr, "%s:%d: %s is %lld (%#llx), want %lld (%#llx)\n", file, line, what, got,
		        (unsigned long long)got, want, (unsigned long long)want);
		_exit(1);
	}
}

// success is what main returns: SUCCESS is the last line, unless stdout fails.
static inline int success(void)
{
	puts("SUCCESS");
	return fflush(stdout) == 0 ? 0 : 1;
}

// now_ms is the monotonic clock in milliseconds.
static inline long long now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static inline void sleep_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
	while (nanosleep(&ts, &ts) != 0 && errno == EINTR) {
	}
}

// after_ms is the absolute time on a clock, ms from now.
static inline struct timespec after_ms(clockid_t clock, long ms)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	ts.tv_nsec += ms % 1000 * 1000000;
	ts.tv_sec += ms / 1000 + ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

// random32 is xorshift: the same numbers on every run.
static inline unsigned random32(unsigned *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif
