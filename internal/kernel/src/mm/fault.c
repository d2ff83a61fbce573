/*
 * Demand paging from the pool. A page gets memory when it is first touched, or
 * along with another.
 */
#include "mm/fault.h"

#include <linux/mman.h>

#include "airlock_abi.h"
#include "arch/hypercall.h"
#include "arch/trap.h"
#include "file/file.h"
#include "mm/around.h"
#include "mm/pagetable.h"
#include "mm/pool.h"
#include "mm/prepare.h"
#include "mm/space.h"
#include "signal/signal.h"
#include "trace.h"

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
	struct block block;
	u64 *entry;

	if (region == NULL || !allowed(region, access))
		return false;
	entry = pagetable_entry(page, false);
	if (entry != NULL && entry_populated(*entry)) {
		/* The tables allow it, so what the CPU has cached is older than they are. */
		tlb_flush();
		return true;
	}
	block = around(page, region);
	for (u64 at = block.start; at < block.end; at += PAGE_SIZE)
		map_page(at, region->prot);
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
