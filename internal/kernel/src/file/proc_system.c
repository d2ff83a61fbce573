/* The texts of /proc about the whole system, which is this one process on one CPU: see proc(5). */
#include "file/pseudo.h"
#include "sched/clock.h"
#include "sched/thread.h"

#define NS_PER_HUNDREDTH (NS_PER_SECOND / 100)

/* Nobody but the program runs: when it doesn't, the CPU is idle. */
static u64 idle_time(void)
{
	u64 now = clock_monotonic();

	return now - MIN(now, process_cpu_time());
}

static void put_seconds(struct text *text, u64 ns)
{
	u64 hundredths = ns / NS_PER_HUNDREDTH % 100;

	text_number(text, ns / NS_PER_SECOND);
	text_put(text, hundredths < 10 ? ".0" : ".");
	text_number(text, hundredths);
}

void proc_uptime(struct text *text)
{
	put_seconds(text, clock_monotonic());
	text_put(text, " ");
	put_seconds(text, idle_time());
	text_put(text, "\n");
}

/* No averages are kept. Linux counts threads, and names the process that was made last. */
void proc_loadavg(struct text *text)
{
	text_put(text, "0.00 0.00 0.00 1/");
	text_number(text, thread_count);
	text_put(text, " ");
	text_number(text, PROCESS_ID);
	text_put(text, "\n");
}

/* user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice; in hundredths of a second. */
static void put_times(struct text *text, const char *label)
{
	text_put(text, label);
	text_number(text, process_cpu_time() / NS_PER_HUNDREDTH);
	text_put(text, " 0 0 ");
	text_number(text, idle_time() / NS_PER_HUNDREDTH);
	text_put(text, " 0 0 0 0 0 0\n");
}

void proc_system_stat(struct text *text)
{
	put_times(text, "cpu  ");
	put_times(text, "cpu0 ");
	text_put(text, "intr 0\nctxt 0\nbtime ");
	text_number(text, clock_wall_offset() / NS_PER_SECOND);
	text_put(text, "\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n");
}
