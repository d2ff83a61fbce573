/* Standard input and output against a host that the test plays. */
#include <sys/stat.h>

#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

/* The host's side, in place of arch/hypercall.h. */
#define ARCH_HYPERCALL_H
#include "airlock_abi.h"
#include "lib/types.h"

static struct airlock_control control;
static u8 output_bytes[AIRLOCK_STDIO_OUTPUT_SIZE], input_bytes[AIRLOCK_STDIO_INPUT_SIZE];
static void hypercall(u16 port);

static struct airlock_control *control_page(void) { return &control; }
static u8 *stdio_output(void) { return output_bytes; }
static u8 *stdio_input(void) { return input_bytes; }

#define FAKE_CONSOLE_IS_REAL
#include "file/console.c"

#include "file_fake.h"

/* What the host got: "1:text|2:text|", and how often it was called. */
static char host_got[100000];
static size_t host_length;
static i32 host_output_error;
static u32 outputs, inputs;

/* What the host has for stdin, and what it says when that is used up. */
static const char *host_input = "";
static i32 host_input_end = -EAGAIN;

static void host_output(void)
{
	struct airlock_output *request = &control.output;

	outputs++;
	CHECK(request->length > 0 && request->length <= sizeof(output_bytes));
	CHECK(request->descriptor == 1 || request->descriptor == 2);
	host_got[host_length++] = (char)('0' + request->descriptor);
	host_got[host_length++] = ':';
	memcpy(host_got + host_length, output_bytes, request->length);
	host_length += request->length;
	host_got[host_length++] = '|';
	host_got[host_length] = 0;
	request->result = host_output_error;
}

static void host_give_input(void)
{
	u32 length = (u32)MIN(strlen(host_input), control.input.want);

	inputs++;
	CHECK(control.input.want > 0 && control.input.want <= sizeof(input_bytes));
	memcpy(input_bytes, host_input, length);
	host_input += length;
	control.input.result = length > 0 ? (i32)length : host_input_end;
}

static void hypercall(u16 port)
{
	CHECK(port == AIRLOCK_PORT_OUTPUT || port == AIRLOCK_PORT_INPUT);
	if (port == AIRLOCK_PORT_OUTPUT)
		host_output();
	else
		host_give_input();
}

static void write_text(u64 descriptor, const char *text)
{
	WANT(strlen(text), sys_write, descriptor, ADDRESS(text), strlen(text));
}

static void check_host_got(const char *want)
{
	if (strcmp(host_got, want) != 0) {
		fprintf(stderr, "the host got %s; want %s\n", host_got, want);
		exit(1);
	}
	host_length = 0;
	host_got[0] = 0;
}

static void test_output_is_batched_in_order(void)
{
	write_text(1, "one ");
	CHECK_EQUAL(control.leave, AIRLOCK_LEAVE_OUTPUT);
	write_text(1, "two ");
	CHECK(console_pending());
	check_host_got("");
	write_text(2, "error ");
	check_host_got("1:one two |");
	write_text(1, "three");
	console_flush();
	console_flush();
	check_host_got("2:error |1:three|");
	CHECK(!console_pending());
	CHECK_EQUAL(control.leave, 0);
	CHECK_EQUAL(outputs, 3);
}

static void test_output_is_larger_than_the_buffer(void)
{
	static char bytes[2 * AIRLOCK_STDIO_OUTPUT_SIZE + 1000];
	size_t at = 0;

	memset(bytes, 'x', sizeof(bytes));
	WANT(sizeof(bytes), sys_write, 1, ADDRESS(bytes), sizeof(bytes));
	console_flush();
	for (size_t i = 0; i < host_length; i++)
		at += host_got[i] == 'x';
	CHECK_EQUAL(at, sizeof(bytes));
	CHECK_EQUAL(host_length, sizeof(bytes) + 3 * strlen("1:|"));
	host_length = 0;
	WANT(10, sys_write, 1, ADDRESS(bad_page - 10), 20);
	WANT(-EFAULT, sys_write, 1, ADDRESS(bad_page), 20);
	WANT(0, sys_write, 1, ADDRESS(bad_page), 0);
	WANT(-EBADF, sys_read, 1, ADDRESS(bytes), 1);
	WANT(-EBADF, sys_write, 0, ADDRESS(bytes), 1);
	WANT(-ENOTTY, sys_ioctl, 1, TCGETS, ADDRESS(bytes));
	WANT(-ESPIPE, sys_lseek, 1, 0, 1);
	console_flush();
	host_length = 0;
}

static void test_host_refuses_output(void)
{
	struct pollfd entry = {1, POLLOUT, 0};

	host_output_error = -EPIPE;
	write_text(1, "lost");
	console_flush();
	host_output_error = 0;
	WANT(-EPIPE, sys_write, 1, ADDRESS("x"), 1);
	CHECK_EQUAL(sigpipes, 1);
	WANT(1, sys_poll, ADDRESS(&entry), 1, 0);
	CHECK_EQUAL(entry.revents, POLLOUT | POLLERR);
	write_text(2, "still there");
	console_flush();
	check_host_got("1:lost|2:still there|");
	output.error[1] = 0;
}

static void test_input(void)
{
	char got[10000] = {0};
	i32 available;

	inputs = 0;
	host_input = "some words";
	WANT(4, sys_read, 0, ADDRESS(got), 4);
	WANT(0, sys_ioctl, 0, FIONREAD, ADDRESS(&available));
	CHECK_EQUAL(available, 6);
	WANT(-EFAULT, sys_read, 0, ADDRESS(bad_page), 4);
	WANT(6, sys_read, 0, ADDRESS(got + 4), sizeof(got));
	CHECK(strcmp(got, "some words") == 0);
	CHECK_EQUAL(inputs, 1); /* all of it came at once */

	write_text(1, "prompt> ");
	START(1, sys_read, 0, ADDRESS(got), 100);
	START(2, sys_read, 0, ADDRESS(got + 100), 100);
	CHECK(IS_BLOCKED(1) && IS_BLOCKED(2));
	check_host_got("1:prompt> |");
	CHECK_EQUAL(inputs, 2); /* the second reader doesn't ask again */
	host_input = "answer";
	console_input_event();
	settle();
	CHECK(IS_BLOCKED(1) != IS_BLOCKED(2));
	host_input_end = 0;
	console_input_event();
	settle();
	CHECK(!IS_BLOCKED(1) && !IS_BLOCKED(2));
	CHECK_EQUAL(tasks[1].result + tasks[2].result, 6);
	WANT(0, sys_read, 0, ADDRESS(got), 1);
	host_input = "more"; /* after the end of a terminal's input, say */
	WANT(4, sys_read, 0, ADDRESS(got), 10);
	host_input_end = -EAGAIN;
	WANT(0, sys_fcntl, 0, F_SETFL, O_NONBLOCK);
	WANT(-EAGAIN, sys_read, 0, ADDRESS(got), 10);
	WANT(0, sys_fcntl, 0, F_SETFL, 0);
	host_input_end = -EIO;
	console_input_event();
	WANT(-EIO, sys_read, 0, ADDRESS(got), 10);
}

static void test_input_is_polled(void)
{
	struct pollfd entry = {0, POLLIN, 0};
	char got[10];

	host_input_end = -EAGAIN;
	console_input_event();
	inputs = 0;
	WANT(0, sys_poll, ADDRESS(&entry), 1, 0);
	WANT(0, sys_poll, ADDRESS(&entry), 1, 0);
	CHECK_EQUAL(inputs, 1);
	START(1, sys_poll, ADDRESS(&entry), 1, (u64)-1);
	CHECK(IS_BLOCKED(1));
	host_input = "ab";
	console_input_event();
	settle();
	WANT_RESULT(1, 1);
	CHECK_EQUAL(entry.revents, POLLIN);
	WANT(2, sys_read, 0, ADDRESS(got), 10);
	host_input_end = 0;
	WANT(1, sys_poll, ADDRESS(&entry), 1, 0);
	CHECK_EQUAL(entry.revents, POLLHUP);
	WANT(1, sys_poll, ADDRESS(&entry), 1, 0);
	CHECK_EQUAL(inputs, 3);
}

static void test_input_with_epoll(void)
{
	i64 set = CALL(sys_epoll_create1, 0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	host_input_end = -EAGAIN;
	console_input_event();
	WANT(0, sys_epoll_ctl, (u64)set, EPOLL_CTL_ADD, 0, ADDRESS(&event));
	START(1, sys_epoll_wait, (u64)set, ADDRESS(&event), 1, (u64)-1);
	CHECK(IS_BLOCKED(1));
	host_input = "x";
	console_input_event();
	settle();
	WANT_RESULT(1, 1);
	CHECK_EQUAL(event.events, EPOLLIN);
	WANT(0, sys_close, 0);
	WANT(0, sys_epoll_wait, (u64)set, ADDRESS(&event), 1, 0);
}

int main(void)
{
	fake_begin();
	test_output_is_batched_in_order();
	test_output_is_larger_than_the_buffer();
	test_host_refuses_output();
	test_input();
	test_input_is_polled();
	test_input_with_epoll();
	fake_end();
	return 0;
}
