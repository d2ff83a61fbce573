/* The program's address space: its regions, and the limits that mmap(2) and brk(2) keep. */
#ifndef MM_SPACE_H
#define MM_SPACE_H

#include "airlock_abi.h"
#include "lib/types.h"
#include "mm/regions.h"

#define STACK_SIZE (8ull << 20)     /* of the first thread, as RLIMIT_STACK says */
#define STACK_GAP (1ull << 20)      /* nothing is placed so close below the stack */
#define STACK_TOP (USER_LIMIT - STACK_GAP)

#define USER_LIMIT AIRLOCK_MESSAGES /* what programs may map and unmap lies below */
#define REGION_LIMIT 65530u             /* as /proc/sys/vm/max_map_count */

extern struct regions user_regions;

/* True if [start, start+size) lies within what programs may map. */
static inline bool space_holds(u64 start, u64 size)
{
	return start >= AIRLOCK_USER_START && start <= USER_LIMIT && size <= USER_LIMIT - start;
}

void space_init(void); /* regions of the program image, stack, clock page and vDSO */

#endif
