/* All guest-physical memory is mapped at the physmap. */
#include "airlock_abi.h"
#include "mm/pool.h"

void *physical_to_virtual(u64 physical) { return (void *)(AIRLOCK_PHYSMAP + physical); }

u64 virtual_to_physical(const void *address) { return (u64)address - AIRLOCK_PHYSMAP; }
