/* The kernel's randomness. */
#ifndef SYS_RANDOM_H
#define SYS_RANDOM_H

#include "sys/syscall.h"

void kernel_random_seed(const u8 seed[32]);
void kernel_random(void *to, size_t size);

syscall_handler sys_getrandom;

#endif
