// futex timeouts: relative, absolute on both clocks, zero and past; a wake before the timeout wins.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

enum { WAIT = 0, WAKE = 1, WAIT_BITSET = 9, PRIVATE = 128, REALTIME = 256 };
static atomic_uint word;

static long futex(int op, const struct timespec *timeout)
{
	return syscall(SYS_futex, &word, op | PRIVATE, 0, timeout, NULL, ~0u);
}

static void *wake_later(void *arg)
{
	while (syscall(SYS_futex, &word, WAKE | PRIVATE, 1, NULL, NULL, 0) == 0) {
		sleep_ms(5); // until main waits
	}
	word = 1;
	return arg;
}

int main(void)
{
	struct timespec ts = {0, 20000000};
	long long start = now_ms();
	CHECK_ERR(futex(WAIT, &ts), ETIMEDOUT);
	CHECK(now_ms() - start >= 19 && now_ms() - start < 20000);

	start = now_ms();
	ts = after_ms(CLOCK_MONOTONIC, 20);
	CHECK_ERR(futex(WAIT_BITSET, &ts), ETIMEDOUT);
	CHECK(now_ms() - start >= 18 && now_ms() - start < 20000);
	start = now_ms();
	CHECK_ERR(futex(WAIT_BITSET, &ts), ETIMEDOUT); // already past

	ts = after_ms(CLOCK_REALTIME, 20);
	CHECK_ERR(futex(WAIT_BITSET | REALTIME, &ts), ETIMEDOUT);
	CHECK(now_ms() - start >= 18 && now_ms() - start < 20000);

	ts = (struct timespec){0, 0};
	CHECK_ERR(futex(WAIT, &ts), ETIMEDOUT);
	ts.tv_sec = -1;
	CHECK_ERR(futex(WAIT, &ts), EINVAL);

	pthread_t t;
	CHECK_EQ(pthread_create(&t, NULL, wake_later, NULL), 0);
	ts = (struct timespec){100, 0};
	start = now_ms();
	CHECK_EQ(futex(WAIT, &ts), 0);
	CHECK(now_ms() - start < 50000);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_ERR(futex(WAIT, &ts), EAGAIN);
	ts = (struct timespec){0x7fffffffffffffff, 0}; // for ever, if it waited
	CHECK_ERR(futex(WAIT, &ts), EAGAIN);
	return success();
}
