/* Access to the program's memory from system calls. */
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/mman.h>

#include "airlock_abi.h"
#include "lib/string.h"
#include "mm/fault.h"
#include "mm/pagetable.h"

static bool user_accessible(u64 address, u64 size, u32 access)
{
	u64 needed = ENTRY_PRESENT | (access == PROT_WRITE ? ENTRY_WRITE : 0);

	if (address >= AIRLOCK_USER_END || size > AIRLOCK_USER_END - address)
		return false;
	for (u64 page = page_down(address); page < address + size; page += PAGE_SIZE) {
		const u64 *entry = pagetable_entry(page, false);

		if (entry != NULL && (*entry & needed) == needed)
			continue;
		if (!page_in(page, access))
			return false;
	}
	return true;
}

bool user_readable(u64 address, u64 size) { return user_accessible(address, size, PROT_READ); }

bool user_writable(u64 address, u64 size) { return user_accessible(address, size, PROT_WRITE); }

int copy_from_user(void *to, u64 from, u64 size)
{
	if (!user_readable(from, size))
		return -EFAULT;
	memcpy(to, (const void *)from, size);
	return 0;
}

int copy_to_user(u64 to, const void *from, u64 size)
{
	if (!user_writable(to, size))
		return -EFAULT;
	memcpy((void *)to, from, size);
	return 0;
}

i64 copy_string_from_user(char *to, u64 from, size_t size)
{
	for (size_t length = 0; length < size; length++) {
		if ((length == 0 || (from + length) % PAGE_SIZE == 0) && !user_readable(from + length, 1))
			return -EFAULT;
		to[length] = *(const char *)(from + length);
		if (to[length] == 0)
			return (i64)length;
	}
	return -ENAMETOOLONG;
}
