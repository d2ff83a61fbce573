/*
 * What a signal handler finds on its stack: Linux's struct rt_sigframe for
 * x86-64, and the floating-point state behind it. Debuggers, unwinders and
 * language runtimes know the layout.
 */
#ifndef SIGNAL_FRAME_H
#define SIGNAL_FRAME_H

#include "signal/signal.h"

/* struct sigcontext of <asm/sigcontext.h>; what gregset_t of the C libraries is too. */
struct signal_registers {
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	u16 cs, gs, fs, ss;
	u64 error_code, trap, old_mask, fault_address;
	u64 extended; /* address of the XSAVE area, or 0 */
	u64 reserved[8];
};

struct signal_stack { /* stack_t */
	u64 base;
	u32 flags, padding;
	u64 size;
};

struct signal_context { /* struct ucontext of <asm/ucontext.h> */
	u64 flags;
	u64 link;
	struct signal_stack stack;
	struct signal_registers registers;
	u64 mask;
};

struct signal_frame {
	u64 return_address; /* the program's restorer, which calls rt_sigreturn */
	struct signal_context context;
	struct siginfo info;
};

_Static_assert(offsetof(struct signal_frame, context) == 8, "struct rt_sigframe");
_Static_assert(sizeof(struct signal_registers) == 256, "struct sigcontext");
_Static_assert(sizeof(struct signal_context) == 304, "struct ucontext");
_Static_assert(sizeof(struct signal_frame) == 440, "struct rt_sigframe");

/* struct _fpx_sw_bytes: what Linux tells in bytes of the XSAVE area that the CPU leaves alone. */
struct extended_note {
	u32 magic;         /* FP_XSTATE_MAGIC1 */
	u32 extended_size; /* of the area and the FP_XSTATE_MAGIC2 behind it */
	u64 features;      /* components that the area has */
	u32 xstate_size;   /* of the area */
	u32 padding[7];
};

/* Offsets into the XSAVE area. */
#define EXTENDED_NOTE 464u
#define EXTENDED_HEADER 512u
#define EXTENDED_MINIMUM 576u /* x87, SSE and the header */
#define EXTENDED_X87_SSE 3u   /* bits of the header's first word, XSTATE_BV */

_Static_assert(sizeof(struct extended_note) == EXTENDED_HEADER - EXTENDED_NOTE, "struct _fpx_sw_bytes");

struct kernel_sigaction;

/*
 * Saves the current thread's state in a frame and makes the thread start the
 * handler. mask is what the handler's return restores. trap is the fault that
 * caused the signal, or NULL. Returns 0, or the address of a frame that can't
 * be written, with nothing changed.
 */
u64 frame_push(const struct kernel_sigaction *action, const struct siginfo *info, const struct trap *trap, u64 mask);

/* altstack.c */
bool altstack_contains(const struct signal_altstack *stack, u64 address);
/* True if a thread with this stack pointer is on it. */
bool altstack_in_use(const struct signal_altstack *stack, u64 rsp);
/* Sets the alternate stack of the current thread, whose stack pointer is rsp. */
int altstack_set(const struct signal_stack *stack, u64 rsp);

#endif
