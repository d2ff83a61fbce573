/*
 * Standard input, output and error. To the program they are the ends of pipes,
 * whatever they are on the host.
 *
 * Leaving the VM is what costs, so bytes travel in batches: output is
 * collected until the buffer is full, the descriptor changes or the scheduler
 * asks; input is fetched ahead.
 */
#include <asm/errno.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "arch/hypercall.h"
#include "file/file.h"
#include "file/transfer.h"
#include "lib/string.h"

/* Errors from the host: below are results that mean something else (sched/wait.h). */
#define LOWEST_ERROR (-4095)

struct file console_files[3];

/* What lies in the output buffer. One for both descriptors, so that their order stays. */
static struct {
	u32 descriptor;
	u32 length;
	i32 error[3]; /* by descriptor: the negative errno that the host gave for it */
} output;

/* Bytes of stdin that the program hasn't read. The input buffer itself is the host's to reuse. */
static struct {
	u8 bytes[AIRLOCK_STDIO_INPUT_SIZE];
	u32 start, end;
	bool waiting; /* the host has nothing and will raise an event */
	bool ended;   /* the host said so when it was last asked */
} input;

bool console_pending(void) { return output.length > 0; }

void console_flush(void)
{
	struct airlock_output *request = &control_page()->output;

	if (output.length == 0)
		return;
	request->descriptor = output.descriptor;
	request->length = output.length;
	request->result = 0;
	output.length = 0;
	control_page()->leave &= ~AIRLOCK_LEAVE_OUTPUT;
	hypercall(AIRLOCK_PORT_OUTPUT);
	if (request->result < 0)
		output.error[output.descriptor] = MAX(request->result, LOWEST_ERROR);
}

static u32 descriptor_of(const struct file *file) { return (u32)(file - console_files); }

static i64 console_write(struct file *file, struct transfer *transfer)
{
	u32 descriptor = descriptor_of(file);
	i64 moved = 0, result = 0;

	while (transfer->left > 0) {
		if (output.descriptor != descriptor || output.length >= AIRLOCK_STDIO_OUTPUT_SIZE)
			console_flush();
		output.descriptor = descriptor;
		result = output.error[descriptor];
		if (result == 0)
			result = transfer_from_program(transfer, stdio_output() + output.length,
			                               AIRLOCK_STDIO_OUTPUT_SIZE - output.length);
		if (result <= 0)
			break;
		output.length += (u32)result;
		control_page()->leave |= AIRLOCK_LEAVE_OUTPUT; /* what is printed in a call comes before its result */
		moved += result;
	}
	return moved > 0 ? moved : result;
}

/* Asks the host for input, unless it has said that it has none. */
static i64 fetch(void)
{
	struct airlock_input *request = &control_page()->input;
	const u32 want = sizeof(input.bytes);

	if (input.waiting)
		return -EAGAIN;
	request->want = want;
	request->result = -EIO;
	hypercall(AIRLOCK_PORT_INPUT);
	if (request->result < 0) {
		input.waiting = request->result == -EAGAIN;
		return MAX(request->result, LOWEST_ERROR);
	}
	input.start = 0;
	input.end = MIN((u32)request->result, want);
	input.ended = input.end == 0;
	memcpy(input.bytes, stdio_input(), input.end);
	return input.end;
}

static i64 console_read(struct file *file, struct transfer *transfer)
{
	i64 result;

	(void)file;
	if (transfer->left == 0)
		return 0;
	if (input.start == input.end) {
		result = fetch();
		if (result == -EAGAIN)
			console_flush(); /* what is asked for comes before the answer */
		if (result <= 0)
			return result;
	}
	result = transfer_to_program(transfer, input.bytes + input.start, input.end - input.start);
	if (result > 0)
		input.start += (u32)result;
	return result;
}

void console_input_event(void)
{
	input.waiting = input.ended = false;
	waitqueue_wake(&console_files[0].queue);
}

static u32 poll_input(struct file *file)
{
	i64 result = 0;

	(void)file;
	if (input.start == input.end && !input.ended)
		result = fetch();
	if (input.start < input.end || (result < 0 && result != -EAGAIN))
		return EPOLLIN | EPOLLRDNORM;
	return input.ended ? EPOLLHUP : 0;
}

static u32 available_input(struct file *file)
{
	poll_input(file);
	return input.end - input.start;
}

static u32 poll_output(struct file *file)
{
	return EPOLLOUT | EPOLLWRNORM | (output.error[descriptor_of(file)] != 0 ? EPOLLERR : 0);
}

static const struct file_operations input_operations = {
	.name = "pipe:",
	.mode = S_IFIFO | 0600,
	.read = console_read,
	.poll = poll_input,
	.available = available_input,
};

static const struct file_operations output_operations = {
	.name = "pipe:",
	.mode = S_IFIFO | 0600,
	.write = console_write,
	.poll = poll_output,
};

void console_init(void)
{
	file_init(&console_files[0], &input_operations, O_RDONLY);
	file_init(&console_files[1], &output_operations, O_WRONLY);
	file_init(&console_files[2], &output_operations, O_WRONLY);
}
