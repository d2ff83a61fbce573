/* The kernel's own end. */
#ifndef PANIC_H
#define PANIC_H

#include "arch/registers.h"
#include "lib/types.h"

_Noreturn void panic_trap(const struct trap *trap, u64 rip);

#endif
