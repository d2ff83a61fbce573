/* The system call by which programs exchange messages with the host. */
#ifndef SYS_MESSAGE_H
#define SYS_MESSAGE_H

#include "sys/syscall.h"

syscall_handler sys_airlock;

#endif
