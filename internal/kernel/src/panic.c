/*
 * The kernel found itself broken: a bug, or a program that wrote over it. The
 * host reports it and never enters this VM again.
 */
#include "panic.h"

#include "arch/hypercall.h"
#include "lib/string.h"

_Noreturn static void report(const char *text, u32 vector, u64 rip, u64 address)
{
	struct airlock_panic *panic_record = &control_page()->panic;
	size_t length = MIN(strlen(text), (size_t)AIRLOCK_PANIC_TEXT);

	panic_record->rip = rip;
	panic_record->address = address;
	panic_record->vector = vector;
	panic_record->length = (u32)length;
	memcpy(panic_record->text, text, length);
	hypercall_last(AIRLOCK_PORT_PANIC);
}

void panic(const char *text) { report(text, UINT32_MAX, (u64)__builtin_return_address(0), 0); }

void panic_trap(const struct trap *trap, u64 rip) { report("trap in the kernel", trap->vector, rip, trap->address); }
