/* The end of a program by a signal. */
#include "airlock_abi.h"
#include "arch/hypercall.h"
#include "file/file.h"
#include "signal/deliver.h"
#include "trace.h"

static enum airlock_fault_kind kind_of(const struct trap *trap)
{
	if (trap == NULL)
		return AIRLOCK_FAULT_SIGNAL;
	switch (trap->vector) {
	case VECTOR_PAGE:
		return AIRLOCK_FAULT_PAGE;
	case VECTOR_DIVIDE:
		return AIRLOCK_FAULT_DIVIDE;
	case VECTOR_OPCODE:
		return AIRLOCK_FAULT_OPCODE;
	case VECTOR_BREAKPOINT:
		return AIRLOCK_FAULT_BREAKPOINT;
	case VECTOR_DEBUG:
		return AIRLOCK_FAULT_DEBUG;
	case VECTOR_X87:
	case VECTOR_SIMD:
		return AIRLOCK_FAULT_FLOAT;
	case VECTOR_ALIGNMENT:
		return AIRLOCK_FAULT_ALIGNMENT;
	default:
		return AIRLOCK_FAULT_PROTECTION;
	}
}

static enum airlock_access access_of(const struct trap *trap)
{
	if (trap == NULL || trap->vector != VECTOR_PAGE)
		return AIRLOCK_ACCESS_NONE;
	if (trap->error_code & PAGE_FAULT_EXEC)
		return AIRLOCK_ACCESS_EXEC;
	return trap->error_code & PAGE_FAULT_WRITE ? AIRLOCK_ACCESS_WRITE : AIRLOCK_ACCESS_READ;
}

void signal_kill(u32 number, const struct trap *trap)
{
	console_flush();
	trace_flush();
	control_page()->fault = (struct airlock_fault){
		.kind = kind_of(trap),
		.access = access_of(trap),
		.signal = number,
		.thread = current->id,
		.address = trap != NULL && trap->vector == VECTOR_PAGE ? trap->address : 0,
		.rip = current->registers.rip,
		.rsp = current->registers.rsp,
	};
	hypercall_last(AIRLOCK_PORT_FAULT);
}
