// futex requeue, cmp_requeue and wake_op, on private and on shared words.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>

enum { WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAKE_OP = 5 };
static atomic_uint from, to;
static atomic_int woken, waiting;
static int shared; // 0 or FUTEX_PRIVATE_FLAG

static long futex(void *addr, int op, unsigned val, uintptr_t val2, void *addr2, unsigned val3)
{
	return syscall(SYS_futex, addr, op | shared, val, val2, addr2, val3);
}

static void *waiter(void *arg)
{
	waiting++;
	CHECK_EQ(futex(arg, WAIT, 0, 0, NULL, 0), 0);
	woken++;
	return arg;
}

static void start(pthread_t *t, int n, void *addr)
{
	waiting = 0;
	for (int i = 0; i < n; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, waiter, addr), 0);
	}
	while (waiting < n) {
		sleep_ms(1);
	}
	sleep_ms(40);
}

static void join(pthread_t *t, int n)
{
	for (int i = 0; i < n; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	CHECK_EQ(woken, n);
	woken = 0;
	from = to = 0;
}

static void all(void)
{
	pthread_t t[6];
	start(t, 6, &from);
	CHECK_ERR(futex(&from, CMP_REQUEUE, 1, INT_MAX, &to, 99), EAGAIN);
	CHECK_EQ(futex(&from, CMP_REQUEUE, 1, 3, &to, 0), 4); // one woken, three moved
	CHECK_EQ(futex(&from, WAKE, INT_MAX, 0, NULL, 0), 2);
	CHECK_EQ(futex(&to, WAKE, 1, 0, NULL, 0), 1);
	CHECK_EQ(futex(&to, WAKE, INT_MAX, 0, NULL, 0), 2);
	join(t, 6);

	start(t, 4, &from);
	CHECK_EQ(futex(&from, REQUEUE, 0, INT_MAX, &to, 0) >= 0, 1);
	CHECK_EQ(futex(&from, WAKE, INT_MAX, 0, NULL, 0), 0);
	CHECK_EQ(futex(&to, WAKE, INT_MAX, 0, NULL, 0), 4);
	join(t, 4);

	// WAKE_OP: to = 5 (set), and wake its waiters too if it was 0.
	start(t, 2, &from);
	start(t + 2, 2, &to);
	CHECK_EQ(futex(&from, WAKE_OP, 1, 1, &to, 0u << 28 | 0u << 24 | 5u << 12 | 0), 2);
	CHECK_EQ(to, 5);
	CHECK_EQ(futex(&from, WAKE_OP, 1, 1, &to, 1u << 28 | 1u << 24 | 2u << 12 | 5), 1); // add 2 if ...
	CHECK_EQ(to, 7);
	CHECK_EQ(futex(&to, WAKE, INT_MAX, 0, NULL, 0), 1);
	join(t, 4);
}

int main(void)
{
	shared = 128;
	all();
	shared = 0;
	all();
	return success();
}
