/* The engine of the timers that send signals. */
#include "signal/timer.h"

#include <linux/time.h>

#include "lib/string.h"
#include "sched/clock.h"
#include "signal/codes.h"
#include "sys/time.h"

/*
 * The least time until we look again at a timer that has fired to no effect,
 * as its signal is ignored, or whose clock counts CPU time. It keeps tiny
 * intervals from eating all time; Linux uses a tick of its own for the same.
 */
#define LOOK_AGAIN_NS 1000000u

/* Sums stay below NEVER. */
static u64 saturating_add(u64 a, u64 b) { return a == NEVER || b > NEVER - 1 - a ? NEVER - 1 : a + b; }

/* CPU time can't pass faster than time, so a look at the monotonic time when it could be reached is early enough. */
static u64 next_look(const struct program_timer *timer, u64 clock_now)
{
	u64 left = timer->expiry > clock_now ? timer->expiry - clock_now : 0;

	if (clock_is_cpu_time(timer->running))
		left = MAX(left, LOOK_AGAIN_NS);
	return saturating_add(clock_monotonic(), left);
}

static void arm(struct program_timer *timer)
{
	u64 now;

	/* The clock is gone when it is that of a thread that has ended: then nothing will ever happen. */
	if (timer->target == TARGET_NONE || clock_read(timer->running, &now) < 0)
		return;
	timerheap_arm(&timers, &timer->timer, next_look(timer, now));
}

/* Moves a periodic timer's expiry behind now. Returns how many expiries that skips beside the first. */
static u64 forward(struct program_timer *timer, u64 now)
{
	u64 periods;

	if (now < timer->expiry)
		return 0;
	periods = (now - timer->expiry) / timer->interval;
	timer->expiry = saturating_add(timer->expiry, (periods + 1) * timer->interval);
	return periods;
}

/* False if the signal falls away. */
static bool send(struct program_timer *timer, struct thread *thread)
{
	/* Profilers want the thread that uses the time. */
	enum signal_preference preference = clock_is_cpu_time(timer->clock) ? PREFER_CURRENT : PREFER_LEADER;

	if (!list_empty(&timer->signal.link)) {
		timer->missed++;
		return true;
	}
	timer->missed = 0;
	return signal_send_entry(thread, &timer->signal, preference);
}

static void fire(struct timer *node)
{
	struct program_timer *timer = CONTAINER_OF(node, struct program_timer, timer);
	struct thread *thread = timer->target == TARGET_THREAD ? thread_find(timer->thread) : NULL;
	bool sent;
	u64 now;

	if (clock_read(timer->running, &now) < 0)
		return;
	if (now < timer->expiry) {
		arm(timer);
		return;
	}
	sent = (timer->target == TARGET_PROCESS || thread != NULL) && send(timer, thread);
	if (timer->interval == 0 || (timer->target == TARGET_THREAD && thread == NULL)) {
		timer->expiry = 0;
		return;
	}
	/* It goes on when its signal is taken: a slow program misses expiries, and counts them as overruns. */
	if (sent)
		return;
	forward(timer, saturating_add(now, LOOK_AGAIN_NS));
	arm(timer);
}

static void taken(struct queued_signal *entry, struct siginfo *info)
{
	struct program_timer *timer = CONTAINER_OF(entry, struct program_timer, signal);
	u64 missed = timer->missed;
	u64 now;

	timer->missed = 0;
	if (timer->expiry != 0 && timer->interval != 0 && !timer->timer.armed &&
	    clock_read(timer->running, &now) == 0) {
		missed += forward(timer, now);
		arm(timer);
	}
	if (info == NULL)
		return;
	/* DELAYTIMER_MAX is INT_MAX. */
	timer->overrun = (i32)MIN(missed, (u64)INT32_MAX);
	if (info->code == CODE_TIMER)
		info->timer.overrun = timer->overrun;
}

void program_timer_init(struct program_timer *timer, i32 clock, enum timer_target target, const struct siginfo *info)
{
	memset(timer, 0, sizeof(*timer));
	timer->timer.fire = fire;
	list_init(&timer->signal.link);
	timer->signal.info = *info;
	timer->signal.taken = taken;
	timer->target = target;
	timer->clock = timer->running = clock;
}

void program_timer_set(struct program_timer *timer, bool absolute, u64 value, u64 interval)
{
	u64 now = 0;

	timerheap_cancel(&timers, &timer->timer);
	timer->expiry = 0;
	timer->interval = interval;
	timer->missed = 0;
	timer->overrun = 0;
	timer->running = timer->clock;
	if (value == 0) {
		timer->interval = 0; /* "disarmed", with nothing left of it: timer_gettime(2) */
		return;
	}
	/* timer_settime(2): setting the wall clock moves absolute expiries only. */
	if (!absolute && timer->clock == CLOCK_REALTIME)
		timer->running = CLOCK_MONOTONIC;
	if (!absolute && clock_read(timer->running, &now) < 0)
		return;
	timer->expiry = saturating_add(now, value);
	arm(timer);
}

u64 program_timer_left(const struct program_timer *timer)
{
	u64 now;

	if (timer->expiry == 0 || clock_read(timer->running, &now) < 0)
		return 0;
	if (now < timer->expiry)
		return timer->expiry - now;
	if (timer->interval != 0)
		return timer->interval - (now - timer->expiry) % timer->interval;
	/* It is about to fire; 0 would mean that it is disarmed. */
	return timer->target == TARGET_NONE ? 0 : 1;
}

void program_timer_cancel(struct program_timer *timer)
{
	timer->expiry = 0;
	timerheap_cancel(&timers, &timer->timer);
	signal_withdraw(&timer->signal);
}
