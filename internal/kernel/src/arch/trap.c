/* The first C code on every way into the kernel. */
#include "arch/trap.h"

#include "airlock_abi.h"
#include "arch/hypercall.h"
#include "arch/layout.h"
#include "mm/fault.h"
#include "panic.h"
#include "sched/thread.h"
#include "signal/signal.h"
#include "trace.h"

_Static_assert(offsetof(struct registers, rip) == REGISTERS_RIP, "arch/layout.h");
_Static_assert(sizeof(struct registers) == REGISTERS_SIZE, "arch/layout.h");
_Static_assert(offsetof(struct thread, registers) == 0, "arch/entry.S");

extern const u8 kernel_text_start[], kernel_text_end[];

void syscall_enter(void)
{
	struct call *call = &current->call;

	*call = (struct call){
		.number = (u32)current->registers.rax,
		.active = true,
		.deadline = NEVER,
	};
	trace_begin(call);
	sched_resume();
}

void trap_enter(u32 vector, u32 error_code, u64 address)
{
	const struct trap trap = {
		.vector = vector,
		.error_code = error_code,
		.address = vector == VECTOR_PAGE ? address : 0,
	};

	/* A program that jumped to where nothing is, or above its own half, is not the kernel. */
	if (current->registers.rip - (u64)kernel_text_start < (u64)kernel_text_end - (u64)kernel_text_start)
		panic_trap(&trap, current->registers.rip);
	if (vector != VECTOR_PAGE)
		signal_fault(&trap, false);
	else
		page_fault(&trap);
	sched_resume();
}

void tick_enter(void)
{
	sched_tick();
	sched_resume();
}
