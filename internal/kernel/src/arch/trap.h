/* Where arch/entry.S calls C, and what C calls there. */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include "arch/registers.h"
#include "lib/types.h"

_Noreturn void syscall_enter(void);
_Noreturn void trap_enter(u32 vector, u32 error_code, u64 address);
_Noreturn void tick_enter(void);

/* Goes back to the program in the current thread; returns if a tick came meanwhile. */
void resume(const u32 *tick_pending);
/* Forgets every translation that the CPU has cached. */
void tlb_flush(void);

#endif
