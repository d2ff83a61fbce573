/*
 * Futexes (futex(2)). There is one address space, so the address alone is the
 * key, and FUTEX_PRIVATE_FLAG makes no difference. Those with priority
 * inheritance are not there: ENOSYS, on which libcs fall back or fail cleanly.
 */
#include "sched/futex.h"

#include <linux/futex.h>
#include <linux/time_types.h>

#include "airlock_abi.h"
#include "mm/user.h"
#include "sched/clock.h"
#include "sys/timespec.h"

#define BUCKETS 256u

static struct list buckets[BUCKETS];

static struct list *bucket_of(u64 address)
{
	struct list *bucket = &buckets[(address >> 2) * 0x9e3779b97f4a7c15ull >> 56];

	if (bucket->next == NULL)
		list_init(bucket);
	return bucket;
}

static void wake_waiter(struct futex_wait *wait)
{
	list_remove(&wait->link);
	wait->woken = true;
	thread_wake(CONTAINER_OF(wait, struct thread, futex));
}

static u32 wake_matching(u64 address, u32 limit, u32 bitset)
{
	struct list *bucket = bucket_of(address);
	u32 woken = 0;

	LIST_FOR_EACH (link, bucket) {
		struct futex_wait *wait = LIST_ENTRY(link, struct futex_wait, link);

		if (woken == limit)
			break;
		if (wait->address == address && (wait->bitset & bitset)) {
			wake_waiter(wait);
			woken++;
		}
	}
	return woken;
}

u32 futex_wake(u64 address, u32 limit) { return wake_matching(address, limit, FUTEX_BITSET_MATCH_ANY); }

/* The absolute monotonic deadline of a wait, whose timeout may be relative, absolute, or of the wall clock. */
static i64 read_deadline(u64 address, u32 operation, u64 *deadline)
{
	struct __kernel_timespec timeout;
	u64 time;

	*deadline = NEVER;
	if (address == 0)
		return 0;
	if (copy_from_user(&timeout, address, sizeof(timeout)) < 0)
		return -EFAULT;
	if (!timespec_valid(&timeout))
		return -EINVAL;
	time = timespec_to_ns(&timeout);
	if ((operation & FUTEX_CMD_MASK) == FUTEX_WAIT)
		*deadline = wait_deadline(time);
	else if (operation & FUTEX_CLOCK_REALTIME)
		*deadline = time > clock_wall_offset() ? time - clock_wall_offset() : 0;
	else
		*deadline = time;
	return 0;
}

/*
 * A wait with a timeout is not made again after a signal handler, whatever SA_RESTART says, for it would wait for the
 * whole timeout again: signal(7), "Interruption of system calls and library functions by signal handlers".
 */
static i64 wait_until(u64 deadline)
{
	i64 result = wait_block(deadline);

	return result == CALL_RESTART && deadline != NEVER ? -EINTR : result;
}

static i64 wait_again(struct futex_wait *wait)
{
	i64 result;

	if (wait->woken)
		return 0;
	result = wait_until(current->call.deadline);
	if (result != CALL_BLOCKED)
		list_remove(&wait->link);
	return result;
}

static i64 futex_wait(u64 address, u32 operation, u32 expected, u64 timeout, u32 bitset)
{
	struct futex_wait *wait = &current->futex;
	u64 deadline;
	i64 result;
	u32 value;

	if (current->call.again)
		return wait_again(wait);
	if (bitset == 0)
		return -EINVAL;
	result = read_deadline(timeout, operation, &deadline);
	if (result < 0)
		return result;
	if (copy_from_user(&value, address, sizeof(value)) < 0)
		return -EFAULT;
	if (value != expected)
		return -EAGAIN;
	result = wait_until(deadline);
	if (result != CALL_BLOCKED)
		return result;
	wait->address = address;
	wait->bitset = bitset;
	wait->woken = false;
	list_add_tail(bucket_of(address), &wait->link);
	return CALL_BLOCKED;
}

static i64 futex_requeue(const u64 *arg, bool compare)
{
	u64 from = arg[0], to = arg[4];
	i32 wake = (i32)arg[2], move = (i32)arg[3];
	struct list *bucket = bucket_of(from);
	u32 value, woken, moved = 0;

	if (wake < 0 || move < 0)
		return -EINVAL;
	if (to % sizeof(u32) != 0)
		return -EINVAL;
	if (!user_readable(to, sizeof(value)) || copy_from_user(&value, from, sizeof(value)) < 0)
		return -EFAULT;
	if (compare && value != (u32)arg[5])
		return -EAGAIN;
	woken = futex_wake(from, (u32)wake);
	LIST_FOR_EACH (link, bucket) {
		struct futex_wait *wait = LIST_ENTRY(link, struct futex_wait, link);

		if (moved == (u32)move)
			break;
		if (wait->address != from)
			continue;
		moved++;
		if (to == from)
			continue;
		list_remove(&wait->link);
		wait->address = to;
		list_add_tail(bucket_of(to), &wait->link);
	}
	return woken + moved;
}

/* FUTEX_WAKE_OP: changes a word, wakes at the first address, and at the second if its old value compares. */
static i64 futex_wake_op(const u64 *arg)
{
	u32 code = (u32)arg[5];
	i32 operand = (i32)(code << 8) >> 20, comparand = (i32)(code << 20) >> 20;
	u32 operation = code >> 28, comparison = code >> 24 & 15;
	i32 *word = (i32 *)arg[4], old;
	bool holds;
	u32 woken;

	if (arg[4] % sizeof(u32) != 0)
		return -EINVAL;
	if (!user_writable(arg[4], sizeof(*word)))
		return -EFAULT;
	if (operation & FUTEX_OP_OPARG_SHIFT)
		operand = (i32)(1u << (operand & 31));
	old = *word;
	switch (operation & 7) {
	case FUTEX_OP_SET: *word = operand; break;
	case FUTEX_OP_ADD: *word = (i32)((u32)old + (u32)operand); break;
	case FUTEX_OP_OR: *word = old | operand; break;
	case FUTEX_OP_ANDN: *word = old & ~operand; break;
	case FUTEX_OP_XOR: *word = old ^ operand; break;
	default: return -ENOSYS;
	}
	switch (comparison) {
	case FUTEX_OP_CMP_EQ: holds = old == comparand; break;
	case FUTEX_OP_CMP_NE: holds = old != comparand; break;
	case FUTEX_OP_CMP_LT: holds = old < comparand; break;
	case FUTEX_OP_CMP_GE: holds = old >= comparand; break;
	case FUTEX_OP_CMP_LE: holds = old <= comparand; break;
	case FUTEX_OP_CMP_GT: holds = old > comparand; break;
	default: return -ENOSYS;
	}
	woken = futex_wake(arg[0], (u32)MAX((i32)arg[2], 1));
	if (holds)
		woken += futex_wake(arg[4], (u32)MAX((i32)arg[3], 1));
	return woken;
}

i64 sys_futex(const u64 *arg)
{
	u32 operation = (u32)arg[1] & ~(u32)FUTEX_PRIVATE_FLAG;

	if (arg[0] % sizeof(u32) != 0)
		return -EINVAL;
	if (arg[0] >= AIRLOCK_USER_END)
		return -EFAULT;
	switch (operation & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		return futex_wait(arg[0], operation, (u32)arg[2], arg[3], FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return futex_wait(arg[0], operation, (u32)arg[2], arg[3], (u32)arg[5]);
	case FUTEX_WAKE:
		return futex_wake(arg[0], (u32)MAX((i32)arg[2], 1));
	case FUTEX_WAKE_BITSET:
		if ((u32)arg[5] == 0)
			return -EINVAL;
		return wake_matching(arg[0], (u32)MAX((i32)arg[2], 1), (u32)arg[5]);
	case FUTEX_REQUEUE:
		return futex_requeue(arg, false);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(arg, true);
	case FUTEX_WAKE_OP:
		return futex_wake_op(arg);
	default:
		return -ENOSYS;
	}
}

i64 sys_set_robust_list(const u64 *arg)
{
	if (arg[1] != sizeof(struct robust_list_head))
		return -EINVAL;
	current->robust_list = arg[0];
	return 0;
}

i64 sys_get_robust_list(const u64 *arg)
{
	const struct thread *thread = arg[0] == 0 ? current : thread_find((u32)arg[0]);
	const u64 size = sizeof(struct robust_list_head);

	if (thread == NULL)
		return -ESRCH;
	if (copy_to_user(arg[1], &thread->robust_list, sizeof(u64)) < 0 || copy_to_user(arg[2], &size, sizeof(size)) < 0)
		return -EFAULT;
	return 0;
}

/*
 * One lock of the list: if the thread held it, the next owner learns that it died. With the operation that is pending
 * it may have unlocked the lock already, and have died before it woke somebody.
 */
static void robust_died(u64 address, const struct thread *thread, bool pending)
{
	u32 value;

	if (address % sizeof(u32) != 0 || copy_from_user(&value, address, sizeof(value)) < 0)
		return;
	if (pending && value == 0)
		futex_wake(address, 1);
	if ((value & FUTEX_TID_MASK) != thread->id)
		return;
	value = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	if (copy_to_user(address, &value, sizeof(value)) < 0)
		return;
	if (value & FUTEX_WAITERS)
		futex_wake(address, 1);
}

void futex_exit_robust(struct thread *thread)
{
	struct robust_list_head head;
	u64 entry, next;

	if (thread->robust_list == 0 || copy_from_user(&head, thread->robust_list, sizeof(head)) < 0)
		return;
	entry = (u64)head.list.next;
	for (u32 i = 0; i < ROBUST_LIST_LIMIT && entry != thread->robust_list; i++) {
		/* Bit 0 marks a lock with priority inheritance, which no thread can hold here. */
		if (copy_from_user(&next, entry & ~1ull, sizeof(next)) < 0)
			return;
		if (entry != (u64)head.list_op_pending)
			robust_died((entry & ~1ull) + (u64)head.futex_offset, thread, false);
		entry = next;
	}
	if (head.list_op_pending != NULL)
		robust_died(((u64)head.list_op_pending & ~1ull) + (u64)head.futex_offset, thread, true);
}
