/* select(2) and pselect6(2). */
#include <asm/errno.h>
#include <linux/eventpoll.h>
#include <linux/time_types.h>

#include "file/file.h"
#include "file/syscalls.h"
#include "file/timeout.h"
#include "mm/user.h"

#define WORD_BITS 64u
#define WORDS (FILE_LIMIT / WORD_BITS)
#define KINDS 3u

#define NS_PER_US 1000u
#define US_PER_SECOND 1000000

/* What makes a descriptor ready for reading, for writing, and exceptional (select(2), NOTES). */
static const u32 events_of_kind[KINDS] = {
	EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR,
	EPOLLWRNORM | EPOLLWRBAND | EPOLLOUT | EPOLLERR,
	EPOLLPRI,
};

struct sets {
	u32 count;          /* descriptors to look at: those below it */
	u64 address[KINDS]; /* of the program's sets, or 0 */
	u64 wanted[KINDS][WORDS];
	u64 ready[KINDS][WORDS];
};

static u64 bytes_of(const struct sets *sets) { return (sets->count + WORD_BITS - 1) / WORD_BITS * sizeof(u64); }

static int load(struct sets *sets, const u64 *arg)
{
	*sets = (struct sets){.count = MIN((u32)arg[0], FILE_LIMIT)};
	for (u32 kind = 0; kind < KINDS; kind++) {
		sets->address[kind] = arg[1 + kind];
		if (sets->address[kind] == 0)
			continue;
		if (copy_from_user(sets->wanted[kind], sets->address[kind], bytes_of(sets)) < 0)
			return -EFAULT;
		if (sets->count % WORD_BITS != 0)
			sets->wanted[kind][sets->count / WORD_BITS] &= ~(~0ull << (sets->count % WORD_BITS));
	}
	return 0;
}

static int store(const struct sets *sets)
{
	for (u32 kind = 0; kind < KINDS; kind++) {
		if (sets->address[kind] == 0)
			continue;
		if (copy_to_user(sets->address[kind], sets->ready[kind], bytes_of(sets)) < 0)
			return -EFAULT;
	}
	return 0;
}

/* True if a descriptor is in any of the sets. */
static bool is_wanted(const struct sets *sets, u32 descriptor)
{
	u32 word = descriptor / WORD_BITS;
	u64 all = sets->wanted[0][word] | sets->wanted[1][word] | sets->wanted[2][word];

	return (all >> (descriptor % WORD_BITS) & 1) != 0;
}

/* Finds what is ready. The number of bits in the answer, or -EBADF. */
static i64 scan(struct sets *sets)
{
	i64 ready = 0;

	for (u32 descriptor = 0; descriptor < sets->count; descriptor++) {
		u64 bit = 1ull << (descriptor % WORD_BITS);
		u32 word = descriptor / WORD_BITS, events;

		if (!is_wanted(sets, descriptor))
			continue;
		if (file_get(descriptor) == NULL)
			return -EBADF;
		events = file_poll(file_get(descriptor));
		for (u32 kind = 0; kind < KINDS; kind++) {
			if (!(sets->wanted[kind][word] & bit) || !(events & events_of_kind[kind]))
				continue;
			sets->ready[kind][word] |= bit;
			ready++;
		}
	}
	return ready;
}

static i64 wait_for(const struct sets *sets, u64 deadline)
{
	i64 result = wait_block(deadline);

	for (u32 descriptor = 0; descriptor < sets->count && result == CALL_BLOCKED; descriptor++)
		if (is_wanted(sets, descriptor) && wait_on(&file_get(descriptor)->queue) < 0)
			result = timeout_give_up();
	return timeout_result(result);
}

static i64 select_sets(const u64 *arg, u64 timeout)
{
	struct sets sets;
	i64 result;

	if ((i32)arg[0] < 0)
		return -EINVAL;
	if (load(&sets, arg) < 0)
		return -EFAULT;
	result = scan(&sets);
	if (result == 0)
		result = wait_for(&sets, wait_deadline(timeout));
	if (result >= 0 && store(&sets) < 0)
		return -EFAULT;
	return result;
}

/* A struct timeval whose microseconds may be more than a second. 0, -EFAULT or -EINVAL. */
static i64 timeout_from_timeval(u64 address, u64 *timeout)
{
	struct __kernel_old_timeval time;
	u64 us;

	*timeout = NEVER;
	if (address == 0)
		return 0;
	if (copy_from_user(&time, address, sizeof(time)) < 0)
		return -EFAULT;
	if (time.tv_sec < 0 || time.tv_usec < 0)
		return -EINVAL;
	if (__builtin_mul_overflow((u64)time.tv_sec, (u64)US_PER_SECOND, &us) ||
	    __builtin_add_overflow(us, (u64)time.tv_usec, &us) || __builtin_mul_overflow(us, (u64)NS_PER_US, timeout))
		*timeout = NEVER;
	return 0;
}

/* Linux changes the timeout of select(2) to what remains of it. */
static void write_back_timeval(u64 address, u64 timeout)
{
	struct __kernel_old_timeval time;
	u64 us;

	if (address == 0 || timeout == 0 || timeout == NEVER)
		return;
	us = timeout_remaining(timeout) / NS_PER_US;
	time.tv_sec = (i64)(us / US_PER_SECOND);
	time.tv_usec = (i64)(us % US_PER_SECOND);
	copy_to_user(address, &time, sizeof(time));
}

i64 sys_select(const u64 *arg)
{
	u64 timeout;
	i64 result = timeout_from_timeval(arg[4], &timeout);

	if (result < 0)
		return result;
	result = select_sets(arg, timeout);
	if (result != CALL_BLOCKED)
		write_back_timeval(arg[4], timeout);
	return result;
}

i64 sys_pselect6(const u64 *arg)
{
	struct {
		u64 address, size;
	} mask = {0, 0}; /* the sixth argument points to these two, because a seventh is not to be had */
	u64 timeout;
	i64 result;

	if (arg[5] != 0 && copy_from_user(&mask, arg[5], sizeof(mask)) < 0)
		return -EFAULT;
	result = timeout_from_timespec(arg[4], &timeout);
	if (result == 0)
		result = timeout_mask(mask.address, mask.size);
	if (result < 0)
		return result;
	result = select_sets(arg, timeout);
	if (result != CALL_BLOCKED)
		timeout_write_back(arg[4], timeout);
	return result;
}
