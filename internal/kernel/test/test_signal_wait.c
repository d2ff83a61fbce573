#include "signal_fake_call.h"

static void test_restart(void)
{
	/* A handler that doesn't restart. */
	start();
	on(SIGUSR1, HANDLER, 0);
	FAKE_CALL(sys_kill, PROCESS_ID, SIGUSR1);
	end_call(202, CALL_RESTART);
	CHECK_EQUAL(current->registers.rip, HANDLER);
	CHECK_EQUAL(frame()->context.registers.rax, -EINTR);
	CHECK_EQUAL(frame()->context.registers.rip, SYSCALL_RIP);

	/* One that does. */
	start();
	on(SIGUSR1, HANDLER, SA_RESTART);
	FAKE_CALL(sys_kill, PROCESS_ID, SIGUSR1);
	end_call(202, CALL_RESTART);
	CHECK_EQUAL(frame()->context.registers.rax, 202);
	CHECK_EQUAL(frame()->context.registers.rip, SYSCALL_RIP - 2);

	/* None. */
	start();
	end_call(202, CALL_RESTART);
	CHECK_EQUAL(current->registers.rax, 202);
	CHECK_EQUAL(current->registers.rip, SYSCALL_RIP - 2);

	/* The first handler decides; the second interrupts the first before its first instruction. */
	start();
	on(SIGUSR1, HANDLER, 0);
	on(SIGUSR2, HANDLER + 16, SA_RESTART);
	FAKE_CALL(sys_kill, PROCESS_ID, SIGUSR1);
	FAKE_CALL(sys_kill, PROCESS_ID, SIGUSR2);
	end_call(202, CALL_RESTART);
	CHECK_EQUAL(current->registers.rip, HANDLER + 16);
	CHECK_EQUAL(frame()->context.registers.rip, HANDLER);
	CHECK_EQUAL(frame()->context.registers.rax, 0);

	/* A signal that came to nothing doesn't decide. */
	start();
	signal_set_blocked(current, signal_bit(SIGCHLD));
	FAKE_CALL(sys_kill, PROCESS_ID, SIGCHLD);
	signal_set_blocked(current, 0);
	end_call(202, CALL_RESTART);
	CHECK_EQUAL(current->registers.rax, 202);
	CHECK_EQUAL(signal_pending(current), 0);

	/* The same number in RAX of a thread that was preempted is its own. */
	start();
	current->registers.rcx = 1;
	end_call(202, CALL_RESTART);
	CHECK_EQUAL(current->registers.rax, (u64)CALL_RESTART);
	CHECK_EQUAL(current->registers.rip, SYSCALL_RIP);
}

static void test_suspend(void)
{
	/* The signal comes while the thread waits. */
	start();
	on(SIGUSR1, HANDLER, SA_RESTART);
	signal_set_blocked(current, signal_bit(SIGUSR1) | signal_bit(SIGUSR2));
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigsuspend, put(signal_bit(SIGHUP)), 8), CALL_BLOCKED);
	CHECK_EQUAL(current->signals_blocked, signal_bit(SIGHUP));
	CHECK_EQUAL(fake_call(sys_kill, (const u64[6]){PROCESS_ID, SIGUSR1}), 0);
	CHECK_EQUAL(current->state, THREAD_RUNNABLE);
	CHECK_EQUAL(fake_call(sys_rt_sigsuspend, (const u64[6]){BUFFER, 8}), -EINTR);
	end_call(130, -EINTR);
	CHECK_EQUAL(current->registers.rip, HANDLER);
	CHECK_EQUAL(frame()->context.registers.rax, -EINTR);
	CHECK_EQUAL(frame()->context.mask, signal_bit(SIGUSR1) | signal_bit(SIGUSR2));
	CHECK_EQUAL(current->signals_blocked, signal_bit(SIGHUP) | signal_bit(SIGUSR1));
	CHECK(!current->signals_restore);

	/* It was there before. */
	start();
	on(SIGUSR1, HANDLER, 0);
	signal_set_blocked(current, signal_bit(SIGUSR1));
	FAKE_CALL(sys_kill, PROCESS_ID, SIGUSR1);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigsuspend, put(0), 8), -EINTR);
	end_call(130, -EINTR);
	CHECK_EQUAL(frame()->context.mask, signal_bit(SIGUSR1));

	CHECK_EQUAL(FAKE_CALL(sys_rt_sigsuspend, put(0), 4), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigsuspend, BAD, 8), -EFAULT);

	start();
	on(SIGUSR1, HANDLER, SA_RESTART);
	CHECK_EQUAL(FAKE_CALL(sys_pause, 0), CALL_BLOCKED);
	fake_call(sys_kill, (const u64[6]){PROCESS_ID, SIGUSR1});
	CHECK_EQUAL(fake_call(sys_pause, (const u64[6]){0}), -EINTR);
}

/* Like ppoll: a call with a mask of its own that succeeds. */
static void test_temporary_mask(void)
{
	start();
	on(SIGUSR1, HANDLER, 0);
	signal_set_blocked(current, signal_bit(SIGUSR1));
	current->call = (struct call){0};
	signal_mask_temporarily(0);
	CHECK_EQUAL(current->signals_blocked, 0);
	current->call.again = true;
	signal_mask_temporarily(0xff);
	CHECK_EQUAL(current->signals_blocked, 0);
	fake_call(sys_kill, (const u64[6]){PROCESS_ID, SIGUSR1});
	end_call(271, 1);
	CHECK_EQUAL(current->registers.rip, SYSCALL_RIP);
	CHECK_EQUAL(current->registers.rax, 1);
	CHECK_EQUAL(current->signals_blocked, signal_bit(SIGUSR1));
	CHECK_EQUAL(signal_pending(current), signal_bit(SIGUSR1));

	/* One whose EINTR comes to nothing puts the mask back too, and what that lets in is delivered. */
	start();
	on(SIGUSR1, HANDLER, 0);
	current->call = (struct call){0};
	signal_mask_temporarily(signal_bit(SIGUSR1));
	fake_call(sys_kill, (const u64[6]){PROCESS_ID, SIGUSR1});
	end_call(271, -EINTR);
	CHECK_EQUAL(current->registers.rip, HANDLER);
	CHECK_EQUAL(frame()->context.mask, 0);
	CHECK_EQUAL(frame()->context.registers.rax, -EINTR);
}

static void test_timedwait(void)
{
	const u64 set = signal_bit(SIGUSR1) | signal_bit(40);
	struct __kernel_timespec *timeout = (struct __kernel_timespec *)(BUFFER + 64);

	start();
	signal_set_blocked(current, set);
	timeout->tv_sec = 0;
	timeout->tv_nsec = 0;
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigtimedwait, put(set), RESULT, BUFFER + 64, 8), -EAGAIN);
	FAKE_CALL(sys_kill, PROCESS_ID, 40);
	FAKE_CALL(sys_tkill, PROCESS_ID, SIGUSR1);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigtimedwait, put(set), RESULT, BUFFER + 64, 8), SIGUSR1);
	CHECK_EQUAL(got_info()->number, SIGUSR1);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigtimedwait, put(set), 0, BUFFER + 64, 8), 40);

	/* Blocked until it comes. */
	timeout->tv_sec = 5;
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigtimedwait, put(set), RESULT, BUFFER + 64, 8), CALL_BLOCKED);
	CHECK_EQUAL(current->call.deadline, fake_now + 5000000000ull);
	CHECK_EQUAL(fake_call(sys_kill, (const u64[6]){PROCESS_ID, 40}), 0);
	CHECK_EQUAL(current->state, THREAD_RUNNABLE);
	CHECK_EQUAL(fake_call(sys_rt_sigtimedwait, (const u64[6]){BUFFER, RESULT, BUFFER + 64, 8}), 40);
	CHECK_EQUAL(current->signals_waited, 0);

	/* Another signal's handler ends it. */
	on(SIGHUP, HANDLER, SA_RESTART);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigtimedwait, put(set), RESULT, 0, 8), CALL_BLOCKED);
	CHECK_EQUAL(fake_call(sys_kill, (const u64[6]){PROCESS_ID, SIGHUP}), 0);
	CHECK_EQUAL(fake_call(sys_rt_sigtimedwait, (const u64[6]){BUFFER, RESULT, 0, 8}), -EINTR);

	/* The deadline. */
	start();
	signal_set_blocked(current, set);
	timeout->tv_sec = 1;
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigtimedwait, put(set), RESULT, BUFFER + 64, 8), CALL_BLOCKED);
	current->call.timed_out = true;
	CHECK_EQUAL(sys_rt_sigtimedwait((const u64[6]){BUFFER, RESULT, BUFFER + 64, 8}), -EAGAIN);

	timeout->tv_nsec = 1000000000;
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigtimedwait, put(set), RESULT, BUFFER + 64, 8), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigtimedwait, put(set), RESULT, 0, 4), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_rt_sigtimedwait, BAD, RESULT, 0, 8), -EFAULT);
}

int main(void)
{
	fake_memory();
	test_restart();
	test_suspend();
	test_temporary_mask();
	test_timedwait();
	fake_reset();
	fake_thread_end(current);
	CHECK_EQUAL(slab_objects, 0);
	return 0;
}
