/* The kernel's randomness. */
#ifndef SYS_RANDOM_H
#define SYS_RANDOM_H

#include "sys/syscall.h"

void kernel_random_init(void); /* with the host's seed */
void kernel_random(void *to, size_t size);

syscall_handler sys_getrandom;

#endif
