/*
 * Demand paging from the pool. A page gets memory when it is first touched;
 * a program that walks through memory gets several pages at once.
 */
#include "mm/fault.h"

#include <linux/mman.h>

#include "airlock_abi.h"
#include "arch/hypercall.h"
#include "arch/trap.h"
#include "file/file.h"
#include "mm/pagetable.h"
#include "mm/pool.h"
#include "mm/prepare.h"
#include "mm/space.h"
#include "signal/signal.h"
#include "trace.h"

/* The most pages that one fault maps. It grows from 1 while faults come in sequence. */
#define AROUND_LIMIT 16u
/* Below so many free pages nothing is mapped that wasn't asked for. */
#define AROUND_RESERVE 256u

static u64 around_next;  /* the page behind those that the last fault mapped */
static u32 around_pages; /* how many those were */

void out_of_memory(u64 address)
{
	control_page()->fault = (struct airlock_fault){
		.kind = AIRLOCK_FAULT_MEMORY,
		.signal = 9,
		.thread = current->id,
		.address = address,
		.rip = current->registers.rip,
		.rsp = current->registers.rsp,
	};
	console_flush();
	trace_flush();
	hypercall_last(AIRLOCK_PORT_FAULT);
}

static void map_page(u64 address, u32 prot)
{
	u64 *entry = pagetable_entry(address, true);
	void *page;

	if (entry == NULL)
		out_of_memory(address);
	if (entry_populated(*entry))
		return;
	page = pool_take(&kernel_pool);
	if (page == NULL)
		out_of_memory(address);
	*entry = pagetable_value(virtual_to_physical(page), prot);
}

/* How many pages to map for a fault at page, within its region. */
static u32 around(u64 page, const struct region *region)
{
	u64 room = (region->end - page) / PAGE_SIZE;

	if (page == around_next && pool_available(&kernel_pool) > AROUND_RESERVE)
		around_pages = MIN(2 * around_pages, AROUND_LIMIT);
	else
		around_pages = 1;
	around_pages = (u32)MIN(around_pages, room);
	around_next = page + around_pages * PAGE_SIZE;
	return around_pages;
}

/* On x86 whatever can be written can be read, and so can what can be executed. */
static bool allowed(const struct region *region, u32 access)
{
	if (access == PROT_READ)
		return (region->prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) != 0;
	return (region->prot & access) != 0;
}

bool page_in(u64 address, u32 access)
{
	const struct region *region = regions_find(&user_regions, address);
	u64 page = page_down(address);
	u64 *entry;
	u32 pages;

	if (region == NULL || !allowed(region, access))
		return false;
	entry = pagetable_entry(page, false);
	if (entry != NULL && entry_populated(*entry)) {
		/* The tables allow it, so what the CPU has cached is older than they are. */
		tlb_flush();
		return true;
	}
	pages = around(page, region);
	for (u32 i = 0; i < pages; i++)
		map_page(page + i * PAGE_SIZE, region->prot);
	memory_touched(region, page);
	return true;
}

void page_fault(const struct trap *trap)
{
	u32 access = PROT_READ;

	if (trap->error_code & PAGE_FAULT_EXEC)
		access = PROT_EXEC;
	else if (trap->error_code & PAGE_FAULT_WRITE)
		access = PROT_WRITE;
	if (!page_in(trap->address, access))
		signal_fault(trap, regions_find(&user_regions, trap->address) != NULL);
}
