// futex directly: wait, wake, bitsets, and all its error codes.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>

enum { WAIT = 0, WAKE = 1, WAIT_BITSET = 9, WAKE_BITSET = 10, PRIVATE = 128 };
static atomic_uint word;
static atomic_int woken, waiting;

static long futex(void *addr, int op, unsigned val, const void *timeout, void *addr2, unsigned val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static void *waiter(void *arg)
{
	unsigned bits = (unsigned)(uintptr_t)arg;
	waiting++;
	long rc = bits ? futex(&word, WAIT_BITSET | PRIVATE, 0, NULL, NULL, bits)
	               : futex(&word, WAIT | PRIVATE, 0, NULL, NULL, 0);
	CHECK_EQ(rc, 0);
	woken++;
	return arg;
}

// start lets n threads wait with the given bits, and gives them the time to do so.
static void start(pthread_t *t, int n, unsigned bits)
{
	waiting = 0;
	for (int i = 0; i < n; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, waiter, (void *)(uintptr_t)bits), 0);
	}
	while (waiting < n) {
		sleep_ms(1);
	}
	sleep_ms(40);
}

static void expect_woken(int n)
{
	for (int i = 0; i < 1000 && woken < n; i++) {
		sleep_ms(1);
	}
	sleep_ms(2);
	CHECK_EQ(woken, n);
}

int main(void)
{
	pthread_t t[8];
	word = 7;
	CHECK_ERR(futex(&word, WAIT | PRIVATE, 0, NULL, NULL, 0), EAGAIN);
	CHECK_ERR(futex(&word, WAIT_BITSET | PRIVATE, 7, NULL, NULL, 0), EINVAL);
	CHECK_ERR(futex(&word, WAKE_BITSET | PRIVATE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERR(futex((char *)&word + 1, WAIT | PRIVATE, 7, NULL, NULL, 0), EINVAL);
	CHECK_ERR(futex(NULL, WAIT | PRIVATE, 7, NULL, NULL, 0), EFAULT);
	CHECK_ERR(futex(&word, 99 | PRIVATE, 7, NULL, NULL, 0), ENOSYS);
	struct timespec bad = {0, 1000000000};
	CHECK_ERR(futex(&word, WAIT | PRIVATE, 7, &bad, NULL, 0), EINVAL);
	CHECK_EQ(futex(&word, WAKE | PRIVATE, 1, NULL, NULL, 0), 0);

	word = 0;
	start(t, 5, 0);
	CHECK_EQ(futex(&word, WAKE | PRIVATE, 2, NULL, NULL, 0), 2);
	expect_woken(2);
	CHECK_EQ(futex(&word, WAKE | PRIVATE, INT_MAX, NULL, NULL, 0), 3);
	expect_woken(5);
	CHECK_EQ(futex(&word, WAKE | PRIVATE, INT_MAX, NULL, NULL, 0), 0);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}

	woken = 0;
	start(t, 2, 1);
	start(t + 2, 3, 2);
	CHECK_EQ(futex(&word, WAKE_BITSET | PRIVATE, INT_MAX, NULL, NULL, 4), 0);
	CHECK_EQ(futex(&word, WAKE_BITSET | PRIVATE, INT_MAX, NULL, NULL, 2), 3);
	expect_woken(3);
	CHECK_EQ(futex(&word, WAKE_BITSET | PRIVATE, INT_MAX, NULL, NULL, 3), 2);
	expect_woken(5);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	return success();
}
