/*
 * The program's memory as system calls use it. The kernel takes no page
 * faults of its own: these functions check the address range against the
 * program's regions and make its pages present, and only then touch them.
 * When the pool is empty they end the program (out of memory) and don't return.
 */
#ifndef MM_USER_H
#define MM_USER_H

#include "lib/types.h"

/*
 * True if the program itself could read (write) every byte; the pages are then
 * present and may be accessed directly through the address, until the handler
 * returns or changes mappings.
 */
bool user_readable(u64 address, u64 size);
bool user_writable(u64 address, u64 size);

int copy_from_user(void *to, u64 from, u64 size); /* 0 or -EFAULT */
int copy_to_user(u64 to, const void *from, u64 size);
/* Copies a NUL-terminated string: its length, -EFAULT, or -ENAMETOOLONG if it has size or more bytes. */
i64 copy_string_from_user(char *to, u64 from, size_t size);

#endif
