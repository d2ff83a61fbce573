/*
 * The page tables of the one address space. The host made the first ones;
 * from boot on they are the kernel's.
 *
 * An entry is populated when it has a page, present or not: mprotect(2) to
 * PROT_NONE keeps the page and its content and only takes the present bit.
 */
#ifndef MM_PAGETABLE_H
#define MM_PAGETABLE_H

#include "lib/types.h"

#define ENTRY_PRESENT 0x001ull
#define ENTRY_WRITE 0x002ull
#define ENTRY_USER 0x004ull
#define ENTRY_ACCESSED 0x020ull
#define ENTRY_DIRTY 0x040ull
#define ENTRY_LARGE 0x080ull
#define ENTRY_KEPT 0x200ull /* ours: the entry has a page though it is not present */
#define ENTRY_NOEXEC (1ull << 63)
#define ENTRY_FRAME 0x000ffffffffff000ull

extern u64 page_table_root; /* guest-physical; read by arch/entry.S */

static inline bool entry_populated(u64 entry) { return (entry & (ENTRY_PRESENT | ENTRY_KEPT)) != 0; }

void pagetable_init(u64 root);
/* The entry for a page, or NULL if there is none and create is false or memory is exhausted. */
u64 *pagetable_entry(u64 address, bool create);
/* The first populated entry in [*address, end), whose address it stores; NULL if there is none. */
u64 *pagetable_next(u64 *address, u64 end);
/* The entry's value for a page at frame with PROT_* protection. */
u64 pagetable_value(u64 frame, u32 prot);
/* Unmaps [start, end): gives the pages to the pool, and tables that became empty to the next tables. */
void pagetable_unmap(u64 start, u64 end);
/* Changes the protection of the populated pages in [start, end). */
void pagetable_protect(u64 start, u64 end, u32 prot);
/* Moves the populated pages of [from, from+size) to [to, to+size), which has none. False when memory is exhausted. */
bool pagetable_move(u64 from, u64 to, u64 size);
/* Calls that removed or restricted present entries end with this: it makes the CPU forget them. */
void pagetable_sync(void);

#endif
