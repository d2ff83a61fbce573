/* Building signal frames, as arch/x86/kernel/signal.c of Linux lays them out. */
#include "signal/frame.h"

#include <asm/sigcontext.h>

#include "airlock_abi.h"
#include "arch/fpu.h"
#include "lib/string.h"
#include "mm/user.h"
#include "signal/state.h"

/* System V ABI, AMD64 supplement, section 3.2.2: a function may use so many bytes below its stack pointer. */
#define RED_ZONE 128u

/* <asm/ucontext.h> */
#define CONTEXT_XSTATE 1u    /* there is an XSAVE area */
#define CONTEXT_SAVES_SS 2u  /* registers.ss is meaningful */
#define CONTEXT_STRICT_SS 4u /* and is restored as it is */

#define RFLAGS_DIRECTION 0x400ull
#define RFLAGS_RESUME 0x10000ull

/* Where the parts of a frame go. */
struct place {
	u64 frame, extended, end;
};

/* False if there is no room. The result may still turn out not to be writable. */
static bool find_place(u64 flags, struct place *place)
{
	const struct signal_altstack *stack = &current->altstack;
	u64 top = current->registers.rsp - RED_ZONE;
	bool on_altstack = altstack_in_use(stack, current->registers.rsp);

	if ((flags & SA_ONSTACK) && !(stack->flags & SS_DISABLE) && !on_altstack) {
		top = stack->base + stack->size;
		on_altstack = true;
	}
	place->end = top;
	place->extended = (top - extended_size - FP_XSTATE_MAGIC2_SIZE) & ~63ull;
	/* At a function's start, behind the return address, the stack is 8 bytes short of a multiple of 16. */
	place->frame = ((place->extended - sizeof(struct signal_frame)) & ~15ull) - 8;
	if (place->frame >= top || top > AIRLOCK_USER_END)
		return false;
	/* sigaltstack(2): a handler that overflows it is not to write over what is below. */
	return !on_altstack || altstack_contains(stack, place->frame);
}

static u64 enabled_features(void)
{
	u32 low, high;

	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (u64)high << 32 | low;
}

static void write_extended(u64 address)
{
	u8 *area = (u8 *)address;
	const u32 magic = FP_XSTATE_MAGIC2;
	const struct extended_note note = {
		.magic = FP_XSTATE_MAGIC1,
		.extended_size = extended_size + FP_XSTATE_MAGIC2_SIZE,
		.features = enabled_features(),
		.xstate_size = extended_size,
	};
	u64 present;

	extended_save(area);
	memcpy(area + EXTENDED_NOTE, &note, sizeof(note));
	/* So that a handler's change of a register in here counts, though the register was in its initial state. */
	memcpy(&present, area + EXTENDED_HEADER, sizeof(present));
	present |= EXTENDED_X87_SSE;
	memcpy(area + EXTENDED_HEADER, &present, sizeof(present));
	memcpy(area + extended_size, &magic, sizeof(magic));
}

static void write_registers(struct signal_registers *to, const struct registers *from)
{
	*to = (struct signal_registers){
		.r8 = from->r8,
		.r9 = from->r9,
		.r10 = from->r10,
		.r11 = from->r11,
		.r12 = from->r12,
		.r13 = from->r13,
		.r14 = from->r14,
		.r15 = from->r15,
		.rdi = from->rdi,
		.rsi = from->rsi,
		.rbp = from->rbp,
		.rbx = from->rbx,
		.rdx = from->rdx,
		.rax = from->rax,
		.rcx = from->rcx,
		.rsp = from->rsp,
		.rip = from->rip,
		.rflags = from->rflags,
		.cs = AIRLOCK_USER_CS,
		.ss = AIRLOCK_USER_SS,
	};
}

static void write_frame(struct signal_frame *frame, const struct siginfo *info, const struct trap *trap, u64 mask)
{
	frame->context.flags = CONTEXT_XSTATE | CONTEXT_SAVES_SS | CONTEXT_STRICT_SS;
	frame->context.link = 0;
	frame->context.stack = (struct signal_stack){
		.base = current->altstack.base,
		.flags = current->altstack.flags,
		.size = current->altstack.size,
	};
	write_registers(&frame->context.registers, &current->registers);
	if (trap != NULL) {
		frame->context.registers.error_code = trap->error_code;
		frame->context.registers.trap = trap->vector;
		frame->context.registers.fault_address = trap->address;
	}
	frame->context.registers.old_mask = mask;
	frame->context.mask = mask;
	frame->info = *info;
}

u64 frame_push(const struct kernel_sigaction *action, const struct siginfo *info, const struct trap *trap, u64 mask)
{
	struct registers *registers = &current->registers;
	struct signal_frame *frame;
	struct place place;

	if (!find_place(action->flags, &place) || !user_writable(place.frame, place.end - place.frame))
		return place.frame;
	frame = (struct signal_frame *)place.frame;
	write_frame(frame, info, trap, mask);
	frame->return_address = action->restorer;
	frame->context.registers.extended = place.extended;
	write_extended(place.extended);

	/* The handler starts with fresh extended state. That also clears a pending x87 exception. */
	extended_reset(current->extended);
	extended_restore(current->extended);
	registers->rip = action->handler;
	registers->rsp = place.frame;
	registers->rflags &= ~(RFLAGS_DIRECTION | RFLAGS_RESUME | RFLAGS_TRAP);
	registers->rax = 0; /* no vector registers are used: for handlers without a prototype */
	registers->rdi = (u64)info->number;
	registers->rsi = place.frame + offsetof(struct signal_frame, info);
	registers->rdx = place.frame + offsetof(struct signal_frame, context);
	return 0;
}
