/* brk(2). */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include "sys/syscall.h"

void heap_init(u64 program_end);
syscall_handler sys_brk;

#endif
