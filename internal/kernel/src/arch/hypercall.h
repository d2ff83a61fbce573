/* The way out of the VM, and the pages that are shared with the host. */
#ifndef ARCH_HYPERCALL_H
#define ARCH_HYPERCALL_H

#include "airlock_abi.h"
#include "lib/types.h"

static inline struct airlock_control *control_page(void)
{
	return (struct airlock_control *)(AIRLOCK_PHYSMAP + AIRLOCK_CONTROL_GPA);
}

static inline const volatile struct airlock_clock *clock_page(void)
{
	return (const volatile struct airlock_clock *)(AIRLOCK_PHYSMAP + AIRLOCK_CLOCK_GPA);
}

/* The parts of the stdio buffer. */
static inline u8 *stdio_output(void) { return (u8 *)(AIRLOCK_PHYSMAP + control_page()->boot.stdio_gpa); }
static inline u8 *stdio_trace(void) { return stdio_output() + AIRLOCK_STDIO_OUTPUT_SIZE; }
static inline u8 *stdio_input(void) { return stdio_trace() + AIRLOCK_STDIO_TRACE_SIZE; }

/* Arguments and results are in the control page. The host may have changed any memory when it returns. */
static inline void hypercall(u16 port) { __asm__ volatile("outl %0, %1" : : "a"(0), "d"(port) : "memory"); }

/* For the calls from which the host never returns. */
_Noreturn static inline void hypercall_last(u16 port)
{
	for (;;)
		hypercall(port);
}

#endif
