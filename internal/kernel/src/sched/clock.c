/* Time. The formula is in airlock_abi.h. */
#include "sched/clock.h"

#include "arch/cpu.h"
#include "arch/hypercall.h"

u64 clock_monotonic(void)
{
	static u64 latest;
	const volatile struct airlock_clock *clock = clock_page();
	u64 ticks = read_tsc() - clock->base_tsc;
	u64 now;

	/* The kernel and the host don't run at once, so there is no sequence to watch. */
	if ((i64)ticks < 0)
		ticks = 0;
	now = clock->base_ns + (u64)((unsigned __int128)ticks * clock->multiplier >> 32);
	if (now < latest)
		return latest;
	latest = now;
	return now;
}

u64 clock_wall_offset(void) { return clock_page()->wall_offset; }

u64 clock_wall(void) { return clock_monotonic() + clock_wall_offset(); }

void timers_run(void)
{
	u64 now = clock_monotonic();
	struct timer *timer;

	while ((timer = timerheap_pop(&timers, now)) != NULL)
		timer->fire(timer);
}
