// Puts a value into one field of what it shares with the host and makes one hypercall, past its
// kernel, or lets the kernel live with the value if the port is 0: the tests walk over all fields
// with it. The page is that of control, the clock, the outbox, which the host of a hot call watches,
// or a record of the trace in the stdio buffer; the last argument, in hexadecimal, is what lies in the message buffer.
// call: Attack
// want: any
// args: control 0 8 0xffffffffffffffff 0
// args: clock 0 4 1 0
// args: outbox 0 4 0xfffffffb 0
#include "attack.h"
#include <ctype.h>

static uint64_t next_number(const char **how)
{
	char *end;
	uint64_t n = strtoull(*how, &end, 0);
	*how = end;
	return n;
}

// put_message decodes a message into the output buffer and returns its length.
static size_t put_message(const char *hex)
{
	uint8_t *out = (uint8_t *)message_info().output;
	size_t length = 0;
	while (isblank((unsigned char)*hex)) {
		hex++;
	}
	for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
		out[length++] = (uint8_t)byte;
	}
	return length;
}

// prepare makes all that the host will read right.
static void prepare(uint64_t port, const char *message)
{
	CONTROL->exit.status = 3;
	CONTROL->fault.kind = AIRLOCK_FAULT_PAGE;
	CONTROL->fault.access = AIRLOCK_ACCESS_READ;
	CONTROL->fault.signal = SIGSEGV;
	CONTROL->panic.vector = 14;
	CONTROL->panic.length = 4;
	memcpy((char *)CONTROL->panic.text, "text", 4);
	CONTROL->output.descriptor = 1;
	CONTROL->output.length = 16;
	CONTROL->input.want = 16;
	CONTROL->wait.deadline = 0;
	CONTROL->trace.count = port == AIRLOCK_PORT_TRACE; // others would be seen at the next flush
	CONTROL->message.length = put_message(message);
}

static const char *attack(struct airlock_call *call, const char *how)
{
	uint64_t base = is(how, "clock") ? AIRLOCK_CLOCK_GPA : is(how, "outbox") ? AIRLOCK_OUTBOX_GPA : 0;
	struct airlock_trace_record record = {.kind = AIRLOCK_TRACE_CALL, .thread = 2, .number = SYS_read, .text_length = 3};
	(void)call;
	if (is(how, "trace")) {
		base = CONTROL->boot.stdio_gpa + AIRLOCK_STDIO_OUTPUT_SIZE;
	}
	how = strchr(how, ' ');
	uint64_t offset = next_number(&how), size = next_number(&how), value = next_number(&how), port = next_number(&how);
	prepare(port, how);
	memcpy((void *)(AIRLOCK_PHYSMAP + CONTROL->boot.stdio_gpa + AIRLOCK_STDIO_OUTPUT_SIZE), &record, sizeof record);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy((void *)(AIRLOCK_PHYSMAP + base + offset), &value, size);
	for (int i = 0; i < 20000 && base == AIRLOCK_OUTBOX_GPA; i++) { // so that the host may see it
		__asm__ volatile("pause");
	}
	if (port) {
		hypercall((uint16_t)port);
	} else {
		use_kernel();
	}
	return "done";
}
