/* The signal frame against what the C library of this machine says about it. */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <sys/ucontext.h>

#include "signal/frame.h"

#include "test.h"

#define CHECK_REGISTER(ours, theirs)                                                                                   \
	CHECK_EQUAL(offsetof(struct signal_context, registers.ours),                                                   \
	            offsetof(ucontext_t, uc_mcontext.gregs) + 8 * (theirs))

static void test_context(void)
{
	CHECK_EQUAL(offsetof(struct signal_context, flags), offsetof(ucontext_t, uc_flags));
	CHECK_EQUAL(offsetof(struct signal_context, link), offsetof(ucontext_t, uc_link));
	CHECK_EQUAL(offsetof(struct signal_context, stack), offsetof(ucontext_t, uc_stack));
	CHECK_EQUAL(offsetof(struct signal_context, mask), offsetof(ucontext_t, uc_sigmask));
	CHECK_EQUAL(offsetof(struct signal_context, registers), offsetof(ucontext_t, uc_mcontext));
	CHECK_EQUAL(offsetof(struct signal_context, registers.extended), offsetof(ucontext_t, uc_mcontext.fpregs));
	CHECK_EQUAL(sizeof(struct signal_stack), sizeof(stack_t));
	CHECK_EQUAL(offsetof(struct signal_stack, base), offsetof(stack_t, ss_sp));
	CHECK_EQUAL(offsetof(struct signal_stack, flags), offsetof(stack_t, ss_flags));
	CHECK_EQUAL(offsetof(struct signal_stack, size), offsetof(stack_t, ss_size));
}

static void test_registers(void)
{
	CHECK_REGISTER(r8, REG_R8);
	CHECK_REGISTER(r9, REG_R9);
	CHECK_REGISTER(r10, REG_R10);
	CHECK_REGISTER(r11, REG_R11);
	CHECK_REGISTER(r12, REG_R12);
	CHECK_REGISTER(r13, REG_R13);
	CHECK_REGISTER(r14, REG_R14);
	CHECK_REGISTER(r15, REG_R15);
	CHECK_REGISTER(rdi, REG_RDI);
	CHECK_REGISTER(rsi, REG_RSI);
	CHECK_REGISTER(rbp, REG_RBP);
	CHECK_REGISTER(rbx, REG_RBX);
	CHECK_REGISTER(rdx, REG_RDX);
	CHECK_REGISTER(rax, REG_RAX);
	CHECK_REGISTER(rcx, REG_RCX);
	CHECK_REGISTER(rsp, REG_RSP);
	CHECK_REGISTER(rip, REG_RIP);
	CHECK_REGISTER(rflags, REG_EFL);
	CHECK_REGISTER(cs, REG_CSGSFS);
	CHECK_REGISTER(error_code, REG_ERR);
	CHECK_REGISTER(trap, REG_TRAPNO);
	CHECK_REGISTER(old_mask, REG_OLDMASK);
	CHECK_REGISTER(fault_address, REG_CR2);
}

static void test_siginfo(void)
{
	CHECK_EQUAL(sizeof(struct siginfo), sizeof(siginfo_t));
	CHECK_EQUAL(offsetof(struct siginfo, number), offsetof(siginfo_t, si_signo));
	CHECK_EQUAL(offsetof(struct siginfo, error), offsetof(siginfo_t, si_errno));
	CHECK_EQUAL(offsetof(struct siginfo, code), offsetof(siginfo_t, si_code));
	CHECK_EQUAL(offsetof(struct siginfo, sender.pid), offsetof(siginfo_t, si_pid));
	CHECK_EQUAL(offsetof(struct siginfo, sender.uid), offsetof(siginfo_t, si_uid));
	CHECK_EQUAL(offsetof(struct siginfo, sender.value), offsetof(siginfo_t, si_value));
	CHECK_EQUAL(offsetof(struct siginfo, timer.timer), offsetof(siginfo_t, si_timerid));
	CHECK_EQUAL(offsetof(struct siginfo, timer.overrun), offsetof(siginfo_t, si_overrun));
	CHECK_EQUAL(offsetof(struct siginfo, timer.value), offsetof(siginfo_t, si_value));
	CHECK_EQUAL(offsetof(struct siginfo, fault.address), offsetof(siginfo_t, si_addr));
}

/* The frame that the kernel of this machine makes: where it puts siginfo and context, and its alignment. */
static const siginfo_t *native_info;
static const ucontext_t *native_context;
static u64 native_frame;
static u32 native_note[3], native_end;

static void native_handler(int number, siginfo_t *info, void *context)
{
	const u8 *area = (const u8 *)((const ucontext_t *)context)->uc_mcontext.fpregs;

	(void)number;
	native_info = info;
	native_context = context;
	native_frame = (u64)context - 8;
	memcpy(&native_note[0], area + EXTENDED_NOTE + offsetof(struct extended_note, magic), 4);
	memcpy(&native_note[1], area + EXTENDED_NOTE + offsetof(struct extended_note, extended_size), 4);
	memcpy(&native_note[2], area + EXTENDED_NOTE + offsetof(struct extended_note, xstate_size), 4);
	memcpy(&native_end, area + native_note[2], 4);
	CHECK_EQUAL((u64)area % 64, 0);
}

static void test_native(void)
{
	struct sigaction action = {.sa_sigaction = native_handler, .sa_flags = SA_SIGINFO};

	CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
	CHECK_EQUAL(raise(SIGUSR1), 0);
	CHECK_EQUAL(native_frame % 16, 8);
	CHECK_EQUAL((u64)native_context - native_frame, offsetof(struct signal_frame, context));
	CHECK_EQUAL((u64)native_info - native_frame, offsetof(struct signal_frame, info));
	CHECK_EQUAL(native_note[0], 0x46505853);
	CHECK_EQUAL(native_note[1], native_note[2] + 4);
	CHECK_EQUAL(native_end, 0x46505845);
}

int main(void)
{
	test_context();
	test_registers();
	test_siginfo();
	test_native();
	return 0;
}
