/* Pipes: see pipe(7). */
#ifndef FILE_PIPE_H
#define FILE_PIPE_H

#include "lib/types.h"

struct file;

i64 pipe_capacity(const struct file *file); /* bytes, or -EBADF if it is no pipe */

#endif
