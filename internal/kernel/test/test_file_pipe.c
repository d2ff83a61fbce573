/* Pipes: order and wholeness of bytes, waiting, ends that go away (pipe(7)). */
#include <asm/ioctls.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/uio.h>

#include "file_fake.h"

#define CAPACITY 65536

static u8 bytes[2 * CAPACITY], got[2 * CAPACITY];

/* Fills both with bytes whose order shows. */
static void fill(void)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i * 7 + i / 251);
	memset(got, 0, sizeof(got));
}

static void make_pipe(i32 ends[2], u64 flags) { WANT(0, sys_pipe2, ADDRESS(ends), flags); }

static void close_pipe(const i32 ends[2])
{
	WANT(0, sys_close, (u64)ends[0]);
	WANT(0, sys_close, (u64)ends[1]);
	CHECK_EQUAL(objects, 0);
	CHECK_EQUAL(pages, 0);
}

static void test_bytes_pass(void)
{
	i32 ends[2];
	i32 available;

	make_pipe(ends, 0);
	WANT(5, sys_write, (u64)ends[1], ADDRESS("hello"), 5);
	WANT(0, sys_ioctl, (u64)ends[0], FIONREAD, ADDRESS(&available));
	CHECK_EQUAL(available, 5);
	WANT(2, sys_read, (u64)ends[0], ADDRESS(got), 2);
	WANT(3, sys_read, (u64)ends[0], ADDRESS(got + 2), sizeof(got));
	CHECK(memcmp(got, "hello", 5) == 0);
	CHECK_EQUAL(pages, 0); /* an empty pipe has none */
	WANT(0, sys_read, (u64)ends[0], ADDRESS(got), 0);
	WANT(0, sys_write, (u64)ends[1], 0, 0);
	WANT(CAPACITY, sys_fcntl, (u64)ends[0], F_GETPIPE_SZ);
	close_pipe(ends);
}

static void test_wrong_use(void)
{
	i32 ends[2];

	make_pipe(ends, 0);
	WANT(-EBADF, sys_read, (u64)ends[1], ADDRESS(got), 1);
	WANT(-EBADF, sys_write, (u64)ends[0], ADDRESS(got), 1);
	WANT(-EBADF, sys_read, 99, ADDRESS(got), 1);
	WANT(-EINVAL, sys_read, (u64)ends[0], ADDRESS(got), -1ull);
	WANT(-ESPIPE, sys_lseek, (u64)ends[0], 0, 0);
	WANT(-ESPIPE, sys_pread64, (u64)ends[0], ADDRESS(got), 1, 0);
	WANT(-EINVAL, sys_pread64, (u64)ends[0], ADDRESS(got), 1, -1ull);
	WANT(-EFAULT, sys_write, (u64)ends[1], ADDRESS(bad_page), 10);
	WANT(-EFAULT, sys_pipe2, ADDRESS(bad_page), 0);
	WANT(-EINVAL, sys_pipe2, ADDRESS(ends), O_DIRECT);
	close_pipe(ends);
}

static void test_bad_memory_after_good(void)
{
	i32 ends[2];

	make_pipe(ends, 0);
	WANT(100, sys_write, (u64)ends[1], ADDRESS(bad_page - 100), 200);
	WANT(-EFAULT, sys_read, (u64)ends[0], ADDRESS(bad_page), 50);
	WANT(60, sys_read, (u64)ends[0], ADDRESS(bad_page - 60), 100);
	WANT(40, sys_read, (u64)ends[0], ADDRESS(got), 100);
	close_pipe(ends);
}

static void test_reader_waits(void)
{
	i32 ends[2];

	make_pipe(ends, 0);
	START(1, sys_read, (u64)ends[0], ADDRESS(got), 10);
	START(2, sys_read, (u64)ends[0], ADDRESS(got + 10), 10);
	CHECK(IS_BLOCKED(1) && IS_BLOCKED(2));
	WANT(3, sys_write, (u64)ends[1], ADDRESS("abc"), 3);
	CHECK(IS_BLOCKED(1) != IS_BLOCKED(2)); /* one gets all, the other goes on waiting */
	WANT(0, sys_close, (u64)ends[1]);
	CHECK(!IS_BLOCKED(1) && !IS_BLOCKED(2));
	CHECK_EQUAL(tasks[1].result + tasks[2].result, 3);
	WANT(0, sys_read, (u64)ends[0], ADDRESS(got), 10);
	WANT(0, sys_close, (u64)ends[0]);
}

static void test_signal_ends_wait(void)
{
	i32 ends[2];

	make_pipe(ends, 0);
	START(1, sys_read, (u64)ends[0], ADDRESS(got), 10);
	interrupt(&tasks[1]);
	settle();
	WANT_RESULT(CALL_RESTART, 1);
	START(1, sys_write, (u64)ends[1], ADDRESS(bytes), CAPACITY + 100);
	CHECK(IS_BLOCKED(1));
	interrupt(&tasks[1]);
	settle();
	WANT_RESULT(CAPACITY, 1); /* part of it was written */
	close_pipe(ends);
}

static void test_writer_waits(void)
{
	const u64 size = CAPACITY + 3000;
	i32 ends[2];

	fill();
	make_pipe(ends, 0);
	START(1, sys_write, (u64)ends[1], ADDRESS(bytes), size);
	CHECK(IS_BLOCKED(1));
	CHECK_EQUAL(pages, 16);
	WANT(1000, sys_read, (u64)ends[0], ADDRESS(got), 1000);
	CHECK(IS_BLOCKED(1)); /* the rest fits in no less than one piece */
	WANT(2000, sys_read, (u64)ends[0], ADDRESS(got + 1000), 2000);
	WANT_RESULT(size, 1);
	WANT(CAPACITY, sys_read, (u64)ends[0], ADDRESS(got + 3000), 2 * CAPACITY);
	CHECK(memcmp(bytes, got, size) == 0);
	close_pipe(ends);
}

/* pipe(7): a write of PIPE_BUF bytes or less is not mixed with others, nor split when it can't be done at once. */
static void test_small_writes_are_whole(void)
{
	struct iovec pieces[3] = {{bytes, 1000}, {bytes + 1000, 0}, {bytes + 1000, 3000}};
	i32 ends[2];

	fill();
	make_pipe(ends, O_NONBLOCK);
	WANT(CAPACITY - 3999, sys_write, (u64)ends[1], ADDRESS(bytes), CAPACITY - 3999);
	WANT(-EAGAIN, sys_write, (u64)ends[1], ADDRESS(bytes), 4000);
	WANT(-EAGAIN, sys_writev, (u64)ends[1], ADDRESS(pieces), 3);
	WANT(1, sys_read, (u64)ends[0], ADDRESS(got), 1);
	WANT(4000, sys_writev, (u64)ends[1], ADDRESS(pieces), 3);
	WANT(-EAGAIN, sys_write, (u64)ends[1], ADDRESS(bytes), 1);
	WANT(CAPACITY, sys_read, (u64)ends[0], ADDRESS(got), CAPACITY + 1);
	WANT(-EAGAIN, sys_read, (u64)ends[0], ADDRESS(got), 1);
	CHECK(memcmp(got + CAPACITY - 4000, bytes, 4000) == 0);
	/* A large one takes what room there is, if the pipe is writable. */
	WANT(CAPACITY - 4100, sys_write, (u64)ends[1], ADDRESS(bytes), CAPACITY - 4100);
	WANT(4100, sys_write, (u64)ends[1], ADDRESS(bytes), 5000);
	WANT(4000, sys_read, (u64)ends[0], ADDRESS(got), 4000);
	WANT(-EAGAIN, sys_write, (u64)ends[1], ADDRESS(bytes), 5000);
	close_pipe(ends);
}

static void test_nobody_reads(void)
{
	i32 ends[2];

	sigpipes = 0;
	make_pipe(ends, 0);
	START(1, sys_write, (u64)ends[1], ADDRESS(bytes), CAPACITY + 1);
	START(2, sys_write, (u64)ends[1], ADDRESS(bytes), 1);
	CHECK(IS_BLOCKED(1) && IS_BLOCKED(2));
	WANT(0, sys_close, (u64)ends[0]);
	WANT_RESULT(CAPACITY, 1);
	WANT_RESULT(-EPIPE, 2);
	CHECK_EQUAL(sigpipes, 2);
	CHECK_EQUAL(file_poll(file_get((u64)ends[1])) & EPOLLERR, EPOLLERR);
	WANT(-EPIPE, sys_write, (u64)ends[1], ADDRESS(bytes), 1);
	CHECK_EQUAL(sigpipes, 3);
	WANT(0, sys_write, (u64)ends[1], ADDRESS(bytes), 0);
	WANT(0, sys_close, (u64)ends[1]);
	CHECK_EQUAL(pages, 0);
}

static void test_closed_while_waiting(void)
{
	i32 ends[2];

	make_pipe(ends, 0);
	START(1, sys_read, (u64)ends[0], ADDRESS(got), 1);
	START(2, sys_write, (u64)ends[1], ADDRESS(bytes), CAPACITY + 5);
	WANT_RESULT(1, 1);
	START(1, sys_write, (u64)ends[1], ADDRESS(bytes), 2);
	CHECK(IS_BLOCKED(1) && IS_BLOCKED(2));
	WANT(0, sys_close, (u64)ends[1]);
	WANT_RESULT(-EBADF, 1);
	WANT_RESULT(CAPACITY, 2); /* what it had written counts */
	WANT(0, sys_close, (u64)ends[0]);
	CHECK_EQUAL(objects, 0);
	CHECK_EQUAL(pages, 0);
}

static void test_poll(void)
{
	i32 ends[2];
	struct file *reader, *writer;

	make_pipe(ends, O_NONBLOCK);
	reader = file_get((u64)ends[0]);
	writer = file_get((u64)ends[1]);
	CHECK_EQUAL(file_poll(reader), 0);
	CHECK_EQUAL(file_poll(writer), EPOLLOUT | EPOLLWRNORM);
	WANT(CAPACITY - 4096, sys_write, (u64)ends[1], ADDRESS(bytes), CAPACITY - 4096);
	CHECK_EQUAL(file_poll(reader), EPOLLIN | EPOLLRDNORM);
	CHECK_EQUAL(file_poll(writer), EPOLLOUT | EPOLLWRNORM);
	WANT(1, sys_write, (u64)ends[1], ADDRESS(bytes), 1);
	CHECK_EQUAL(file_poll(writer), 0);
	WANT(0, sys_close, (u64)ends[1]);
	CHECK_EQUAL(file_poll(reader), EPOLLIN | EPOLLRDNORM | EPOLLHUP);
	WANT(CAPACITY - 4095, sys_read, (u64)ends[0], ADDRESS(got), CAPACITY);
	CHECK_EQUAL(file_poll(reader), EPOLLHUP);
	WANT(0, sys_close, (u64)ends[0]);
}

static void test_no_memory(void)
{
	i32 ends[2];

	for (allocations_left = 0; CALL(sys_pipe2, ADDRESS(ends), 0) < 0;) {
		CHECK_EQUAL(objects, 0);
		allocations_left = 1;
	}
	allocations_left = 0;
	WANT(-ENOMEM, sys_write, (u64)ends[1], ADDRESS(bytes), 1);
	WANT(-ENOMEM, sys_read, (u64)ends[0], ADDRESS(got), 1); /* none to wait with */
	allocations_left = 2;
	WANT(8192, sys_write, (u64)ends[1], ADDRESS(bytes), 10000);
	allocations_left = INT64_MAX;
	close_pipe(ends);
}

/* Readers and writers of all sizes, with waits and without: every byte comes once and in its place. */
static void test_random_traffic(void)
{
	struct test_random random = {42};
	u64 written = 0, read = 0;
	i32 ends[2];

	make_pipe(ends, 0);
	for (int i = 0; i < 20000; i++) {
		u64 size = test_random_below(&random, test_random_below(&random, 8) == 0 ? 2 * CAPACITY : 6000) + 1;

		if (!IS_BLOCKED(1) && test_random_below(&random, 2) == 0) {
			for (u64 at = 0; at < size; at++)
				bytes[at] = (u8)((written + at) * 31 >> 3);
			START(1, sys_write, (u64)ends[1], ADDRESS(bytes), size);
			written += size;
		} else if (read < written) {
			i64 count = CALL(sys_read, (u64)ends[0], ADDRESS(got), size);

			CHECK(count > 0 && (u64)count <= size);
			for (u64 at = 0; at < (u64)count; at++)
				CHECK_EQUAL(got[at], (u8)((read + at) * 31 >> 3));
			read += (u64)count;
		}
		CHECK(pages <= 16);
	}
	while (read < written)
		read += (u64)CALL(sys_read, (u64)ends[0], ADDRESS(got), sizeof(got));
	CHECK(!IS_BLOCKED(1));
	CHECK_EQUAL(pages, 0);
	close_pipe(ends);
}

int main(void)
{
	fake_begin();
	test_bytes_pass();
	test_wrong_use();
	test_bad_memory_after_good();
	test_reader_waits();
	test_signal_ends_wait();
	test_writer_waits();
	test_small_writes_are_whole();
	test_nobody_reads();
	test_closed_while_waiting();
	test_poll();
	test_no_memory();
	test_random_traffic();
	fake_end();
	return 0;
}
