/* The table of descriptors, and vectors of buffers. */
#include <asm/ioctls.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/uio.h>

#include "file_fake.h"

static i64 make_eventfd(void) { return CALL(sys_eventfd2, 0, 0); }

static void test_lowest_is_taken(void)
{
	CHECK_EQUAL(make_eventfd(), 3);
	CHECK_EQUAL(make_eventfd(), 4);
	WANT(0, sys_close, 3);
	WANT(0, sys_close, 0);
	CHECK_EQUAL(make_eventfd(), 0);
	CHECK_EQUAL(make_eventfd(), 3);
	WANT(70, sys_fcntl, 3, F_DUPFD, 70);
	WANT(71, sys_fcntl, 3, F_DUPFD_CLOEXEC, 70);
	WANT(5, sys_dup, 3);
	WANT(-EINVAL, sys_fcntl, 3, F_DUPFD, FILE_LIMIT);
	WANT(-EBADF, sys_dup, 6);
	WANT(0, sys_close_range, 3, ~0u, 0);
	CHECK_EQUAL(objects, 1);
	WANT(-EBADF, sys_close, 3);
	WANT(-EBADF, sys_close, -1ull);
	WANT(-EBADF, sys_close, FILE_LIMIT);
}

static void test_table_is_full(void)
{
	i32 ends[2];

	for (u32 i = 3; i < FILE_LIMIT; i++)
		WANT(i, sys_dup, 1);
	WANT(-EMFILE, sys_dup, 1);
	CHECK_EQUAL(make_eventfd(), -EMFILE);
	WANT(-EMFILE, sys_pipe, ADDRESS(ends));
	WANT(0, sys_close, 500);
	WANT(-EMFILE, sys_pipe, ADDRESS(ends));
	WANT(500, sys_dup, 1);
	WANT(0, sys_close_range, 3, FILE_LIMIT + 10, 0);
	CHECK_EQUAL(objects, 1);
}

static void test_dup2(void)
{
	CHECK_EQUAL(make_eventfd(), 3);
	CHECK_EQUAL(make_eventfd(), 4);
	CHECK_EQUAL(objects, 3);
	WANT(4, sys_dup2, 3, 4);
	CHECK_EQUAL(objects, 2); /* what 4 was is gone */
	CHECK(file_get(3) == file_get(4));
	WANT(3, sys_dup2, 3, 3);
	WANT(-EINVAL, sys_dup3, 3, 3, 0);
	WANT(-EINVAL, sys_dup3, 3, 5, O_NONBLOCK);
	WANT(9, sys_dup3, 3, 9, O_CLOEXEC);
	WANT(FD_CLOEXEC, sys_fcntl, 9, F_GETFD);
	WANT(9, sys_dup2, 3, 9);
	WANT(0, sys_fcntl, 9, F_GETFD);
	WANT(-EBADF, sys_dup2, 3, FILE_LIMIT);
	WANT(-EBADF, sys_dup2, 20, 3);
	WANT(-EBADF, sys_dup2, 20, 20);
	WANT(0, sys_close, 3);
	WANT(0, sys_close, 4);
	CHECK_EQUAL(objects, 2);
	WANT(0, sys_close, 9);
	CHECK_EQUAL(objects, 1);
}

static void test_flags(void)
{
	i32 on = 1;

	WANT(3, sys_eventfd2, 0, O_CLOEXEC | O_NONBLOCK);
	WANT(FD_CLOEXEC, sys_fcntl, 3, F_GETFD);
	WANT(O_RDWR | O_NONBLOCK, sys_fcntl, 3, F_GETFL);
	WANT(0, sys_fcntl, 3, F_SETFL, O_APPEND | O_WRONLY | O_CREAT);
	WANT(O_RDWR | O_APPEND, sys_fcntl, 3, F_GETFL);
	WANT(0, sys_fcntl, 3, F_SETFD, 0);
	WANT(0, sys_fcntl, 3, F_GETFD);
	WANT(0, sys_ioctl, 3, FIOCLEX);
	WANT(FD_CLOEXEC, sys_fcntl, 3, F_GETFD);
	WANT(0, sys_ioctl, 3, FIONCLEX);
	WANT(0, sys_fcntl, 3, F_GETFD);
	WANT(0, sys_ioctl, 3, FIONBIO, ADDRESS(&on));
	WANT(O_RDWR | O_APPEND | O_NONBLOCK, sys_fcntl, 3, F_GETFL);
	WANT(-ENOTTY, sys_ioctl, 3, TCGETS, ADDRESS(&on));
	WANT(-ENOTTY, sys_ioctl, 3, FIONREAD, ADDRESS(&on));
	WANT(-EINVAL, sys_fcntl, 3, F_GETLK, 0);
	WANT(-EBADF, sys_fcntl, 3, F_GETPIPE_SZ);
	WANT(-EBADF, sys_fcntl, 4, F_GETFD);
	WANT(0, sys_close_range, 2, 3, CLOSE_RANGE_CLOEXEC);
	WANT(FD_CLOEXEC, sys_fcntl, 3, F_GETFD);
	WANT(-EINVAL, sys_close_range, 3, 2, 0);
	WANT(-EINVAL, sys_close_range, 3, 4, CLOSE_RANGE_UNSHARE);
	WANT(0, sys_close, 3);
	WANT(3, sys_dup, 1);
	WANT(0, sys_fcntl, 3, F_GETFD); /* not what the last 3 had */
	WANT(0, sys_close, 3);
}

static void test_vectors(void)
{
	u8 bytes[12] = "hello world";
	struct iovec in[4] = {{bytes, 3}, {NULL, 0}, {bytes + 3, 4}, {bytes + 7, 4}};
	u8 got[12] = {0};
	struct iovec out[3] = {{got, 2}, {got + 2, 5}, {got + 7, 100}};
	struct iovec bad[2] = {{bytes, 3}, {bad_page, 3}};
	struct iovec negative[2] = {{bytes, 3}, {bytes, 1ull << 63}};
	i32 ends[2];

	WANT(0, sys_pipe, ADDRESS(ends));
	WANT(11, sys_writev, (u64)ends[1], ADDRESS(in), 4);
	WANT(11, sys_readv, (u64)ends[0], ADDRESS(out), 3);
	CHECK(memcmp(got, bytes, 11) == 0);
	WANT(0, sys_writev, (u64)ends[1], ADDRESS(in), 0);
	WANT(3, sys_writev, (u64)ends[1], ADDRESS(bad), 2);
	WANT(-EFAULT, sys_writev, (u64)ends[1], ADDRESS(bad + 1), 1);
	WANT(-EINVAL, sys_writev, (u64)ends[1], ADDRESS(negative), 2);
	WANT(-EFAULT, sys_writev, (u64)ends[1], ADDRESS(bad_page), 1);
	WANT(-EINVAL, sys_writev, (u64)ends[1], ADDRESS(in), 1025);
	WANT(-ESPIPE, sys_preadv, (u64)ends[0], ADDRESS(out), 3, 0);
	/* A read may overwrite its own iovecs. */
	WANT(3, sys_read, (u64)ends[0], ADDRESS(got), 3);
	memset(bytes, 0xff, sizeof(bytes));
	WANT(12, sys_write, (u64)ends[1], ADDRESS(bytes), 12);
	out[0] = (struct iovec){&out[1], 12};
	WANT(12, sys_readv, (u64)ends[0], ADDRESS(out), 3);
	WANT(0, sys_close_range, 3, 10, 0);
}

int main(void)
{
	fake_begin();
	test_lowest_is_taken();
	test_table_is_full();
	test_dup2();
	test_flags();
	test_vectors();
	fake_end();
	return 0;
}
