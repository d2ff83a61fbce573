/* Records of system calls in the trace part of the stdio buffer. */
#include "trace.h"

#include <asm/unistd_64.h>

#include "arch/hypercall.h"
#include "lib/string.h"
#include "mm/user.h"
#include "sched/clock.h"
#include "sys/table.h"

/*
 * The count is in the control page at all times, so that the host can print
 * what is there when it stops the program.
 */
static u32 *count(void) { return &control_page()->trace.count; }

static bool tracing(void) { return (control_page()->boot.flags & AIRLOCK_BOOT_TRACE) != 0; }

static struct airlock_trace_record *records(void)
{
	return (struct airlock_trace_record *)stdio_trace();
}

#define CAPACITY (AIRLOCK_STDIO_TRACE_SIZE / sizeof(struct airlock_trace_record))

void trace_flush(void)
{
	if (*count() == 0)
		return;
	hypercall(AIRLOCK_PORT_TRACE);
	*count() = 0;
}

static struct airlock_trace_record *add(u32 kind)
{
	struct airlock_trace_record *record;

	if (*count() >= CAPACITY)
		trace_flush();
	record = &records()[(*count())++];
	memset(record, 0, sizeof(*record));
	record->kind = kind;
	record->thread = current->id;
	return record;
}

/* Which argument of a call is worth reading as text: its address and size. */
static bool text_argument(u32 number, const u64 *arg, i64 result, u64 *address, u64 *size)
{
	switch (number) {
	case __NR_open:
	case __NR_stat:
	case __NR_lstat:
	case __NR_access:
	case __NR_readlink:
	case __NR_execve:
	case __NR_unlink:
	case __NR_mkdir:
	case __NR_chdir:
		*address = arg[0];
		*size = AIRLOCK_TRACE_TEXT;
		return true;
	case __NR_openat:
	case __NR_newfstatat:
	case __NR_statx:
	case __NR_faccessat:
	case __NR_faccessat2:
	case __NR_readlinkat:
		*address = arg[1];
		*size = AIRLOCK_TRACE_TEXT;
		return true;
	case __NR_read:
	case __NR_write:
		*address = arg[1];
		*size = result > 0 ? (u64)result : 0;
		return true;
	default:
		return false;
	}
}

/* Copies the text; of a path no more than to its end. */
static void add_text(struct airlock_trace_record *record, i64 result)
{
	u64 address, size;
	bool path = record->number != __NR_read && record->number != __NR_write;

	if (!text_argument(record->number, record->args, result, &address, &size))
		return;
	size = MIN(size, (u64)AIRLOCK_TRACE_TEXT);
	for (u32 i = 0; i < size; i++) {
		if (!user_readable(address + i, 1) || (path && *(const char *)(address + i) == 0))
			break;
		record->text[i] = *(const char *)(address + i);
		record->text_length = i + 1;
	}
}

static struct airlock_trace_record *add_call(const struct call *call, u32 kind)
{
	struct airlock_trace_record *record = add(kind);

	record->number = call->number;
	record->time = call->started;
	record->duration = clock_monotonic() - call->started;
	syscall_arguments(&current->registers, record->args);
	return record;
}

void trace_begin(struct call *call)
{
	if (tracing())
		call->started = clock_monotonic();
}

void trace_end(const struct call *call, i64 result)
{
	struct airlock_trace_record *record;

	if (!tracing())
		return;
	record = add_call(call, syscall_known(call->number) ? AIRLOCK_TRACE_CALL : AIRLOCK_TRACE_UNKNOWN);
	record->result = result;
	add_text(record, result);
}

void trace_noreturn(void)
{
	if (tracing())
		add_call(&current->call, AIRLOCK_TRACE_NORETURN);
}

void trace_signal(u32 number, u64 address)
{
	struct airlock_trace_record *record;

	if (!tracing())
		return;
	record = add(AIRLOCK_TRACE_SIGNAL);
	record->number = number;
	record->time = clock_monotonic();
	record->args[0] = address;
}
