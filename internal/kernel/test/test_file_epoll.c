/* epoll(7): level and edge, one shot, files that go away, sets in sets. */
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/time_types.h>

#include "file_fake.h"

static struct epoll_event events[FILE_LIMIT];

static i64 make_set(void) { return CALL(sys_epoll_create1, 0); }
static i64 make_event(void) { return CALL(sys_eventfd2, 0, O_NONBLOCK); }

static i64 control(i64 set, u64 operation, i64 target, u32 wanted)
{
	struct epoll_event event = {.events = wanted, .data = (u64)target};

	return CALL(sys_epoll_ctl, (u64)set, operation, (u64)target, ADDRESS(&event));
}

static i64 add(i64 set, i64 target, u32 wanted) { return control(set, EPOLL_CTL_ADD, target, wanted); }

/* How many events there are now. */
static i64 peek(i64 set) { return CALL(sys_epoll_wait, (u64)set, ADDRESS(events), 16, 0); }

static void signal_event(i64 event, u64 value)
{
	CHECK_EQUAL(CALL(sys_write, (u64)event, ADDRESS(&value), sizeof(value)), sizeof(value));
}

static void drain_event(i64 event)
{
	u64 value;

	CHECK_EQUAL(CALL(sys_read, (u64)event, ADDRESS(&value), sizeof(value)), sizeof(value));
}

static void start_wait(u32 task, i64 set, i64 timeout)
{
	START(task, sys_epoll_wait, (u64)set, ADDRESS(events), 16, (u64)timeout);
}

static void close_all(void)
{
	WANT(0, sys_close_range, 3, ~0u, 0);
	CHECK_EQUAL(objects, 0);
}

static void test_level(void)
{
	i64 set = make_set(), event = make_event();

	CHECK_EQUAL(add(set, event, EPOLLIN), 0);
	CHECK_EQUAL(peek(set), 0);
	signal_event(event, 1);
	for (int i = 0; i < 3; i++) {
		CHECK_EQUAL(peek(set), 1);
		CHECK_EQUAL(events[0].events, EPOLLIN);
		CHECK_EQUAL(events[0].data, event);
	}
	drain_event(event);
	CHECK_EQUAL(peek(set), 0);
	CHECK_EQUAL(control(set, EPOLL_CTL_MOD, event, EPOLLIN | EPOLLOUT), 0);
	CHECK_EQUAL(peek(set), 1);
	CHECK_EQUAL(events[0].events, EPOLLOUT);
	CHECK_EQUAL(control(set, EPOLL_CTL_DEL, event, 0), 0);
	CHECK_EQUAL(peek(set), 0);
	close_all();
}

static void test_edge(void)
{
	i64 set = make_set(), event = make_event();

	signal_event(event, 1);
	CHECK_EQUAL(add(set, event, EPOLLIN | EPOLLET), 0);
	CHECK_EQUAL(peek(set), 1);
	CHECK_EQUAL(peek(set), 0);
	signal_event(event, 1);
	CHECK_EQUAL(peek(set), 1);
	CHECK_EQUAL(peek(set), 0);
	drain_event(event);
	CHECK_EQUAL(peek(set), 0);
	CHECK_EQUAL(control(set, EPOLL_CTL_MOD, event, EPOLLOUT | EPOLLET), 0);
	CHECK_EQUAL(peek(set), 1);
	CHECK_EQUAL(peek(set), 0);
	close_all();
}

static void test_oneshot(void)
{
	i64 set = make_set(), event = make_event();

	CHECK_EQUAL(add(set, event, EPOLLIN | EPOLLONESHOT), 0);
	signal_event(event, 1);
	CHECK_EQUAL(peek(set), 1);
	signal_event(event, 1);
	CHECK_EQUAL(peek(set), 0);
	CHECK_EQUAL(control(set, EPOLL_CTL_MOD, event, EPOLLIN | EPOLLONESHOT), 0);
	CHECK_EQUAL(peek(set), 1);
	CHECK_EQUAL(peek(set), 0);
	close_all();
}

static void test_waiting(void)
{
	struct __kernel_timespec timeout = {0, 500};
	i64 set = make_set(), event = make_event();
	u64 mask = 0x1234;

	CHECK_EQUAL(add(set, event, EPOLLIN), 0);
	start_wait(1, set, -1);
	advance(1000000 * MS);
	CHECK(IS_BLOCKED(1));
	signal_event(event, 1);
	WANT_RESULT(1, 1);
	drain_event(event);
	start_wait(1, set, 20);
	advance(10 * MS);
	CHECK(IS_BLOCKED(1));
	signal_event(event, 0); /* a wake that changes nothing doesn't start the time anew */
	advance(10 * MS);
	WANT_RESULT(0, 1);
	start_wait(1, set, -1);
	interrupt(&tasks[1]);
	settle();
	WANT_RESULT(-EINTR, 1);
	START(1, sys_epoll_pwait2, (u64)set, ADDRESS(events), 16, ADDRESS(&timeout), ADDRESS(&mask), 8);
	CHECK_EQUAL(temporary_mask, mask);
	advance(499);
	CHECK(IS_BLOCKED(1));
	advance(1);
	WANT_RESULT(0, 1);
	WANT(-EINVAL, sys_epoll_pwait, (u64)set, ADDRESS(events), 16, 0, ADDRESS(&mask), 4);
	start_wait(1, set, -1);
	WANT(0, sys_close, (u64)set);
	WANT_RESULT(-EBADF, 1);
	close_all();
}

static void test_wrong_use(void)
{
	i64 set = make_set(), event = make_event();

	WANT(-EINVAL, sys_epoll_create, 0);
	WANT(-EINVAL, sys_epoll_create1, 1);
	CHECK_EQUAL(add(set, 99, EPOLLIN), -EBADF);
	CHECK_EQUAL(add(99, event, EPOLLIN), -EBADF);
	CHECK_EQUAL(add(event, set, EPOLLIN), -EINVAL);
	CHECK_EQUAL(add(set, set, EPOLLIN), -EINVAL);
	CHECK_EQUAL(add(set, 0, EPOLLIN), -EPERM); /* the tests' console has no poll, as /dev/null */
	CHECK_EQUAL(control(set, EPOLL_CTL_MOD, event, 0), -ENOENT);
	CHECK_EQUAL(control(set, EPOLL_CTL_DEL, event, 0), -ENOENT);
	CHECK_EQUAL(control(set, 9, event, 0), -EINVAL);
	CHECK_EQUAL(add(set, event, EPOLLIN | EPOLLONESHOT | EPOLLEXCLUSIVE), -EINVAL);
	CHECK_EQUAL(add(set, event, EPOLLIN | EPOLLEXCLUSIVE), 0);
	CHECK_EQUAL(add(set, event, EPOLLIN), -EEXIST);
	CHECK_EQUAL(control(set, EPOLL_CTL_MOD, event, EPOLLIN), -EINVAL);
	WANT(-EFAULT, sys_epoll_ctl, (u64)set, EPOLL_CTL_ADD, (u64)event, ADDRESS(bad_page));
	WANT(-EINVAL, sys_epoll_wait, (u64)set, ADDRESS(events), 0, 0);
	WANT(-EINVAL, sys_epoll_wait, (u64)event, ADDRESS(events), 1, 0);
	signal_event(event, 1);
	WANT(-EFAULT, sys_epoll_wait, (u64)set, ADDRESS(bad_page), 1, 0);
	CHECK_EQUAL(peek(set), 1); /* the event is not lost */
	allocations_left = 0;
	CHECK_EQUAL(add(set, CALL(sys_dup, (u64)event), EPOLLIN), -ENOMEM);
	allocations_left = INT64_MAX;
	close_all();
}

static void test_hangup_is_always_reported(void)
{
	i64 set = make_set();
	i32 ends[2];

	WANT(0, sys_pipe, ADDRESS(ends));
	CHECK_EQUAL(add(set, ends[0], 0), 0);
	signal_event(ends[1], 7);
	CHECK_EQUAL(peek(set), 0);
	WANT(0, sys_close, (u64)ends[1]);
	CHECK_EQUAL(peek(set), 1);
	CHECK_EQUAL(events[0].events, EPOLLHUP);
	close_all();
}

/* An item lives as long as the open file, not as long as the descriptor (epoll(7), question 6). */
static void test_closed_files_leave(void)
{
	i64 set = make_set(), event = make_event(), copy = CALL(sys_dup, (u64)event);

	CHECK_EQUAL(add(set, event, EPOLLIN), 0);
	CHECK_EQUAL(add(set, copy, EPOLLIN), 0);
	signal_event(event, 1);
	CHECK_EQUAL(peek(set), 2);
	WANT(0, sys_close, (u64)event);
	CHECK_EQUAL(peek(set), 2);
	CHECK_EQUAL(make_event(), event);
	CHECK_EQUAL(add(set, event, EPOLLIN), 0); /* another file under the same descriptor */
	CHECK_EQUAL(peek(set), 2);
	WANT(0, sys_close, (u64)copy);
	CHECK_EQUAL(peek(set), 0);
	CHECK_EQUAL(objects, 3);
	close_all();
}

static void test_fairness(void)
{
	i64 set = make_set();
	u32 seen[10] = {0};
	i64 first = make_event();

	for (int i = 1; i < 10; i++)
		CHECK_EQUAL(make_event(), first + i);
	for (int i = 0; i < 10; i++) {
		signal_event(first + i, 1);
		CHECK_EQUAL(add(set, first + i, EPOLLIN), 0);
	}
	for (int i = 0; i < 10; i++) {
		WANT(3, sys_epoll_wait, (u64)set, ADDRESS(events), 3, 0);
		for (int j = 0; j < 3; j++)
			seen[(i64)events[j].data - first]++;
	}
	for (int i = 0; i < 10; i++)
		CHECK_EQUAL(seen[i], 3);
	close_all();
}

static void test_nesting(void)
{
	i64 event = make_event(), outer = make_set(), inner = make_set();

	CHECK_EQUAL(add(outer, inner, EPOLLIN), 0);
	CHECK_EQUAL(add(inner, event, EPOLLIN), 0);
	CHECK_EQUAL(add(inner, outer, EPOLLIN), -ELOOP);
	start_wait(1, outer, -1);
	START(2, sys_epoll_wait, (u64)inner, ADDRESS(events), 1, (u64)-1);
	CHECK(IS_BLOCKED(1) && IS_BLOCKED(2));
	signal_event(event, 1);
	WANT_RESULT(1, 1);
	WANT_RESULT(1, 2);
	CHECK_EQUAL(peek(outer), 1);
	drain_event(event);
	CHECK_EQUAL(peek(outer), 0);
	signal_event(event, 1);
	WANT(0, sys_close, (u64)inner);
	CHECK_EQUAL(peek(outer), 0);
	close_all();
}

/* However a chain grows, from its inside or its outside, it stops at five. */
static void test_nesting_depth(void)
{
	i64 sets[7], event = make_event();

	for (int i = 0; i < 7; i++)
		sets[i] = make_set();
	for (int i = 0; i < 4; i++)
		CHECK_EQUAL(add(sets[i], sets[i + 1], EPOLLIN), 0);
	CHECK_EQUAL(add(sets[4], sets[5], EPOLLIN), -ELOOP);
	CHECK_EQUAL(add(sets[5], sets[0], EPOLLIN), -ELOOP);
	CHECK_EQUAL(add(sets[4], sets[0], EPOLLIN), -ELOOP);
	CHECK_EQUAL(add(sets[0], sets[4], EPOLLIN), 0); /* a shorter way besides is fine */
	CHECK_EQUAL(add(sets[4], event, EPOLLIN), 0);
	signal_event(event, 1);
	CHECK_EQUAL(peek(sets[0]), 2);
	CHECK_EQUAL(control(sets[2], EPOLL_CTL_DEL, sets[3], 0), 0);
	CHECK_EQUAL(add(sets[5], sets[0], EPOLLIN), 0);
	CHECK_EQUAL(peek(sets[5]), 1);
	close_all();
}

/* Random changes and waits, compared with what polling every file would say. */
static void test_random_sets(void)
{
	enum {
		COUNT = 40
	};
	struct test_random random = {7};
	u64 values[COUNT] = {0};
	bool watched[COUNT] = {false};
	i64 set = make_set(), first = make_event();

	for (int i = 1; i < COUNT; i++)
		CHECK_EQUAL(make_event(), first + i);
	for (int round = 0; round < 20000; round++) {
		u64 i = test_random_below(&random, COUNT);
		i64 ready = 0;

		switch (test_random_below(&random, 4)) {
		case 0:
			signal_event(first + (i64)i, 1);
			values[i]++;
			break;
		case 1:
			if (values[i] > 0)
				drain_event(first + (i64)i);
			values[i] = 0;
			break;
		case 2:
			CHECK_EQUAL(add(set, first + (i64)i, EPOLLIN), watched[i] ? -EEXIST : 0);
			watched[i] = true;
			break;
		default:
			CHECK_EQUAL(control(set, EPOLL_CTL_DEL, first + (i64)i, 0), watched[i] ? 0 : -ENOENT);
			watched[i] = false;
		}
		for (int j = 0; j < COUNT; j++)
			ready += watched[j] && values[j] > 0;
		WANT(ready, sys_epoll_wait, (u64)set, ADDRESS(events), COUNT, 0);
	}
	close_all();
}

int main(void)
{
	fake_begin();
	test_level();
	test_edge();
	test_oneshot();
	test_waiting();
	test_wrong_use();
	test_hangup_is_always_reported();
	test_closed_files_leave();
	test_fairness();
	test_nesting();
	test_nesting_depth();
	test_random_sets();
	fake_end();
	return 0;
}
