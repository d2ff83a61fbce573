/* eventfd(2) and timerfd_create(2). */
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/time_types.h>
#include <linux/timerfd.h>

#include "file_fake.h"

#define SEMAPHORE 1

/* As <linux/time.h> has them, which does not go together with <stdlib.h>. */
#define REALTIME 0
#define MONOTONIC 1
#define BOOTTIME 7

static i64 write_value(i64 descriptor, u64 value)
{
	return CALL(sys_write, (u64)descriptor, ADDRESS(&value), sizeof(value));
}

/* What is read, or a negative errno. */
static i64 read_value(i64 descriptor)
{
	u64 value;
	i64 result = CALL(sys_read, (u64)descriptor, ADDRESS(&value), sizeof(value));

	return result == sizeof(value) ? (i64)value : result;
}

static u32 events_of(i64 descriptor) { return file_poll(file_get((u64)descriptor)); }

static void test_eventfd_counts(void)
{
	i64 event = CALL(sys_eventfd2, 5, O_NONBLOCK);
	u8 buffer[16];

	CHECK_EQUAL(events_of(event), EPOLLIN | EPOLLOUT);
	CHECK_EQUAL(read_value(event), 5);
	CHECK_EQUAL(events_of(event), EPOLLOUT);
	CHECK_EQUAL(read_value(event), -EAGAIN);
	CHECK_EQUAL(write_value(event, 3), 8);
	CHECK_EQUAL(write_value(event, 4), 8);
	WANT(-EINVAL, sys_read, (u64)event, ADDRESS(buffer), 7);
	WANT(-EFAULT, sys_read, (u64)event, ADDRESS(bad_page - 4), 8);
	WANT(-EINVAL, sys_write, (u64)event, ADDRESS(buffer), 7);
	WANT(-EFAULT, sys_write, (u64)event, ADDRESS(bad_page - 4), 8);
	WANT(8, sys_read, (u64)event, ADDRESS(buffer), 16);
	CHECK_EQUAL(*(u64 *)buffer, 7);
	WANT(-EINVAL, sys_eventfd2, 0, 4);
	WANT(0, sys_close, (u64)event);
}

static void test_eventfd_overflow(void)
{
	i64 event = CALL(sys_eventfd2, 0, O_NONBLOCK);
	u64 value = 2;

	CHECK_EQUAL(write_value(event, UINT64_MAX), -EINVAL);
	CHECK_EQUAL(write_value(event, UINT64_MAX - 1), 8);
	CHECK_EQUAL(events_of(event), EPOLLIN);
	CHECK_EQUAL(write_value(event, 0), 8);
	CHECK_EQUAL(write_value(event, 1), -EAGAIN);
	WANT(0, sys_fcntl, (u64)event, F_SETFL, 0);
	START(1, sys_write, (u64)event, ADDRESS(&value), 8);
	CHECK(IS_BLOCKED(1));
	CHECK_EQUAL((u64)read_value(event), UINT64_MAX - 1);
	WANT_RESULT(8, 1);
	CHECK_EQUAL(read_value(event), 2);
	WANT(0, sys_close, (u64)event);
}

static void test_eventfd_semaphore(void)
{
	i64 event = CALL(sys_eventfd2, 0, SEMAPHORE);
	u64 values[4] = {0};

	for (u32 i = 1; i < 4; i++)
		START(i, sys_read, (u64)event, ADDRESS(&values[i]), 8);
	CHECK_EQUAL(write_value(event, 2), 8);
	CHECK_EQUAL(IS_BLOCKED(1) + IS_BLOCKED(2) + IS_BLOCKED(3), 1);
	CHECK_EQUAL(values[1] + values[2] + values[3], 2);
	CHECK_EQUAL(write_value(event, 1), 8);
	CHECK_EQUAL(IS_BLOCKED(1) + IS_BLOCKED(2) + IS_BLOCKED(3), 0);
	WANT(0, sys_close, (u64)event);
}

static struct __kernel_itimerspec setting(u64 value, u64 interval)
{
	return (struct __kernel_itimerspec){
		.it_value = {(i64)(value / 1000000000), (i64)(value % 1000000000)},
		.it_interval = {(i64)(interval / 1000000000), (i64)(interval % 1000000000)},
	};
}

static void set_timer(i64 timer, u64 flags, u64 value, u64 interval)
{
	struct __kernel_itimerspec new = setting(value, interval);

	WANT(0, sys_timerfd_settime, (u64)timer, flags, ADDRESS(&new), 0);
}

static void check_timer(i64 timer, u64 value, u64 interval)
{
	struct __kernel_itimerspec got, want = setting(value, interval);

	WANT(0, sys_timerfd_gettime, (u64)timer, ADDRESS(&got));
	CHECK(memcmp(&got, &want, sizeof(got)) == 0);
}

static void test_timer_once(void)
{
	i64 timer = CALL(sys_timerfd_create, MONOTONIC, O_NONBLOCK);

	check_timer(timer, 0, 0);
	set_timer(timer, 0, 5 * MS, 0);
	CHECK_EQUAL(read_value(timer), -EAGAIN);
	advance(3 * MS);
	check_timer(timer, 2 * MS, 0);
	advance(2 * MS);
	CHECK_EQUAL(events_of(timer), EPOLLIN);
	advance(20 * MS);
	CHECK_EQUAL(read_value(timer), 1);
	CHECK_EQUAL(read_value(timer), -EAGAIN);
	check_timer(timer, 0, 0);
	set_timer(timer, 0, 5 * MS, 0);
	set_timer(timer, 0, 0, 7 * MS);
	advance(50 * MS);
	CHECK_EQUAL(read_value(timer), -EAGAIN);
	WANT(0, sys_close, (u64)timer);
}

static void test_timer_repeats(void)
{
	i64 timer = CALL(sys_timerfd_create, BOOTTIME, 0);
	u64 value = 0;

	set_timer(timer, 0, 10 * MS, 4 * MS);
	START(1, sys_read, (u64)timer, ADDRESS(&value), 8);
	CHECK(IS_BLOCKED(1));
	advance(9 * MS);
	CHECK(IS_BLOCKED(1));
	advance(1 * MS);
	WANT_RESULT(8, 1);
	CHECK_EQUAL(value, 1);
	check_timer(timer, 4 * MS, 4 * MS);
	advance(13 * MS);
	check_timer(timer, 3 * MS, 4 * MS);
	CHECK_EQUAL(read_value(timer), 3);
	now += 5 * MS; /* it is due, but nothing has looked at timers */
	CHECK_EQUAL(events_of(timer), EPOLLIN);
	CHECK_EQUAL(read_value(timer), 1);
	set_timer(timer, 0, 1, 1); /* must not keep the machine busy */
	advance(1000 * MS);
	CHECK_EQUAL(read_value(timer), 1000 * MS);
	set_timer(timer, 0, UINT64_MAX, UINT64_MAX);
	advance(1000 * MS);
	START(1, sys_read, (u64)timer, ADDRESS(&value), 8);
	CHECK(IS_BLOCKED(1));
	WANT(0, sys_close, (u64)timer);
	WANT_RESULT(-EBADF, 1);
	CHECK(timers.root == NULL);
}

static void test_timer_absolute(void)
{
	i64 wall = CALL(sys_timerfd_create, REALTIME, O_NONBLOCK);
	i64 monotonic = CALL(sys_timerfd_create, MONOTONIC, O_NONBLOCK);

	set_timer(wall, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, now + wall_offset + 10 * MS, 0);
	set_timer(monotonic, TFD_TIMER_ABSTIME, now + 10 * MS, 10 * MS);
	advance(9 * MS);
	CHECK_EQUAL(read_value(wall), -EAGAIN);
	CHECK_EQUAL(read_value(monotonic), -EAGAIN);
	advance(1 * MS);
	CHECK_EQUAL(read_value(wall), 1);
	CHECK_EQUAL(read_value(monotonic), 1);
	set_timer(wall, TFD_TIMER_ABSTIME, 1, 0); /* long past */
	CHECK_EQUAL(read_value(wall), 1);
	WANT(0, sys_close, (u64)wall);
	WANT(0, sys_close, (u64)monotonic);
}

static void test_timer_wrong_use(void)
{
	i64 timer = CALL(sys_timerfd_create, MONOTONIC, 0), event = CALL(sys_eventfd2, 0, 0);
	struct __kernel_itimerspec new = setting(5 * MS, 2 * MS), old;

	WANT(-EINVAL, sys_timerfd_create, 8, 0);
	WANT(-EINVAL, sys_timerfd_create, MONOTONIC, 1);
	WANT(-EINVAL, sys_timerfd_settime, (u64)event, 0, ADDRESS(&new), 0);
	WANT(-EBADF, sys_timerfd_settime, 77, 0, ADDRESS(&new), 0);
	WANT(-EFAULT, sys_timerfd_settime, (u64)timer, 0, ADDRESS(bad_page), 0);
	WANT(-EFAULT, sys_timerfd_settime, (u64)timer, 0, ADDRESS(&new), ADDRESS(bad_page));
	WANT(-EINVAL, sys_timerfd_settime, (u64)timer, 4, ADDRESS(&new), 0);
	WANT(0, sys_timerfd_settime, (u64)timer, 0, ADDRESS(&new), ADDRESS(&old));
	CHECK_EQUAL(old.it_value.tv_nsec + old.it_interval.tv_nsec, 0);
	advance(MS);
	WANT(0, sys_timerfd_settime, (u64)timer, 0, ADDRESS(&new), ADDRESS(&old));
	CHECK_EQUAL(old.it_value.tv_nsec, 4 * MS);
	CHECK_EQUAL(old.it_interval.tv_nsec, 2 * MS);
	new.it_value.tv_nsec = 1000000000;
	WANT(-EINVAL, sys_timerfd_settime, (u64)timer, 0, ADDRESS(&new), 0);
	WANT(-EFAULT, sys_timerfd_gettime, (u64)timer, ADDRESS(bad_page));
	WANT(-EINVAL, sys_write, (u64)timer, ADDRESS(&new), 8);
	WANT(0, sys_close, (u64)timer);
	WANT(0, sys_close, (u64)event);
}

int main(void)
{
	fake_begin();
	test_eventfd_counts();
	test_eventfd_overflow();
	test_eventfd_semaphore();
	test_timer_once();
	test_timer_repeats();
	test_timer_absolute();
	test_timer_wrong_use();
	fake_end();
	return 0;
}
