/* From the exceptions of the CPU to signals, as arch/x86/kernel/traps.c and mm/fault.c of Linux translate them. */
#include "signal/codes.h"
#include "signal/deliver.h"
#include "signal/state.h"

/* Exception flags of the x87 status word and of MXCSR, and their masks in the control word. */
#define FLOAT_INVALID 0x01u
#define FLOAT_DENORMAL 0x02u
#define FLOAT_DIVIDE 0x04u
#define FLOAT_OVERFLOW 0x08u
#define FLOAT_UNDERFLOW 0x10u
#define FLOAT_INEXACT 0x20u

#define MXCSR_MASKS_SHIFT 7

/* Exceptions that are raised and not masked. The CPU still holds the thread's state. */
static u32 float_exceptions(u32 vector)
{
	if (vector == VECTOR_X87) {
		u16 status, control;

		__asm__ volatile("fnstsw %0" : "=m"(status));
		__asm__ volatile("fnstcw %0" : "=m"(control));
		return status & ~(u32)control;
	}

	u32 mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return mxcsr & ~(mxcsr >> MXCSR_MASKS_SHIFT);
}

/* 0 if there is none: then it was a leftover, and the program goes on. */
static i32 float_code(u32 exceptions)
{
	if (exceptions & FLOAT_INVALID)
		return CODE_FLOAT_INVALID;
	if (exceptions & FLOAT_DIVIDE)
		return CODE_FLOAT_DIVIDE;
	if (exceptions & FLOAT_OVERFLOW)
		return CODE_FLOAT_OVERFLOW;
	if (exceptions & (FLOAT_UNDERFLOW | FLOAT_DENORMAL))
		return CODE_FLOAT_UNDERFLOW;
	if (exceptions & FLOAT_INEXACT)
		return CODE_FLOAT_INEXACT;
	return 0;
}

static struct siginfo describe(const struct trap *trap, bool mapped)
{
	const struct registers *registers = &current->registers;
	struct siginfo info = {.number = SIGSEGV, .code = CODE_KERNEL};

	switch (trap->vector) {
	case VECTOR_PAGE:
		info.code = mapped ? CODE_NOT_ALLOWED : CODE_NOT_MAPPED;
		info.fault.address = trap->address;
		break;
	case VECTOR_DIVIDE:
		info.number = SIGFPE;
		info.code = CODE_INTEGER_DIVIDE;
		info.fault.address = registers->rip;
		break;
	case VECTOR_OPCODE:
		info.number = SIGILL;
		info.code = CODE_ILLEGAL_OPERAND;
		info.fault.address = registers->rip;
		break;
	case VECTOR_BREAKPOINT:
		info.number = SIGTRAP;
		break;
	case VECTOR_DEBUG:
		info.number = SIGTRAP;
		info.code = CODE_TRACE; /* of breakpoint registers there are none */
		info.fault.address = registers->rip;
		break;
	case VECTOR_X87:
	case VECTOR_SIMD:
		info.number = SIGFPE;
		info.code = float_code(float_exceptions(trap->vector));
		info.fault.address = registers->rip;
		break;
	case VECTOR_ALIGNMENT:
		info.number = SIGBUS;
		info.code = CODE_ALIGNMENT;
		break;
	case VECTOR_STACK: /* an address off the stack pointer that isn't canonical: Linux sends SIGBUS */
		info.number = SIGBUS;
		break;
	default: /* protection and the rest: SIGSEGV, no address */
		break;
	}
	return info;
}

void signal_fault(const struct trap *trap, bool mapped)
{
	const struct siginfo info = describe(trap, mapped);

	if (info.number == SIGFPE && info.code == 0)
		return;
	signal_force(&info, trap);
}
