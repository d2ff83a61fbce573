#include "signal_fake_kill.h"

#include <asm/errno.h>
#include <linux/time_types.h>

#include "signal/codes.h"
#include "signal/frame.h"
#include "signal/syscalls.h"
#include "sys/time.h"

#define HANDLER 0x401000ull
#define SYSCALL_RIP 0x404002ull /* behind the instruction */
#define STACK (MEMORY + 0x20000)
#define BUFFER (MEMORY + 0x8000) /* for arguments */
#define RESULT (MEMORY + 0x9000)
#define BAD 0x1000ull

static void start(void)
{
	fake_reset();
	memset((void *)BUFFER, 0, 0x2000);
	current->registers.rsp = STACK;
	current->registers.rip = current->registers.rcx = SYSCALL_RIP;
}

static u64 put(u64 value)
{
	*(u64 *)BUFFER = value;
	return BUFFER;
}

static u64 got(void) { return *(u64 *)RESULT; }

static struct siginfo *got_info(void) { return (struct siginfo *)RESULT; }

static void on(u32 number, u64 handler, u64 flags)
{
	*signal_action(number) = (struct kernel_sigaction){
		.handler = handler,
		.flags = flags | SA_RESTORER,
		.restorer = 0x403000,
	};
}

/* As sched/sched.c does when a call has ended. */
static void end_call(u32 number, i64 result)
{
	current->call.number = number;
	current->registers.rax = (u64)result;
	signal_deliver();
}

static const struct signal_frame *frame(void) { return (const struct signal_frame *)current->registers.rsp; }

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

static void test_sleep(void)
{
	struct __kernel_timespec *time = (struct __kernel_timespec *)BUFFER, *left = (struct __kernel_timespec *)RESULT;
	const u64 arg[6] = {BUFFER, RESULT};

	start();
	on(SIGUSR1, HANDLER, SA_RESTART);
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BUFFER, 0), 0);
	time->tv_sec = 2;
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BUFFER, RESULT), CALL_BLOCKED);
	CHECK_EQUAL(current->call.deadline, fake_now + 2000000000ull);
	fake_now += 500000000;
	fake_call(sys_kill, (const u64[6]){PROCESS_ID, SIGUSR1});
	CHECK_EQUAL(fake_call(sys_nanosleep, arg), -EINTR);
	CHECK_EQUAL(left->tv_sec, 1);
	CHECK_EQUAL(left->tv_nsec, 500000000);

	start();
	time->tv_sec = 2;
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BUFFER, RESULT), CALL_BLOCKED);
	fake_now += 2000000000;
	current->call.timed_out = true;
	CHECK_EQUAL(sys_nanosleep(arg), 0);
	CHECK_EQUAL(got(), 0);

	time->tv_sec = -1;
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BUFFER, 0), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BAD, 0), -EFAULT);
	time->tv_sec = INT64_MAX;
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BUFFER, 0), CALL_BLOCKED);

	*time = (struct __kernel_timespec){.tv_sec = (i64)((fake_now + fake_offset) / 1000000000 + 10)};
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 0, 1, BUFFER, 0), CALL_BLOCKED);
	CHECK_EQUAL(current->call.deadline + fake_offset, (u64)time->tv_sec * 1000000000);
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 1, 1, BUFFER, 0), CALL_BLOCKED);
	CHECK_EQUAL(current->call.deadline, (u64)time->tv_sec * 1000000000);
	time->tv_sec = 0;
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 0, 1, BUFFER, 0), 0);
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 3, 0, BUFFER, 0), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 4, 0, BUFFER, 0), -EOPNOTSUPP);
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 99, 0, BUFFER, 0), -EINVAL);
}

static void test_clocks(void)
{
	struct __kernel_timespec *time = (struct __kernel_timespec *)RESULT;
	struct thread *other;
	u64 ns;

	start();
	other = fake_thread(10);
	other->cpu_time = 5000;
	fake_cpu = 3000;
	for (i32 clock = 0; clock < 12; clock++) {
		CHECK_EQUAL(FAKE_CALL(sys_clock_gettime, (u64)clock, RESULT), clock == 10 ? -EINVAL : 0);
		CHECK_EQUAL(FAKE_CALL(sys_clock_getres, (u64)clock, 0), clock == 10 ? -EINVAL : 0);
	}
	CHECK_EQUAL(FAKE_CALL(sys_clock_gettime, 0, RESULT), 0);
	CHECK_EQUAL((u64)time->tv_sec * 1000000000 + (u64)time->tv_nsec, fake_now + fake_offset);
	CHECK_EQUAL(FAKE_CALL(sys_clock_gettime, 1, BAD), -EFAULT);

	/* As pthread_getcpuclockid(3) and clock_getcpuclockid(3) make them. */
	CHECK_EQUAL(clock_read((i32)(~10u << 3 | 6), &ns), 0);
	CHECK_EQUAL(ns, 5000);
	CHECK_EQUAL(clock_read((i32)(~0u << 3 | 6), &ns), 0);
	CHECK_EQUAL(ns, 3000);
	CHECK_EQUAL(clock_read((i32)(~PROCESS_ID << 3 | 2), &ns), 0);
	CHECK_EQUAL(clock_read((i32)(~0u << 3 | 2), &ns), 0);
	CHECK_EQUAL(clock_read((i32)(~11u << 3 | 6), &ns), -EINVAL);
	CHECK_EQUAL(clock_read((i32)(~11u << 3 | 2), &ns), -EINVAL);
	CHECK_EQUAL(clock_read((i32)(~10u << 3 | 7), &ns), -EINVAL);
	CHECK_EQUAL(clock_for_everyone(3), (i32)(~PROCESS_ID << 3 | 6));
	CHECK_EQUAL(clock_for_everyone(1), 1);

	CHECK_EQUAL(FAKE_CALL(sys_gettimeofday, RESULT, 0), 0);
	CHECK_EQUAL(got(), (fake_now + fake_offset) / 1000000000);
	CHECK_EQUAL(FAKE_CALL(sys_time, 0), (fake_now + fake_offset) / 1000000000);
	fake_cpu = 30000000;
	CHECK_EQUAL(FAKE_CALL(sys_times, RESULT), fake_now / 10000000);
	CHECK_EQUAL(got(), 3);
	CHECK_EQUAL(FAKE_CALL(sys_getrusage, 0, RESULT), 0);
	CHECK_EQUAL(((u64 *)RESULT)[1], 30000);
	CHECK_EQUAL(FAKE_CALL(sys_getrusage, 2, RESULT), -EINVAL);
}

int main(void)
{
	fake_memory();
	test_action();
	test_mask();
	test_altstack();
	test_send();
	test_restart();
	test_suspend();
	test_temporary_mask();
	test_timedwait();
	test_sleep();
	test_clocks();
	fake_reset();
	fake_thread_end(current);
	CHECK_EQUAL(slab_objects, 0);
	return 0;
}
