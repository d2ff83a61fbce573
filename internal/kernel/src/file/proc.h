/* What others tell about the process, for /proc/self. */
#ifndef FILE_PROC_H
#define FILE_PROC_H

#include "lib/types.h"

/* Where the argument strings lie in the program's memory: /proc/self/cmdline shows what is there. */
void proc_set_arguments(u64 start, u64 end);

#endif
