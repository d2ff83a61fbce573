/* mmap(2) and its family. */
#ifndef MM_MMAP_H
#define MM_MMAP_H

#include "sys/syscall.h"

/* True if a program may have memory with this protection: W^X, unless the host allows it to generate code. */
bool protection_allowed(u32 prot);
/*
 * True if so much more writable memory may be promised. Memory is promised
 * freely and given on first touch, since runtimes reserve far more than they
 * use; only a single request beyond all reason is refused, as Linux does with
 * vm.overcommit_memory=0.
 */
bool promise_reasonable(u64 size);

syscall_handler sys_mmap, sys_munmap, sys_mprotect, sys_mremap, sys_madvise, sys_mincore, sys_msync;
syscall_handler sys_mlock, sys_mlockall;

#endif
