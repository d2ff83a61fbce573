#include "signal_fake_call.h"

static void test_action(void)
{
	const struct kernel_sigaction action = {HANDLER, ~0ull, 0x403000, ~0ull};
	struct kernel_sigaction *old = (struct kernel_sigaction *)RESULT;

	start();
	*(struct kernel_sigaction *)BUFFER = action;
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigaction, SIGUSR1, BUFFER, RESULT, 8), 0);
	CHECK_EQUAL(old->handler, 0);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigaction, SIGUSR1, 0, RESULT, 8), 0);
	CHECK_EQUAL(old->handler, HANDLER);
	CHECK_EQUAL(old->restorer, 0x403000);
	CHECK_EQUAL(old->mask, ~SIGNALS_ABSOLUTE);
	CHECK_EQUAL(old->flags, 0xdc000007u); /* what Linux knows but for SA_UNSUPPORTED and SA_EXPOSE_TAGBITS */
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigaction, SIGUSR1, 0, RESULT, 16), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigaction, 0, 0, RESULT, 8), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigaction, 65, 0, RESULT, 8), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigaction, ~0ull, 0, RESULT, 8), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigaction, SIGKILL, BUFFER, 0, 8), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigaction, SIGSTOP, BUFFER, 0, 8), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigaction, SIGKILL, 0, RESULT, 8), 0);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigaction, SIGUSR1, BAD, 0, 8), -EFAULT);

	/* Ignoring throws away what is pending. */
	signal_set_blocked(current, ~0ull);
	CHECK_EQUAL(FAKE_CALL(sys_kill, PROCESS_ID, SIGUSR1), 0);
	((struct kernel_sigaction *)BUFFER)->handler = HANDLER_IGNORE;
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigaction, SIGUSR1, BUFFER, 0, 8), 0);
	CHECK_EQUAL(signal_pending(current), 0);
}

static void test_mask(void)
{
	start();
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigprocmask, SIG_BLOCK, put(0xf0), RESULT, 8), 0);
	CHECK_EQUAL(got(), 0);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigprocmask, SIG_UNBLOCK, put(0x30), RESULT, 8), 0);
	CHECK_EQUAL(got(), 0xf0);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigprocmask, 77, 0, RESULT, 8), 0); /* how doesn't count without a set */
	CHECK_EQUAL(got(), 0xc0);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigprocmask, SIG_SETMASK, put(~0ull), 0, 8), 0);
	CHECK_EQUAL(current->signals_blocked, ~SIGNALS_ABSOLUTE);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigprocmask, 3, put(0), 0, 8), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigprocmask, 0, put(0), 0, 4), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigprocmask, 0, BAD, 0, 8), -EFAULT);

	CHECK_EQUAL(FAKE_CALL(sys_tkill, PROCESS_ID, SIGUSR1), 0);
	CHECK_EQUAL(FAKE_CALL(sys_kill, PROCESS_ID, 40), 0);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigpending, RESULT, 8), 0);
	CHECK_EQUAL(got(), signal_bit(SIGUSR1) | signal_bit(40));
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigpending, RESULT, 9), -EINVAL);
}

static void test_altstack(void)
{
	struct signal_stack *new = (struct signal_stack *)BUFFER, *old = (struct signal_stack *)RESULT;

	start();
	CHECK_EQUAL(FAKE_CALL(sys_sigaltstack, 0, RESULT), 0);
	CHECK_EQUAL(old->flags, SS_DISABLE);
	*new = (struct signal_stack){.base = MEMORY + 0x30000, .size = 2047};
	CHECK_EQUAL(FAKE_CALL(sys_sigaltstack, BUFFER, 0), -ENOMEM);
	new->size = 0x2000;
	new->flags = 4;
	CHECK_EQUAL(FAKE_CALL(sys_sigaltstack, BUFFER, 0), -EINVAL);
	new->flags = SS_ONSTACK;
	CHECK_EQUAL(FAKE_CALL(sys_sigaltstack, BUFFER, 0), 0);
	CHECK_EQUAL(FAKE_CALL(sys_sigaltstack, 0, RESULT), 0);
	CHECK_EQUAL(old->base, MEMORY + 0x30000);
	CHECK_EQUAL(old->size, 0x2000);
	CHECK_EQUAL(old->flags, 0);
	CHECK_EQUAL(FAKE_CALL(sys_sigaltstack, BAD, 0), -EFAULT);
	CHECK_EQUAL(FAKE_CALL(sys_sigaltstack, 0, BAD), -EFAULT);

	current->registers.rsp = MEMORY + 0x30000 + 0x1000;
	CHECK_EQUAL(FAKE_CALL(sys_sigaltstack, 0, RESULT), 0);
	CHECK_EQUAL(old->flags, SS_ONSTACK);
	CHECK_EQUAL(FAKE_CALL(sys_sigaltstack, BUFFER, 0), -EPERM);

	current->registers.rsp = STACK;
	new->flags = SS_DISABLE;
	CHECK_EQUAL(FAKE_CALL(sys_sigaltstack, BUFFER, RESULT), 0);
	CHECK_EQUAL(current->altstack.flags, SS_DISABLE);
	CHECK_EQUAL(current->altstack.size, 0);
}

static void test_send(void)
{
	struct siginfo *info = (struct siginfo *)BUFFER;
	struct siginfo taken;
	struct thread *other;

	start();
	other = fake_thread(10);
	on(SIGUSR1, HANDLER, 0);
	CHECK_EQUAL(FAKE_CALL(sys_kill, PROCESS_ID, 0), 0);
	CHECK_EQUAL(FAKE_CALL(sys_kill, 1, 0), -ESRCH);
	CHECK_EQUAL(FAKE_CALL(sys_kill, (u64)-1, SIGUSR1), -ESRCH);
	CHECK_EQUAL(FAKE_CALL(sys_kill, (u64)INT32_MIN, SIGUSR1), -ESRCH);
	CHECK_EQUAL(FAKE_CALL(sys_kill, PROCESS_ID, 65), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_kill, PROCESS_ID, ~0ull), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_kill, 0, SIGUSR1), 0);
	CHECK(signal_take(current, ~0ull, SHARE_ALL, &taken));
	CHECK_EQUAL(taken.code, CODE_USER);
	CHECK_EQUAL(taken.sender.pid, PROCESS_ID);
	CHECK_EQUAL(FAKE_CALL(sys_kill, (u64) - (i64)PROCESS_ID, SIGUSR1), 0);
	CHECK(signal_take(current, ~0ull, SHARE_ALL, &taken));

	CHECK_EQUAL(FAKE_CALL(sys_tkill, 0, SIGUSR1), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_tkill, 11, SIGUSR1), -ESRCH);
	CHECK_EQUAL(FAKE_CALL(sys_tgkill, PROCESS_ID, 0, SIGUSR1), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_tgkill, 3, 10, SIGUSR1), -ESRCH);
	CHECK_EQUAL(FAKE_CALL(sys_tgkill, PROCESS_ID, 10, 65), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_tgkill, PROCESS_ID, 10, 0), 0);
	CHECK_EQUAL(FAKE_CALL(sys_tgkill, PROCESS_ID, 10, SIGUSR1), 0);
	CHECK(!signal_deliverable(current));
	CHECK(signal_take(other, ~0ull, SHARE_ALL, &taken));
	CHECK_EQUAL(taken.code, CODE_TKILL);

	*info = (struct siginfo){.number = 5, .code = CODE_QUEUE, .sender.value = 0x1234};
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigqueueinfo, PROCESS_ID, 40, BUFFER), 0);
	CHECK(signal_take(current, ~0ull, SHARE_ALL, &taken));
	CHECK_EQUAL(taken.number, 40);
	CHECK_EQUAL(taken.sender.value, 0x1234);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigqueueinfo, 3, 40, BUFFER), -ESRCH);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigqueueinfo, PROCESS_ID, 65, BUFFER), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigqueueinfo, PROCESS_ID, 40, BAD), -EFAULT);
	CHECK_EQUAL(FAKE_CALL(sys_rt_tgsigqueueinfo, PROCESS_ID, 10, 40, BUFFER), 0);
	CHECK(signal_take(other, ~0ull, SHARE_ALL, &taken));
	info->code = CODE_KERNEL;
	CHECK_EQUAL(FAKE_CALL(sys_rt_tgsigqueueinfo, PROCESS_ID, 10, 40, BUFFER), -EPERM);
	info->code = CODE_TKILL;
	CHECK_EQUAL(FAKE_CALL(sys_rt_tgsigqueueinfo, PROCESS_ID, 10, 40, BUFFER), -EPERM);
	CHECK_EQUAL(FAKE_CALL(sys_rt_tgsigqueueinfo, PROCESS_ID, PROCESS_ID, 40, BUFFER), 0);
}

int main(void)
{
	fake_memory();
	test_action();
	test_mask();
	test_altstack();
	test_send();
	fake_reset();
	fake_thread_end(current);
	CHECK_EQUAL(slab_objects, 0);
	return 0;
}
