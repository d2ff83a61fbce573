/* Clocks by their ids, and the system calls about time. */
#ifndef SYS_TIME_H
#define SYS_TIME_H

#include "lib/types.h"
#include "sys/syscall.h"

int clock_read(i32 clock, u64 *ns); /* the time of the clock: 0 or -EINVAL if there is none */
bool clock_is_cpu_time(i32 clock);  /* of a thread or the process, so that it may stand still */
i32 clock_for_everyone(i32 clock);  /* the same clock by an id that means the same in every thread */

/* Reads a struct timespec of the program (see sys/timespec.h): 0, -EFAULT or -EINVAL. */
int time_read_spec(u64 address, u64 *ns);

/* time.c */
syscall_handler sys_clock_gettime;
syscall_handler sys_clock_getres;
syscall_handler sys_gettimeofday;
syscall_handler sys_time;
syscall_handler sys_times;
syscall_handler sys_getrusage;

/* sleep.c */
syscall_handler sys_nanosleep;
syscall_handler sys_clock_nanosleep;

#endif
