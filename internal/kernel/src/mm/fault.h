/* Demand paging. */
#ifndef MM_FAULT_H
#define MM_FAULT_H

#include "arch/registers.h"
#include "lib/types.h"

/* A page fault of the current thread: gives it a page or a signal. */
void page_fault(const struct trap *trap);

/* Makes one page present for an access with PROT_READ, PROT_WRITE or PROT_EXEC. False if that isn't allowed. */
bool page_in(u64 address, u32 access);

/* Ends the program because the pool is empty. address is what it wanted to use, or 0. */
_Noreturn void out_of_memory(u64 address);

#endif
