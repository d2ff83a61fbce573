/* Timers that are read as files: see timerfd_create(2). */
#include <asm/errno.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/time.h>
#include <linux/timerfd.h>

#include "file/file.h"
#include "file/syscalls.h"
#include "file/transfer.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "sched/clock.h"
#include "sys/timespec.h"

struct timerfd {
	struct file file;
	struct timer timer;
	u64 due;         /* when it expires next, or did so last */
	u64 interval;    /* ns between expirations, 0 for only one */
	u64 expirations; /* not read yet */
	bool paused;     /* it has expired and repeats, but the next time isn't armed yet */
	bool wall;       /* absolute times are those of CLOCK_REALTIME */
};

static struct timerfd *timerfd_of(struct file *file) { return CONTAINER_OF(file, struct timerfd, file); }

/*
 * A timer that repeats is armed again only when somebody looks at it: with an
 * interval of a nanosecond it would otherwise keep the machine busy alone.
 */
static void expire(struct timer *timer)
{
	struct timerfd *timerfd = CONTAINER_OF(timer, struct timerfd, timer);

	timerfd->expirations++;
	timerfd->paused = timerfd->interval != 0;
	waitqueue_wake(&timerfd->file.queue);
}

static u64 add_saturating(u64 a, u64 b) { return b >= NEVER - a ? NEVER - 1 : a + b; }

static void arm(struct timerfd *timerfd, u64 due)
{
	timerfd->due = due;
	timerheap_arm(&timers, &timerfd->timer, due);
}

/* Counts the expirations since the timer was paused, and arms the next. */
static void catch_up(struct timerfd *timerfd)
{
	u64 missed;

	if (!timerfd->paused)
		return;
	missed = (clock_monotonic() - timerfd->due) / timerfd->interval;
	timerfd->expirations += missed;
	timerfd->paused = false;
	arm(timerfd, add_saturating(timerfd->due, (missed + 1) * timerfd->interval));
}

/* It has expired, but timers_run hasn't come to it. */
static bool overdue(const struct timerfd *timerfd) { return timerfd->timer.armed && timerfd->due <= clock_monotonic(); }

static i64 timerfd_read(struct file *file, struct transfer *transfer)
{
	struct timerfd *timerfd = timerfd_of(file);

	if (transfer->left < sizeof(timerfd->expirations))
		return -EINVAL;
	if (overdue(timerfd))
		timers_run();
	if (timerfd->expirations == 0)
		return -EAGAIN;
	catch_up(timerfd);
	if (transfer_to_program(transfer, &timerfd->expirations, sizeof(u64)) != sizeof(u64))
		return -EFAULT;
	timerfd->expirations = 0;
	return sizeof(u64);
}

static u32 timerfd_poll(struct file *file)
{
	const struct timerfd *timerfd = timerfd_of(file);

	return timerfd->expirations > 0 || overdue(timerfd) ? EPOLLIN : 0;
}

static void timerfd_release(struct file *file)
{
	timerheap_cancel(&timers, &timerfd_of(file)->timer);
	slab_free(timerfd_of(file), sizeof(struct timerfd));
}

static const struct file_operations timerfd_operations = {
	.name = "anon_inode:[timerfd]",
	.mode = 0600,
	.read = timerfd_read,
	.poll = timerfd_poll,
	.release = timerfd_release,
};

i64 sys_timerfd_create(const u64 *arg)
{
	u32 clock = (u32)arg[0], flags = (u32)arg[1];
	struct timerfd *timerfd;

	if ((flags & ~(u32)(TFD_CLOEXEC | TFD_NONBLOCK)) != 0)
		return -EINVAL;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
		return -EINVAL;
	timerfd = slab_alloc(sizeof(*timerfd));
	if (timerfd == NULL)
		return -ENOMEM;
	file_init(&timerfd->file, &timerfd_operations, O_RDWR | (flags & O_NONBLOCK));
	timerfd->timer.fire = expire;
	timerfd->wall = clock == CLOCK_REALTIME;
	return file_publish(&timerfd->file, flags & TFD_CLOEXEC);
}

/* -EINVAL if the descriptor is open but no timer. */
static i64 find(u64 descriptor, struct timerfd **timerfd)
{
	struct file *file = file_get(descriptor);

	if (file == NULL)
		return -EBADF;
	if (file->operations != &timerfd_operations)
		return -EINVAL;
	*timerfd = timerfd_of(file);
	return 0;
}

/* The time to the next expiration, and the interval. */
static void describe(struct timerfd *timerfd, struct __kernel_itimerspec *setting)
{
	u64 now = clock_monotonic(), left = 0;

	catch_up(timerfd);
	if (timerfd->timer.armed) /* one that is due but hasn't fired is not disarmed, so not 0 */
		left = timerfd->due > now ? timerfd->due - now : 1;
	setting->it_interval = timespec_from_ns(timerfd->interval);
	setting->it_value = timespec_from_ns(left);
}

/* When a timer set to value ns expires, on the monotonic clock. */
static u64 due_of(const struct timerfd *timerfd, u64 value, bool absolute)
{
	u64 offset = timerfd->wall ? clock_wall_offset() : 0;

	if (!absolute)
		return add_saturating(clock_monotonic(), value);
	return value > offset ? MIN(value - offset, NEVER - 1) : 0;
}

i64 sys_timerfd_settime(const u64 *arg)
{
	struct __kernel_itimerspec setting, old;
	struct timerfd *timerfd;
	u32 flags = (u32)arg[1];
	u64 value;
	i64 error;

	if (copy_from_user(&setting, arg[2], sizeof(setting)) < 0)
		return -EFAULT;
	if ((flags & ~(u32)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0)
		return -EINVAL;
	if (!timespec_valid(&setting.it_value) || !timespec_valid(&setting.it_interval))
		return -EINVAL;
	error = find(arg[0], &timerfd);
	if (error < 0)
		return error;
	if (arg[3] != 0 && !user_writable(arg[3], sizeof(old)))
		return -EFAULT;
	describe(timerfd, &old);
	timerheap_cancel(&timers, &timerfd->timer);
	timerfd->expirations = 0;
	timerfd->interval = timespec_to_ns(&setting.it_interval);
	value = timespec_to_ns(&setting.it_value);
	if (value != 0)
		arm(timerfd, due_of(timerfd, value, flags & TFD_TIMER_ABSTIME));
	return arg[3] == 0 ? 0 : copy_to_user(arg[3], &old, sizeof(old));
}

i64 sys_timerfd_gettime(const u64 *arg)
{
	struct __kernel_itimerspec setting;
	struct timerfd *timerfd;
	i64 error = find(arg[0], &timerfd);

	if (error < 0)
		return error;
	describe(timerfd, &setting);
	return copy_to_user(arg[1], &setting, sizeof(setting));
}
