/*
 * Compiles if what the SDK restates of the contract is what the contract says.
 * The Go test adds the limits and numbers of internal/wire.
 */
#include "../../../../abi/airlock_abi.h"

#include "../../airlock_guest.c"

#define SAME(a, b) _Static_assert((a) == (b), #a " is not " #b)
#define SAME_FIELD(field)                                                                                              \
	SAME(offsetof(struct info, field), offsetof(struct airlock_info, field));                                      \
	SAME(sizeof(((struct info *)0)->field), sizeof(((struct airlock_info *)0)->field))

SAME(ABI_VERSION, AIRLOCK_ABI_VERSION);
SAME(ABI_SYSCALL, AIRLOCK_SYSCALL);
SAME((int)OPERATION_INFO, (int)AIRLOCK_OPERATION_INFO);
SAME((int)OPERATION_DECLARE, (int)AIRLOCK_OPERATION_DECLARE);
SAME((int)OPERATION_NEXT, (int)AIRLOCK_OPERATION_NEXT);
SAME((int)OPERATION_HOST, (int)AIRLOCK_OPERATION_HOST);
SAME((int)OPERATION_LOG, (int)AIRLOCK_OPERATION_LOG);
SAME((int)OPERATION_ABORT, (int)AIRLOCK_OPERATION_ABORT);
SAME((int)OPERATION_ABORT, (int)AIRLOCK_OPERATION_LAST);
SAME(sizeof(struct info), sizeof(struct airlock_info));
SAME_FIELD(abi_version);
SAME_FIELD(serve);
SAME_FIELD(output);
SAME_FIELD(output_size);
SAME_FIELD(input);
SAME_FIELD(input_size);
SAME_FIELD(generation);
SAME_FIELD(inbox);
SAME_FIELD(outbox);
SAME_FIELD(message);
SAME_FIELD(leave);
SAME(sizeof(struct message), sizeof(struct airlock_message));
SAME(offsetof(struct message, length), offsetof(struct airlock_message, length));
SAME(offsetof(struct message, answer), offsetof(struct airlock_message, answer));
SAME(offsetof(struct message, result), offsetof(struct airlock_message, result));
SAME(offsetof(struct message, sequence), offsetof(struct airlock_message, sequence));
SAME(PORT_NEXT, AIRLOCK_PORT_NEXT);
SAME(PORT_HOST, AIRLOCK_PORT_HOST);
SAME(sizeof(struct outbox), sizeof(struct airlock_outbox));
SAME(offsetof(struct outbox, sequence), offsetof(struct airlock_outbox, sequence));
SAME(sizeof(struct inbox), sizeof(struct airlock_inbox));
SAME(offsetof(struct inbox, sequence), offsetof(struct airlock_inbox, sequence));
SAME(offsetof(struct inbox, patience), offsetof(struct airlock_inbox, patience));
SAME(OPERATION_BITS, AIRLOCK_OPERATION_BITS);
SAME(PATIENCE_TICKS, AIRLOCK_PATIENCE_TICKS);

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

SAME(SYSCALL_WRITE, SYS_write);
SAME(SYSCALL_MMAP, SYS_mmap);
SAME(SYSCALL_FUTEX, SYS_futex);
SAME(SYSCALL_EXIT_GROUP, SYS_exit_group);
SAME((int)FUTEX_WAIT_PRIVATELY, (FUTEX_WAIT | FUTEX_PRIVATE_FLAG));
SAME((int)FUTEX_WAKE_PRIVATELY, (FUTEX_WAKE | FUTEX_PRIVATE_FLAG));
SAME(PROT_READ_WRITE, (PROT_READ | PROT_WRITE));
SAME(MAP_PRIVATE_ANONYMOUS, (MAP_PRIVATE | MAP_ANONYMOUS));
