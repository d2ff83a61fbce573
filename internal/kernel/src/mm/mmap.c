/* mmap(2), munmap(2), mprotect(2). All memory is anonymous: there are no files with content that could be mapped. */
#include "mm/mmap.h"

#include <linux/fcntl.h>
#include <linux/mman.h>

#include "arch/hypercall.h"
#include "file/pseudo.h"
#include "mm/fault.h"
#include "mm/pagetable.h"
#include "mm/pool.h"
#include "mm/space.h"

#define PROT_MASK (PROT_READ | PROT_WRITE | PROT_EXEC)

/* What a single mapping may ask for, if that is more than the memory twice over. */
#define REASONABLE_BYTES (4ull << 30)

static bool code_generation(void) { return (control_page()->boot.flags & AIRLOCK_BOOT_JIT) != 0; }

bool protection_allowed(u32 prot) { return !(prot & PROT_EXEC) || code_generation(); }

bool promise_reasonable(u64 size) { return size <= MAX(REASONABLE_BYTES, 2 * kernel_pool.total_pages * PAGE_SIZE); }

/* Where a mapping without MAP_FIXED goes: at the hint if that is free, else as high as there is room. */
static u64 place(u64 hint, u64 size, u32 flags)
{
	const u64 top = flags & MAP_32BIT ? 1ull << 31 : STACK_TOP - STACK_SIZE - STACK_GAP;

	hint = page_down(hint);
	if (hint != 0 && space_holds(hint, size)) {
		const struct region *above = regions_above(&user_regions, hint);

		if (above == NULL || above->start >= hint + size)
			return hint;
	}
	return regions_find_gap(&user_regions, size, AIRLOCK_USER_START, top);
}

/* Makes room at a fixed address. */
static i64 place_fixed(u64 address, u64 size, u32 flags)
{
	const struct region *above;

	if (address % PAGE_SIZE != 0)
		return -EINVAL;
	if (address < AIRLOCK_USER_START)
		return -EPERM; /* as below vm.mmap_min_addr */
	if (!space_holds(address, size))
		return -ENOMEM;
	above = regions_above(&user_regions, address);
	if (above == NULL || above->start >= address + size)
		return 0;
	if ((flags & MAP_FIXED_NOREPLACE) == MAP_FIXED_NOREPLACE)
		return -EEXIST;
	if (regions_remove(&user_regions, address, address + size) < 0)
		return -ENOMEM;
	pagetable_unmap(address, address + size);
	return 0;
}

/* Of the files that there are only /dev/zero can be mapped, which gives memory like any other (mem(4)). */
static i64 check_file(const u64 *arg)
{
	bool shared_write = ((u32)arg[3] & MAP_TYPE) != MAP_PRIVATE && ((u32)arg[2] & PROT_WRITE);
	const struct file *file = file_get(arg[4]);
	u32 access;

	if (file == NULL)
		return -EBADF;
	access = file->flags & O_ACCMODE;
	if (access == O_WRONLY || (shared_write && access != O_RDWR))
		return -EACCES;
	return file->operations == &zero_operations ? 0 : -ENODEV;
}

static i64 check_flags(const u64 *arg)
{
	u32 type = (u32)arg[3] & MAP_TYPE;

	if (arg[1] == 0 || (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE))
		return -EINVAL;
	if (!((u32)arg[3] & MAP_ANONYMOUS)) {
		i64 result = check_file(arg);

		if (result < 0)
			return result;
	}
	if ((u32)arg[3] & MAP_HUGETLB)
		return -ENOMEM; /* none are reserved */
	if (!protection_allowed((u32)arg[2]))
		return -EACCES;
	return 0;
}

static void populate(u64 address, u64 size, u32 prot)
{
	u32 access = prot & PROT_WRITE ? PROT_WRITE : PROT_READ;

	for (u64 page = address; page < address + size; page += PAGE_SIZE)
		if (!page_in(page, access))
			return;
}

i64 sys_mmap(const u64 *arg)
{
	u64 address = arg[0], size = page_up(arg[1]);
	u32 prot = (u32)arg[2] & PROT_MASK, flags = (u32)arg[3];
	i64 result = check_flags(arg);

	if (result < 0)
		return result;
	if (size == 0 || size > AIRLOCK_USER_END)
		return -ENOMEM;
	if ((prot & PROT_WRITE) && !(flags & MAP_NORESERVE) && !promise_reasonable(size))
		return -ENOMEM;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		result = place_fixed(address, size, flags);
		if (result < 0)
			return result;
	} else {
		address = place(address, size, flags);
		if (address == 0)
			return -ENOMEM;
	}
	if (regions_insert(&user_regions, address, address + size, prot, flags & MAP_SHARED ? REGION_SHARED : 0) < 0)
		return -ENOMEM;
	if (flags & MAP_POPULATE)
		populate(address, size, prot);
	return (i64)address;
}

i64 sys_munmap(const u64 *arg)
{
	u64 start = arg[0], size = page_up(arg[1]);

	if (start % PAGE_SIZE != 0 || size == 0 || start > USER_LIMIT || size > USER_LIMIT - start)
		return -EINVAL;
	start = MAX(start, AIRLOCK_USER_START);
	if (start >= arg[0] + size)
		return 0;
	size -= start - arg[0];
	if (regions_remove(&user_regions, start, start + size) < 0)
		return -ENOMEM;
	pagetable_unmap(start, start + size);
	return 0;
}

/* Code of the program's file may lose and regain PROT_EXEC only while it is not writable. */
static bool may_execute(u64 start, u64 end)
{
	if (code_generation())
		return true;
	for (struct region *region = regions_above(&user_regions, start); region != NULL && region->start < end;
	     region = regions_next(region))
		if (!(region->prot & PROT_EXEC))
			return false;
	return true;
}

i64 sys_mprotect(const u64 *arg)
{
	u64 start = arg[0], size = page_up(arg[1]);
	u32 prot = (u32)arg[2];

	if (start % PAGE_SIZE != 0 || (prot & ~(u32)PROT_MASK) != 0)
		return -EINVAL; /* PROT_GROWSDOWN too: no region grows */
	if (size == 0)
		return 0;
	if (!space_holds(start, size) || !regions_covered(&user_regions, start, start + size))
		return -ENOMEM;
	if ((prot & PROT_EXEC) && (!may_execute(start, start + size) || ((prot & PROT_WRITE) && !code_generation())))
		return -EACCES;
	if (regions_protect(&user_regions, start, start + size, prot) < 0)
		return -ENOMEM;
	pagetable_protect(start, start + size, prot);
	return 0;
}
