/* Delivery of signals on the way back to the program. */
#include "signal/deliver.h"

#include <asm/errno.h>

#include "airlock_abi.h"
#include "sched/wait.h"
#include "signal/codes.h"
#include "signal/frame.h"
#include "signal/state.h"
#include "trace.h"

#define SYSCALL_LENGTH 2u /* bytes of the SYSCALL instruction */

/* Starts the handler of a signal. False with a fault that says why, if that is impossible. */
static bool start_handler(const struct siginfo *info, const struct trap *trap, struct trap *fault)
{
	u32 number = (u32)info->number;
	const struct kernel_sigaction action = *signal_action(number);
	u64 mask = current->signals_restore ? current->signals_saved : current->signals_blocked;
	u64 blocked = current->signals_blocked | action.mask;
	u64 failed;

	if (action.flags & SA_RESETHAND)
		signal_action(number)->handler = HANDLER_DEFAULT;
	/* On x86-64 the program must bring the code that calls rt_sigreturn; Linux has none either. */
	*fault = (struct trap){.vector = VECTOR_PROTECTION};
	if (!(action.flags & SA_RESTORER))
		return false;
	/* The kernel jumps to the handler from ring 3: at a bad address it would fault itself. */
	*fault = (struct trap){.vector = VECTOR_PAGE, .error_code = PAGE_FAULT_EXEC, .address = action.handler};
	if (action.handler >= AIRLOCK_USER_END)
		return false;
	failed = frame_push(&action, info, trap, mask);
	*fault = (struct trap){.vector = VECTOR_PAGE, .error_code = PAGE_FAULT_WRITE, .address = failed};
	if (failed != 0)
		return false;
	current->signals_restore = false;
	if (!(action.flags & SA_NODEFER))
		blocked |= signal_bit(number);
	signal_set_blocked(current, blocked);
	if (current->altstack.flags & SS_AUTODISARM)
		current->altstack = (struct signal_altstack){.flags = SS_DISABLE};
	trace_signal(number, trap == NULL ? 0 : trap->address);
	return true;
}

/* Runs the handler. trap is what caused the signal, or NULL if it was sent. */
static void handle(const struct siginfo *info, const struct trap *trap)
{
	const struct siginfo again = {.number = SIGSEGV, .code = CODE_KERNEL};
	struct trap fault;

	if (start_handler(info, trap, &fault))
		return;
	/* As Linux does: another handler for SIGSEGV may have a stack of its own. */
	if (info->number == SIGSEGV)
		signal_kill(SIGSEGV, trap != NULL ? trap : &fault);
	signal_force(&again, trap != NULL ? trap : &fault);
}

void signal_force(const struct siginfo *info, const struct trap *trap)
{
	u32 number = (u32)info->number;

	if (!signal_is_handled(number) || (current->signals_blocked & signal_bit(number)))
		signal_kill(number, trap);
	handle(info, trap);
}

/* True if RAX holds the result of a call that wants to be made again, and not by chance a number of the program. */
static bool ended_in_restart(const struct registers *registers)
{
	/* SYSCALL leaves RIP in RCX, and no call returns this value to the program. */
	return registers->rax == (u64)CALL_RESTART && registers->rcx == registers->rip;
}

static void make_call_again(struct registers *registers)
{
	registers->rax = current->call.number;
	registers->rip -= SYSCALL_LENGTH;
}

static void restore_mask(void)
{
	current->signals_restore = false;
	signal_set_blocked(current, current->signals_saved);
}

/* signal(7), "Interruption of system calls and library functions by signal handlers". */
static void resolve_restart(u32 number)
{
	if (signal_is_handled(number) && !(signal_action(number)->flags & SA_RESTART))
		current->registers.rax = (u64)-EINTR;
	else
		make_call_again(&current->registers);
}

void signal_deliver(void)
{
	struct registers *registers = &current->registers;
	bool restart = ended_in_restart(registers);
	struct siginfo info;

	/* A call that succeeded was not interrupted: what its mask alone let in stays pending. */
	if (current->signals_restore && !restart && registers->rax != (u64)-EINTR)
		restore_mask();
	for (;;) {
		while (signal_take(current, ~current->signals_blocked, SHARE_DIRECTED, &info)) {
			if (restart && !signal_is_ignored((u32)info.number)) {
				resolve_restart((u32)info.number);
				restart = false;
			}
			if (signal_is_handled((u32)info.number))
				handle(&info, NULL);
			else if (!signal_is_ignored((u32)info.number))
				signal_kill((u32)info.number, NULL);
		}
		if (restart)
			make_call_again(registers);
		restart = false;
		if (!current->signals_restore)
			return;
		restore_mask();
	}
}

void signal_mask_temporarily(u64 mask)
{
	if (current->call.again)
		return;
	current->signals_saved = current->signals_blocked;
	current->signals_restore = true;
	signal_set_blocked(current, mask);
}
