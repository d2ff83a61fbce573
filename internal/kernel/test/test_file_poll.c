/* poll(2), select(2) and their kin. */
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/time_types.h>

#include "file_fake.h"

static i64 make_event(void) { return CALL(sys_eventfd2, 0, O_NONBLOCK); }

static void signal_event(i64 event)
{
	u64 value = 1;

	CHECK_EQUAL(CALL(sys_write, (u64)event, ADDRESS(&value), sizeof(value)), sizeof(value));
}

static void close_all(void)
{
	WANT(0, sys_close_range, 3, ~0u, 0);
	CHECK_EQUAL(objects, 0);
}

static void test_poll_answers(void)
{
	i64 a = make_event(), b = make_event();
	struct pollfd entries[5] = {
		{(i32)a, POLLIN, 99}, {-1, POLLIN, 99}, {(i32)b, POLLIN | POLLOUT, 99}, {99, POLLIN, 99}, {1, 0, 99},
	};

	signal_event(a);
	WANT(3, sys_poll, ADDRESS(entries), 5, (u64)-1);
	CHECK_EQUAL(entries[0].revents, POLLIN);
	CHECK_EQUAL(entries[1].revents, 0);
	CHECK_EQUAL(entries[2].revents, POLLOUT);
	CHECK_EQUAL(entries[3].revents, POLLNVAL);
	CHECK_EQUAL(entries[4].revents, 0);
	entries[4].events = POLLIN; /* without a poll of its own a file is always ready */
	WANT(1, sys_poll, ADDRESS(entries + 4), 1, 0);
	WANT(-EFAULT, sys_poll, ADDRESS(bad_page), 1, 0);
	WANT(-EINVAL, sys_poll, ADDRESS(entries), FILE_LIMIT + 1, 0);
	WANT(0, sys_poll, ADDRESS(bad_page), 0, 0);
	close_all();
}

static void test_poll_waits(void)
{
	i64 a = make_event(), b = make_event();
	struct pollfd entries[3] = {{(i32)a, POLLIN, 0}, {(i32)b, POLLIN, 0}, {(i32)a, POLLIN, 0}};

	START(1, sys_poll, ADDRESS(entries), 3, 100);
	advance(99 * MS);
	CHECK(IS_BLOCKED(1));
	signal_event(b);
	WANT_RESULT(1, 1);
	CHECK_EQUAL(entries[1].revents, POLLIN);
	START(1, sys_poll, ADDRESS(entries), 1, 100);
	advance(100 * MS);
	WANT_RESULT(0, 1);
	START(1, sys_poll, 0, 0, (u64)-1);
	advance(100000 * MS);
	interrupt(&tasks[1]);
	settle();
	WANT_RESULT(-EINTR, 1);
	/* One of the files goes away: the other is still waited for. */
	START(1, sys_poll, ADDRESS(entries), 1, (u64)-1);
	WANT(0, sys_close, (u64)a);
	WANT_RESULT(1, 1);
	CHECK_EQUAL(entries[0].revents, POLLNVAL);
	close_all();
}

static void test_ppoll(void)
{
	i64 a = make_event();
	struct pollfd entry = {(i32)a, POLLIN, 0};
	struct __kernel_timespec timeout = {2, 5};
	u64 mask = 0xabcd;

	START(1, sys_ppoll, ADDRESS(&entry), 1, ADDRESS(&timeout), ADDRESS(&mask), 8);
	CHECK(IS_BLOCKED(1));
	CHECK_EQUAL(temporary_mask, mask);
	CHECK_EQUAL(timeout.tv_sec, 2);
	advance(500 * MS);
	signal_event(a);
	WANT_RESULT(1, 1);
	CHECK_EQUAL(timeout.tv_sec, 1);
	CHECK_EQUAL(timeout.tv_nsec, 500 * MS + 5);
	timeout.tv_nsec = -1;
	WANT(-EINVAL, sys_ppoll, ADDRESS(&entry), 1, ADDRESS(&timeout), 0, 8);
	WANT(-EINVAL, sys_ppoll, ADDRESS(&entry), 1, 0, ADDRESS(&mask), 16);
	WANT(-EFAULT, sys_ppoll, ADDRESS(&entry), 1, 0, ADDRESS(bad_page), 8);
	close_all();
}

static void test_poll_without_memory(void)
{
	i64 a = make_event(), b = make_event();
	struct pollfd entries[2] = {{(i32)a, POLLIN, 0}, {(i32)b, POLLIN, 0}};
	u64 set[1] = {1ull << a | 1ull << b};

	allocations_left = 1;
	WANT(-ENOMEM, sys_poll, ADDRESS(entries), 2, (u64)-1);
	allocations_left = 1;
	WANT(-ENOMEM, sys_select, (u64)b + 1, ADDRESS(set), 0, 0, 0);
	allocations_left = INT64_MAX;
	close_all();
}

static void test_select(void)
{
	i64 a = make_event(), b = CALL(sys_fcntl, (u64)a, F_DUPFD, 200);
	struct __kernel_old_timeval timeout = {1, 500000};
	u64 in[16] = {0}, out[16] = {0}, except[16] = {0};

	in[0] = 1ull << a;
	in[3] = out[3] = except[3] = 1ull << (b - 192);
	WANT(1, sys_select, (u64)b + 1, ADDRESS(in), ADDRESS(out), ADDRESS(except), 0);
	CHECK_EQUAL(in[0] | in[3] | except[3], 0);
	CHECK_EQUAL(out[3], 1ull << (b - 192));
	signal_event(a);
	in[0] = 1ull << a | 1ull << 50; /* the latter is not looked at, since it is not below the limit */
	WANT(1, sys_select, (u64)a + 1, ADDRESS(in), 0, 0, 0);
	CHECK_EQUAL(in[0], 1ull << a);
	in[0] |= 1ull << 50;
	WANT(-EBADF, sys_select, 60, ADDRESS(in), 0, 0, 0);
	WANT(-EINVAL, sys_select, (u64)-1, ADDRESS(in), 0, 0, 0);
	WANT(-EFAULT, sys_select, 60, ADDRESS(bad_page), 0, 0, 0);

	CHECK_EQUAL(CALL(sys_read, (u64)a, ADDRESS(out), 8), 8);
	in[0] = 1ull << a;
	START(1, sys_select, 60, ADDRESS(in), 0, 0, ADDRESS(&timeout));
	advance(1000 * MS);
	CHECK(IS_BLOCKED(1));
	advance(500 * MS);
	WANT_RESULT(0, 1);
	CHECK_EQUAL(in[0], 0);
	CHECK_EQUAL(timeout.tv_sec, 0);
	CHECK_EQUAL(timeout.tv_usec, 0);
	in[0] = 1ull << a;
	timeout = (struct __kernel_old_timeval){0, 2500000}; /* Linux takes that */
	START(1, sys_select, 60, ADDRESS(in), 0, 0, ADDRESS(&timeout));
	advance(1000 * MS);
	interrupt(&tasks[1]);
	settle();
	WANT_RESULT(-EINTR, 1);
	CHECK_EQUAL(in[0], 1ull << a);
	CHECK_EQUAL(timeout.tv_sec, 1);
	CHECK_EQUAL(timeout.tv_usec, 500000);
	timeout.tv_usec = -1;
	WANT(-EINVAL, sys_select, 60, ADDRESS(in), 0, 0, ADDRESS(&timeout));
	close_all();
}

static void test_pselect(void)
{
	i64 a = make_event();
	struct __kernel_timespec timeout = {0, 700};
	u64 mask = 0x77, argument[2] = {ADDRESS(&mask), 8}, in[1] = {1ull << a};

	START(1, sys_pselect6, 10, ADDRESS(in), 0, 0, ADDRESS(&timeout), ADDRESS(argument));
	CHECK_EQUAL(temporary_mask, mask);
	advance(200);
	signal_event(a);
	WANT_RESULT(1, 1);
	CHECK_EQUAL(timeout.tv_nsec, 500);
	argument[1] = 4;
	WANT(-EINVAL, sys_pselect6, 10, ADDRESS(in), 0, 0, 0, ADDRESS(argument));
	WANT(1, sys_pselect6, 10, ADDRESS(in), 0, 0, 0, 0);
	close_all();
}

int main(void)
{
	fake_begin();
	test_poll_answers();
	test_poll_waits();
	test_ppoll();
	test_poll_without_memory();
	test_select();
	test_pselect();
	fake_end();
	return 0;
}
