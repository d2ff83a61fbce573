/*
 * Page tables (AMD64 Architecture Programmer's Manual volume 2, section 5.3).
 *
 * Pages that were tables are only used as tables again: under shadow paging
 * the hypervisor watches writes to them, and would slow down whatever data
 * came to lie there.
 */
#include "mm/pagetable.h"

#include <linux/mman.h>

#include "arch/trap.h"
#include "lib/string.h"
#include "mm/pool.h"

#define LEVELS 4
#define ENTRIES 512u
#define TABLE_BITS (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_ACCESSED)

u64 page_table_root;

static u64 *free_tables; /* each begins with the address of the next */
static bool stale;       /* the CPU may hold translations that are no longer true */

static u32 level_shift(int level) { return 12u + 9u * (u32)(level - 1); }

static u32 level_index(u64 address, int level) { return (u32)(address >> level_shift(level)) % ENTRIES; }

static u64 *table_of(u64 entry) { return physical_to_virtual(entry & ENTRY_FRAME); }

void pagetable_init(u64 root) { page_table_root = root; }

static u64 *take_table(void)
{
	u64 *table = free_tables;

	if (table == NULL)
		return pool_take(&kernel_pool);
	free_tables = (u64 *)table[0];
	table[0] = 0; /* the rest was empty when it was given back */
	return table;
}

static void give_table(u64 *table)
{
	table[0] = (u64)free_tables;
	free_tables = table;
}

u64 *pagetable_entry(u64 address, bool create)
{
	u64 *table = physical_to_virtual(page_table_root);

	for (int level = LEVELS; level > 1; level--) {
		u64 *entry = &table[level_index(address, level)];

		if (!(*entry & ENTRY_PRESENT)) {
			u64 *fresh = create ? take_table() : NULL;

			if (fresh == NULL)
				return NULL;
			*entry = virtual_to_physical(fresh) | TABLE_BITS;
		}
		table = table_of(*entry);
	}
	return &table[level_index(address, 1)];
}

u64 pagetable_value(u64 frame, u32 prot)
{
	u64 value = frame | ENTRY_USER | ENTRY_ACCESSED | ENTRY_DIRTY | ENTRY_KEPT;

	if (prot & (PROT_READ | PROT_WRITE | PROT_EXEC))
		value |= ENTRY_PRESENT;
	if (prot & PROT_WRITE)
		value |= ENTRY_WRITE;
	if (!(prot & PROT_EXEC))
		value |= ENTRY_NOEXEC;
	return value;
}

static bool table_empty(const u64 *table)
{
	for (u32 i = 0; i < ENTRIES; i++)
		if (table[i] != 0)
			return false;
	return true;
}

static void unmap_entry(u64 *entry)
{
	if (entry_populated(*entry))
		pool_give(&kernel_pool, physical_to_virtual(*entry & ENTRY_FRAME));
	if (*entry & ENTRY_PRESENT)
		stale = true;
	*entry = 0;
}

/* Unmaps the part of [start, end) that this table maps. The recursion is as deep as there are levels. */
static void unmap_table(u64 *table, int level, u64 start, u64 end)
{
	u64 span = 1ull << level_shift(level);

	for (u64 at = start; at < end; at = (at & ~(span - 1)) + span) {
		u64 *entry = &table[level_index(at, level)];
		u64 stop = MIN(end, (at & ~(span - 1)) + span);

		if (*entry == 0)
			continue;
		if (level == 1) {
			unmap_entry(entry);
			continue;
		}
		unmap_table(table_of(*entry), level - 1, at, stop);
		if (table_empty(table_of(*entry))) {
			give_table(table_of(*entry));
			*entry = 0;
		}
	}
}

void pagetable_unmap(u64 start, u64 end)
{
	unmap_table(physical_to_virtual(page_table_root), LEVELS, start, end);
	pagetable_sync();
}

/* Skips what has no tables, so holes of any size cost little. */
u64 *pagetable_next(u64 *address, u64 end)
{
	while (*address < end) {
		u64 *table = physical_to_virtual(page_table_root);
		int level = LEVELS;

		while (level > 1 && (table[level_index(*address, level)] & ENTRY_PRESENT)) {
			table = table_of(table[level_index(*address, level)]);
			level--;
		}
		if (level == 1 && entry_populated(table[level_index(*address, 1)]))
			return &table[level_index(*address, 1)];
		*address = (*address >> level_shift(level) << level_shift(level)) + (1ull << level_shift(level));
	}
	return NULL;
}

void pagetable_protect(u64 start, u64 end, u32 prot)
{
	u64 *entry;

	for (u64 at = start; (entry = pagetable_next(&at, end)) != NULL; at += PAGE_SIZE) {
		u64 value = pagetable_value(*entry & ENTRY_FRAME, prot);

		/* Widening needs no flush: the CPU walks the tables again before it faults. */
		if ((*entry & ~value & (ENTRY_PRESENT | ENTRY_WRITE)) || (value & ~*entry & ENTRY_NOEXEC))
			stale = true;
		*entry = value;
	}
	pagetable_sync();
}

bool pagetable_move(u64 from, u64 to, u64 size)
{
	u64 *source;

	for (u64 at = from; (source = pagetable_next(&at, from + size)) != NULL; at += PAGE_SIZE) {
		u64 *target = pagetable_entry(at - from + to, true);

		if (target == NULL)
			return false;
		*target = *source;
		*source = 0;
		stale = true;
	}
	pagetable_sync();
	return true;
}

void pagetable_sync(void)
{
	if (stale)
		tlb_flush();
	stale = false;
}
