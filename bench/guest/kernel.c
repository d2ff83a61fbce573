/*
 * kernel WORK TIMES: what a program pays for the kernel that it runs on. One
 * line for each time: picoseconds for one operation.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t null_call(void)
{
	const uint64_t count = 5000;
	uint64_t start = now();

	for (uint64_t i = 0; i < count; i++)
		syscall(SYS_getppid);
	return (now() - start) * 1000 / count;
}

static uint64_t read_clock(void)
{
	const uint64_t count = 100000;
	struct timespec t;
	uint64_t start = now();

	for (uint64_t i = 0; i < count; i++)
		clock_gettime(CLOCK_REALTIME, &t);
	return (now() - start) * 1000 / count;
}

#define PAGES 2048ul
#define PLACES 4ul

/* Orders in which pages are touched: the i-th page. */
static uint64_t upwards(uint64_t i) { return i; }
static uint64_t downwards(uint64_t i) { return PAGES - 1 - i; }
static uint64_t in_turn(uint64_t i) { return i % PLACES * (PAGES / PLACES) + i / PLACES; }

/* Each page once, far from the one before: a full cycle of a linear congruential generator. */
static uint64_t all_over(uint64_t i)
{
	static uint64_t page;

	page = i == 0 ? 0 : (page * 1229 + 351) % PAGES;
	return page;
}

static uint64_t touch(uint64_t (*page)(uint64_t))
{
	volatile char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start, taken;

	if (memory == MAP_FAILED)
		abort();
	start = now();
	for (uint64_t i = 0; i < PAGES; i++)
		memory[page(i) * PAGE] = 1;
	taken = (now() - start) * 1000 / PAGES;
	munmap((void *)memory, PAGES * PAGE);
	return taken;
}

static uint64_t touch_upwards(void) { return touch(upwards); }
static uint64_t touch_downwards(void) { return touch(downwards); }
static uint64_t touch_in_turn(void) { return touch(in_turn); }
static uint64_t touch_all_over(void) { return touch(all_over); }

#define ROUNDS 2000u

static _Atomic uint32_t turn;

/* Waits until it is this side's turn, and gives it to the other. */
static void play(uint32_t side)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t seen;

		while ((seen = atomic_load(&turn)) % 2 != side)
			syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
		atomic_store(&turn, seen + 1);
		syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
}

static void *other_side(void *unused)
{
	(void)unused;
	play(1);
	return NULL;
}

/* Two threads on one CPU: a switch is what there is to do, not waking a CPU up. */
static uint64_t thread_switch(void)
{
	cpu_set_t one;
	pthread_t other;
	uint64_t start;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	pthread_create(&other, NULL, other_side, NULL);
	start = now();
	play(0);
	pthread_join(other, NULL);
	return (now() - start) * 1000 / (2 * ROUNDS);
}

static const struct work {
	const char *name;
	uint64_t (*run)(void);
} works[] = {
	{"call", null_call},
	{"clock", read_clock},
	{"upwards", touch_upwards},
	{"downwards", touch_downwards},
	{"in-turn", touch_in_turn},
	{"all-over", touch_all_over},
	{"switch", thread_switch},
};

int main(int argc, char **argv)
{
	int times = argc == 3 ? atoi(argv[2]) : 0;

	for (size_t i = 0; times > 0 && i < sizeof(works) / sizeof(works[0]); i++) {
		if (strcmp(argv[1], works[i].name) != 0)
			continue;
		while (times-- > 0)
			printf("%llu\n", (unsigned long long)works[i].run());
		return 0;
	}
	fprintf(stderr, "usage: kernel call|clock|upwards|downwards|in-turn|all-over|switch TIMES\n");
	return 2;
}
