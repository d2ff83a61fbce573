/* Alternate signal stacks: sigaltstack(2). */
#include "mm/user.h"
#include "signal/frame.h"
#include "signal/state.h"
#include "signal/syscalls.h"

#define STACK_MINIMUM 2048u /* MINSIGSTKSZ */

bool altstack_contains(const struct signal_altstack *stack, u64 address)
{
	return address > stack->base && address - stack->base <= stack->size;
}

bool altstack_in_use(const struct signal_altstack *stack, u64 rsp)
{
	/* SS_AUTODISARM takes the stack away while a handler runs on it, so nobody is ever on it. */
	if (stack->flags & (SS_DISABLE | SS_AUTODISARM))
		return false;
	return altstack_contains(stack, rsp);
}

int altstack_set(const struct signal_stack *stack, u64 rsp)
{
	u32 mode = stack->flags & ~SS_AUTODISARM;

	if (altstack_in_use(&current->altstack, rsp))
		return -EPERM;
	/* SS_ONSTACK as a mode is historical and means nothing. */
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		current->altstack = (struct signal_altstack){.flags = stack->flags};
		return 0;
	}
	if (stack->size < STACK_MINIMUM)
		return -ENOMEM;
	current->altstack = (struct signal_altstack){
		.base = stack->base,
		.size = stack->size,
		.flags = stack->flags & SS_AUTODISARM,
	};
	return 0;
}

i64 sys_sigaltstack(const u64 *arg)
{
	u64 rsp = current->registers.rsp;
	struct signal_stack old = {
		.base = current->altstack.base,
		.flags = current->altstack.flags,
		.size = current->altstack.size,
	};
	struct signal_stack new;
	int result;

	if (altstack_in_use(&current->altstack, rsp))
		old.flags |= SS_ONSTACK;
	if (arg[0] != 0) {
		if (copy_from_user(&new, arg[0], sizeof(new)) < 0)
			return -EFAULT;
		result = altstack_set(&new, rsp);
		if (result < 0)
			return result;
	}
	if (arg[1] != 0 && copy_to_user(arg[1], &old, sizeof(old)) < 0)
		return -EFAULT;
	return 0;
}
