/*
 * AIRLOCK_SYSCALL (airlock_abi.h). The kernel maps the message buffers for the
 * program and passes hypercalls on; what the messages say is between program
 * and host.
 */
#include "sys/message.h"

#include <linux/mman.h>

#include "airlock_abi.h"
#include "arch/hypercall.h"
#include "file/file.h"
#include "mm/fault.h"
#include "mm/pagetable.h"
#include "mm/prepare.h"
#include "mm/space.h"
#include "mm/user.h"
#include "sched/sched.h"
#include "trace.h"

/* Maps shared memory above what programs may unmap, once. */
static i64 map(u64 address, u64 gpa, u64 size, u32 prot)
{
	if (regions_find(&user_regions, address) != NULL)
		return 0;
	if (regions_insert(&user_regions, address, address + size, prot, REGION_FIXED) < 0)
		return -ENOMEM;
	for (u64 offset = 0; offset < size; offset += PAGE_SIZE) {
		u64 *entry = pagetable_entry(address + offset, true);

		if (entry == NULL)
			out_of_memory(address);
		*entry = pagetable_value(gpa + offset, prot);
	}
	return 0;
}

/* Maps both buffers and the outbox, one behind the other. */
static i64 map_buffers(void)
{
	const struct airlock_boot *boot = &control_page()->boot;
	u64 input = AIRLOCK_MESSAGES + boot->output_size;

	if (map(AIRLOCK_MESSAGES, boot->output_gpa, boot->output_size, PROT_READ | PROT_WRITE) < 0 ||
	    map(input, boot->input_gpa, boot->input_size, PROT_READ) < 0 ||
	    map(input + boot->input_size, AIRLOCK_OUTBOX_GPA, PAGE_SIZE, PROT_READ | PROT_WRITE) < 0)
		return -ENOMEM;
	if (boot->flags & AIRLOCK_BOOT_TRACE)
		control_page()->leave |= AIRLOCK_LEAVE_TRACE;
	return 0;
}

static i64 give_info(u64 address)
{
	const struct airlock_boot *boot = &control_page()->boot;
	const struct airlock_info info = {
		.abi_version = AIRLOCK_ABI_VERSION,
		.serve = (boot->flags & AIRLOCK_BOOT_SERVE) != 0,
		.output = AIRLOCK_MESSAGES,
		.output_size = boot->output_size,
		.input = AIRLOCK_MESSAGES + boot->output_size,
		.input_size = boot->input_size,
		.generation = AIRLOCK_VVAR + offsetof(struct airlock_clock, generation),
		.inbox = AIRLOCK_VVAR + offsetof(struct airlock_clock, inbox),
		.outbox = AIRLOCK_MESSAGES + boot->output_size + boot->input_size,
		.message = (u64)&control_page()->message,
		.leave = (u64)&control_page()->leave,
	};
	i64 result = map_buffers();

	return result < 0 ? result : copy_to_user(address, &info, sizeof(info));
}

static i64 send(u16 port, u64 length, u32 sequence)
{
	struct airlock_message *message = &control_page()->message;

	if (!(control_page()->boot.flags & AIRLOCK_BOOT_SERVE))
		return -ENOTCONN;
	if (length > control_page()->boot.output_size)
		return -EMSGSIZE;
	console_flush();
	if (port == AIRLOCK_PORT_NEXT)
		trace_flush();
	message->length = length;
	message->sequence = sequence;
	message->answer = 0;
	message->result = -EIO;
	hypercall(port);
	sched_events();
	return message->result < 0 ? message->result : (i64)message->answer;
}

/* Sends what ended a call, if there was one, and waits for the next. */
static i64 next(u64 length, u32 sequence)
{
	static bool served;

	if (!served)
		memory_prepare();
	served = true;
	return send(AIRLOCK_PORT_NEXT, length, sequence);
}

i64 sys_airlock(const u64 *arg)
{
	switch ((u32)arg[0]) {
	case AIRLOCK_OPERATION_INFO:
		return give_info(arg[1]);
	case AIRLOCK_OPERATION_DECLARE:
		return send(AIRLOCK_PORT_DECLARE, arg[1], 0);
	case AIRLOCK_OPERATION_NEXT:
		return next(arg[1], (u32)arg[2]);
	case AIRLOCK_OPERATION_HOST:
		return send(AIRLOCK_PORT_HOST, arg[1], (u32)arg[2]);
	case AIRLOCK_OPERATION_LOG:
		return send(AIRLOCK_PORT_LOG, arg[1], 0);
	case AIRLOCK_OPERATION_ABORT:
		return send(AIRLOCK_PORT_ABORT, arg[1], 0);
	default:
		return -EINVAL;
	}
}
