/*
 * The vDSO: what programs get of the kernel without a trap, as vdso(7)
 * describes it for x86-64. Runs as part of the program, on any of its stacks.
 */
#include <asm/unistd.h>
#include <linux/time.h>

#include "airlock_abi.h"

#define EXPORT __attribute__((visibility("default")))

/* The coarse clocks have no cheaper source here, so they are as fine as the others. */
#define WALL_CLOCKS (1u << CLOCK_REALTIME | 1u << CLOCK_REALTIME_COARSE)
#define MONOTONIC_CLOCKS                                                                                               \
	(1u << CLOCK_MONOTONIC | 1u << CLOCK_MONOTONIC_RAW | 1u << CLOCK_MONOTONIC_COARSE | 1u << CLOCK_BOOTTIME)

#define NS_PER_SECOND 1000000000ull

struct clock_reading {
	uint64_t monotonic; /* ns */
	uint64_t wall;      /* ns since 1970 */
};

/* The page before the image: placed by vdso.lds. */
extern const volatile struct airlock_clock vdso_clock __attribute__((visibility("hidden")));

EXPORT int __vdso_clock_gettime(int32_t id, struct timespec *time);
EXPORT int __vdso_clock_getres(int32_t id, struct timespec *resolution);
EXPORT int __vdso_gettimeofday(struct timeval *time, struct timezone *zone);
EXPORT int64_t __vdso_time(int64_t *time);
EXPORT long __vdso_getcpu(uint32_t *cpu, uint32_t *node, void *unused);

/*
 * RDTSC may be executed ahead of loads before it; LFENCE keeps it behind them,
 * and behind whatever told the caller that it is later than before. (Intel SDM
 * volume 2, RDTSC; on AMD, LFENCE serialises as Linux sets the processor up.)
 */
static uint64_t read_ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static struct clock_reading read_clock(void)
{
	struct clock_reading reading;
	uint32_t sequence;
	uint64_t ticks;

	/* x86 keeps loads in order, and the compiler keeps volatile ones in order. */
	do {
		while ((sequence = vdso_clock.sequence) & 1)
			__asm__ volatile("pause");
		/* A counter behind the base, as on a processor out of step, must not look like centuries. */
		ticks = read_ticks() - vdso_clock.base_tsc;
		if (ticks >> 63)
			ticks = 0;
		reading.monotonic =
			vdso_clock.base_ns + (uint64_t)((unsigned __int128)ticks * vdso_clock.multiplier >> 32);
		reading.wall = reading.monotonic + vdso_clock.wall_offset;
	} while (vdso_clock.sequence != sequence);
	return reading;
}

static long system_call(long number, long a, void *b)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return result;
}

/* Negative ids are clocks of processes and files: as unsigned numbers they are out of range as well. */
static int is_one_of(uint32_t clocks, int32_t id) { return (uint32_t)id < 32 && (clocks >> id & 1); }

int __vdso_clock_gettime(int32_t id, struct timespec *time)
{
	struct clock_reading now;
	uint64_t ns;

	if (!is_one_of(WALL_CLOCKS | MONOTONIC_CLOCKS, id))
		return (int)system_call(__NR_clock_gettime, id, time);
	now = read_clock();
	ns = is_one_of(WALL_CLOCKS, id) ? now.wall : now.monotonic;
	time->tv_sec = (int64_t)(ns / NS_PER_SECOND);
	time->tv_nsec = (int64_t)(ns % NS_PER_SECOND);
	return 0;
}

int __vdso_clock_getres(int32_t id, struct timespec *resolution)
{
	if (!is_one_of(WALL_CLOCKS | MONOTONIC_CLOCKS, id))
		return (int)system_call(__NR_clock_getres, id, resolution);
	if (resolution)
		*resolution = (struct timespec){.tv_nsec = 1};
	return 0;
}

int __vdso_gettimeofday(struct timeval *time, struct timezone *zone)
{
	if (time) {
		uint64_t ns = read_clock().wall;

		time->tv_sec = (int64_t)(ns / NS_PER_SECOND);
		time->tv_usec = (int64_t)(ns % NS_PER_SECOND / 1000);
	}
	if (zone)
		*zone = (struct timezone){0};
	return 0;
}

int64_t __vdso_time(int64_t *time)
{
	int64_t now = (int64_t)(read_clock().wall / NS_PER_SECOND);

	if (time)
		*time = now;
	return now;
}

/* A VM has one virtual CPU. */
long __vdso_getcpu(uint32_t *cpu, uint32_t *node, void *unused)
{
	(void)unused;
	if (cpu)
		*cpu = 0;
	if (node)
		*node = 0;
	return 0;
}
