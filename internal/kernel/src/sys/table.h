/* System calls by number. */
#ifndef SYS_TABLE_H
#define SYS_TABLE_H

#include "arch/registers.h"
#include "lib/types.h"

i64 syscall_run(u32 number, const struct registers *registers);
bool syscall_known(u32 number);
void syscall_arguments(const struct registers *registers, u64 arg[6]);

#endif
