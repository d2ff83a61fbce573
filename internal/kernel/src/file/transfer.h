/*
 * The program's side of a read or write: one buffer, or the buffers of an
 * iovec array (readv(2)). Operations of files move bytes through it without
 * knowing which, so that vectors are as atomic as single buffers are.
 */
#ifndef FILE_TRANSFER_H
#define FILE_TRANSFER_H

#include "lib/types.h"

struct transfer {
	u64 address, size; /* what is left of the buffer that it is at */
	u64 vector;        /* the iovecs behind that, in the program's memory */
	u64 pieces;        /* how many they are */
	u64 left;          /* bytes in all buffers together */
	u64 position;      /* in the file, if it has positions */
};

int transfer_buffer(struct transfer *transfer, u64 address, u64 size); /* 0 or -EINVAL */
int transfer_vector(struct transfer *transfer, u64 vector, u64 count); /* 0, -EINVAL or -EFAULT */
/* Leaves out the first bytes: those that an earlier run of the call has moved. 0 or -EFAULT. */
int transfer_skip(struct transfer *transfer, u64 size);

/*
 * Each moves up to size bytes and returns how many: fewer when the transfer
 * ends or hits bad memory, -EFAULT when bad memory is the first thing it hits.
 */
i64 transfer_to_program(struct transfer *transfer, const void *from, u64 size);
i64 transfer_from_program(struct transfer *transfer, void *to, u64 size);

#endif
