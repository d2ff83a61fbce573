/* Reading and writing an open file, with all that read(2) and write(2) say about waiting, for the calls that are like
 * them. */
#ifndef FILE_RW_H
#define FILE_RW_H

#include "lib/types.h"

struct file;
struct transfer;

/* How it is done, apart from O_NONBLOCK of the file. */
#define MOVE_NO_WAIT 1u   /* EAGAIN rather than wait */
#define MOVE_NO_SIGNAL 2u /* EPIPE without SIGPIPE */
#define MOVE_ALL 4u       /* reads: wait until everything is there, or no more comes */

i64 file_read(struct file *file, struct transfer *transfer, u32 how);
i64 file_write(struct file *file, struct transfer *transfer, u32 how);
/* What it means for the caller that a file can't move anything now: it waits (CALL_BLOCKED), or gets -EAGAIN. */
i64 file_again(struct file *file, u32 how);

#endif
