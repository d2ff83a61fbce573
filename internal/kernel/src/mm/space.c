/* The address space that a program starts with. */
#include "mm/space.h"

#include <linux/mman.h>

#include "airlock_abi.h"
#include "arch/hypercall.h"
#include "mm/heap.h"
#include "mm/pagetable.h"
#include "mm/slab.h"

extern const u8 vdso_start[], vdso_end[]; /* in vdso/image.S */

struct regions user_regions;

struct region *region_alloc(void)
{
	return user_regions.count < REGION_LIMIT ? slab_alloc(sizeof(struct region)) : NULL;
}

void region_release(struct region *region) { slab_free(region, sizeof(*region)); }

static void add(u64 start, u64 end, u32 prot, u32 flags)
{
	if (regions_insert(&user_regions, start, end, prot, flags) < 0)
		panic("no memory for the program's regions");
}

/* A piece of the program: what its file has, and behind that zeroes like those of any other memory. */
static void add_image(const struct airlock_region *region)
{
	if (region->start < region->file_end)
		add(region->start, region->file_end, (u32)region->prot, REGION_IMAGE);
	if (region->file_end < region->end)
		add(region->file_end, region->end, (u32)region->prot, 0);
}

static void map(u64 address, u64 frame, u32 prot)
{
	u64 *entry = pagetable_entry(address, true);

	if (entry == NULL)
		panic("no memory for page tables");
	*entry = pagetable_value(frame, prot);
}

/* The vDSO lies in the kernel's image; programs see the same pages. */
static void map_vdso(void)
{
	map(AIRLOCK_VVAR, AIRLOCK_CLOCK_GPA, PROT_READ);
	for (u64 offset = 0; offset < (u64)(vdso_end - vdso_start); offset += PAGE_SIZE) {
		const u64 *kernel = pagetable_entry((u64)vdso_start + offset, false);

		map(AIRLOCK_VDSO + offset, *kernel & ENTRY_FRAME, PROT_READ | PROT_EXEC);
	}
	add(AIRLOCK_VVAR, AIRLOCK_VDSO, PROT_READ, REGION_FIXED);
	add(AIRLOCK_VDSO, AIRLOCK_VDSO + page_up((u64)(vdso_end - vdso_start)), PROT_READ | PROT_EXEC, REGION_FIXED);
}

void space_init(void)
{
	const struct airlock_boot *boot = &control_page()->boot;

	regions_init(&user_regions, AIRLOCK_USER_START, AIRLOCK_USER_END);
	for (u32 i = 0; i < boot->region_count; i++)
		add_image(&boot->regions[i]);
	add(STACK_TOP - STACK_SIZE, STACK_TOP, PROT_READ | PROT_WRITE, REGION_STACK);
	map_vdso();
	heap_init(boot->program_end);
}
