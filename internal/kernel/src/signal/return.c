/*
 * rt_sigreturn(2): back to what a signal interrupted. The frame lies in the
 * program's memory, so nothing in it is trusted.
 */
#include <asm/sigcontext.h>

#include "airlock_abi.h"
#include "arch/fpu.h"
#include "lib/string.h"
#include "mm/user.h"
#include "sched/wait.h"
#include "signal/codes.h"
#include "signal/deliver.h"
#include "signal/frame.h"
#include "signal/state.h"
#include "signal/syscalls.h"

static bool accepts_rip(u64 rip) { return rip < AIRLOCK_USER_END; }

/* How much of the area at address is to be restored: all of it, or x87 and SSE if the note is not the one we wrote. */
static u64 features_of(u64 address)
{
	struct extended_note note;
	u32 magic;

	if (copy_from_user(&note, address + EXTENDED_NOTE, sizeof(note)) < 0 || note.magic != FP_XSTATE_MAGIC1)
		return 0;
	if (note.xstate_size != extended_size || note.extended_size < extended_size)
		return 0;
	if (copy_from_user(&magic, address + extended_size, sizeof(magic)) < 0 || magic != FP_XSTATE_MAGIC2)
		return 0;
	return note.features;
}

/* Loads the extended state from the frame. False if it can't be read. */
static bool restore_extended(u64 address)
{
	u8 *area = current->extended;
	u64 features, present;

	extended_reset(area);
	if (address == 0) {
		extended_restore(area);
		return true;
	}
	features = features_of(address);
	if (copy_from_user(area, address, features == 0 ? EXTENDED_HEADER : extended_size) < 0)
		return false;
	if (features == 0) {
		present = EXTENDED_X87_SSE;
	} else {
		memcpy(&present, area + EXTENDED_HEADER, sizeof(present));
		present &= features;
	}
	memcpy(area + EXTENDED_HEADER, &present, sizeof(present));
	extended_sanitize(area);
	extended_restore(area);
	return true;
}

static void restore_registers(struct registers *to, const struct signal_registers *from)
{
	*to = (struct registers){
		.r15 = from->r15,
		.r14 = from->r14,
		.r13 = from->r13,
		.r12 = from->r12,
		.rbp = from->rbp,
		.rbx = from->rbx,
		.r11 = from->r11,
		.r10 = from->r10,
		.r9 = from->r9,
		.r8 = from->r8,
		.rax = from->rax,
		.rcx = from->rcx,
		.rdx = from->rdx,
		.rsi = from->rsi,
		.rdi = from->rdi,
		.rip = from->rip,
		.cs = AIRLOCK_USER_CS,
		.rflags = (from->rflags & RFLAGS_PROGRAM) | RFLAGS_FIXED | RFLAGS_INTERRUPT | RFLAGS_IOPL,
		.rsp = from->rsp,
		.ss = AIRLOCK_USER_SS,
	};
}

static void reject(u32 vector, u64 address)
{
	const struct siginfo info = {.number = SIGSEGV, .code = CODE_KERNEL};
	const struct trap trap = {.vector = vector, .address = address};

	signal_force(&info, &trap);
}

i64 sys_rt_sigreturn(const u64 *arg)
{
	/* The handler's return has taken the return address off the stack. */
	u64 address = current->registers.rsp - offsetof(struct signal_frame, context);
	struct signal_context context;

	(void)arg;
	if (copy_from_user(&context, address + offsetof(struct signal_frame, context), sizeof(context)) < 0) {
		reject(VECTOR_PAGE, address);
		return CALL_RESUMED;
	}
	/* IRETQ to a bad address would fault in the kernel. */
	if (!accepts_rip(context.registers.rip)) {
		reject(VECTOR_PROTECTION, 0);
		return CALL_RESUMED;
	}
	signal_set_blocked(current, context.mask);
	if (!restore_extended(context.registers.extended)) {
		reject(VECTOR_PAGE, context.registers.extended);
		return CALL_RESUMED;
	}
	restore_registers(&current->registers, &context.registers);
	/* Matters if the handler has changed it or SS_AUTODISARM has; Linux too doesn't mind if it can't be set. */
	altstack_set(&context.stack, current->registers.rsp);
	return CALL_RESUMED;
}
