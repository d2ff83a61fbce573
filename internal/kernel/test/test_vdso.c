/*
 * The built vDSO image, mapped behind a clock page as the kernel maps it for
 * programs: its functions are looked up and called as their runtimes do it.
 * The argument is the image.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#include "airlock_abi.h"

#include "test.h"
#include "vdso_image.h"

#define VERSION "LINUX_2.6"
#define TICK (1ull << 32) /* a multiplier of one nanosecond for each tick */

static const char *const names[] = {
	"__vdso_clock_gettime", "__vdso_clock_getres", "__vdso_gettimeofday", "__vdso_time", "__vdso_getcpu",
};

typedef int clock_function(i32 id, struct timespec *time);
typedef int gettimeofday_function(struct timeval *time, struct timezone *zone);
typedef i64 time_function(i64 *time);
typedef long getcpu_function(u32 *cpu, u32 *node, void *unused);

static clock_function *vdso_clock_gettime, *vdso_clock_getres;
static gettimeofday_function *vdso_gettimeofday;
static time_function *vdso_time;
static getcpu_function *vdso_getcpu;

static volatile struct airlock_clock *fake_clock;

/* Maps the clock page and the image behind it; returns the address of the image. */
static u8 *map_image(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat status;
	u8 *base;

	CHECK(fd >= 0 && fstat(fd, &status) == 0);
	CHECK(status.st_size > 0 && status.st_size <= 8192);
	base = mmap(NULL, 3 * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(base != MAP_FAILED);
	CHECK_EQUAL(mprotect(base, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	CHECK(mmap(base + PAGE_SIZE, (size_t)status.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
	      base + PAGE_SIZE);
	fake_clock = (volatile struct airlock_clock *)base;
	return base + PAGE_SIZE;
}

static void *find(const struct image *image, const char *name)
{
	int version = find_version(image, VERSION);
	void *address = find_by_gnu_hash(image, name, version);

	CHECK(address);
	CHECK(find_by_sysv_hash(image, name, version) == address);
	CHECK(find_by_scan(image, name, version) == address);
	CHECK(!find_by_gnu_hash(image, name, version + 1));
	return address;
}

static void test_lookup(const struct image *image)
{
	CHECK_EQUAL(find_version(image, "LINUX_2.5"), -1);
	CHECK(find_version(image, VERSION) > 1);
	CHECK(!find_by_gnu_hash(image, "__vdso_nothing", 2));
	CHECK(!find_by_sysv_hash(image, "__vdso_nothing", 2));
	vdso_clock_gettime = (clock_function *)find(image, names[0]);
	vdso_clock_getres = (clock_function *)find(image, names[1]);
	vdso_gettimeofday = (gettimeofday_function *)find(image, names[2]);
	vdso_time = (time_function *)find(image, names[3]);
	vdso_getcpu = (getcpu_function *)find(image, names[4]);
}

/* The C library's own dynamic linker has to find it well-formed, too. */
static void test_dlopen(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		fprintf(stderr, "dlopen: %s\n", dlerror());
	CHECK(handle);
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		CHECK(dlvsym(handle, names[i], VERSION));
	CHECK(!dlvsym(handle, names[0], "LINUX_2.5"));
	dlclose(handle);
}

static u64 rdtsc(void)
{
	u32 low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

static void set_clock(u64 base_tsc, u64 base_ns, u64 multiplier, u64 wall_offset)
{
	fake_clock->base_tsc = base_tsc;
	fake_clock->base_ns = base_ns;
	fake_clock->multiplier = multiplier;
	fake_clock->wall_offset = wall_offset;
}

static u64 read_clock(i32 id)
{
	struct timespec time = {.tv_sec = -1, .tv_nsec = -1};

	CHECK_EQUAL(vdso_clock_gettime(id, &time), 0);
	CHECK(time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
	return (u64)time.tv_sec * 1000000000ull + (u64)time.tv_nsec;
}

/* With a multiplier of 0 time stands still, so every result is known. */
static void test_frozen_clock(void)
{
	static const i32 monotonic[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME};
	static const i32 wall[] = {CLOCK_REALTIME, CLOCK_REALTIME_COARSE};
	static const u64 times[] = {0, 1, 999999999, 1000000000, 1999999999, 123456789012345678};
	const u64 offset = 1700000000123456789;

	for (size_t i = 0; i < ARRAY_LENGTH(times); i++) {
		u64 wall_ns = times[i] + offset;
		struct timeval time;
		struct timezone zone = {1, 1};
		i64 seconds;

		set_clock(rdtsc(), times[i], 0, offset);
		for (size_t j = 0; j < ARRAY_LENGTH(monotonic); j++)
			CHECK_EQUAL(read_clock(monotonic[j]), times[i]);
		for (size_t j = 0; j < ARRAY_LENGTH(wall); j++)
			CHECK_EQUAL(read_clock(wall[j]), wall_ns);
		CHECK_EQUAL(vdso_gettimeofday(&time, &zone), 0);
		CHECK_EQUAL(time.tv_sec, wall_ns / 1000000000);
		CHECK_EQUAL(time.tv_usec, wall_ns % 1000000000 / 1000);
		CHECK(zone.tz_minuteswest == 0 && zone.tz_dsttime == 0);
		CHECK_EQUAL(vdso_time(&seconds), wall_ns / 1000000000);
		CHECK_EQUAL(seconds, wall_ns / 1000000000);
	}
	CHECK_EQUAL(vdso_gettimeofday(NULL, NULL), 0);
	CHECK_EQUAL(vdso_time(NULL), (times[ARRAY_LENGTH(times) - 1] + offset) / 1000000000);
}

/* The time that has passed since the base, at rates from slow to fast, far from the base and near to it. */
static void test_running_clock(void)
{
	static const u64 multipliers[] = {TICK / 5, TICK / 3 + 1, TICK, 3 * TICK};
	static const u64 ages[] = {0, 1000, 1ull << 33, 1ull << 50, 1ull << 58};

	for (size_t i = 0; i < ARRAY_LENGTH(multipliers); i++) {
		for (size_t j = 0; j < ARRAY_LENGTH(ages); j++) {
			u64 base = rdtsc() - ages[j], before, got, after;

			set_clock(base, 5, multipliers[i], 0);
			before = rdtsc() - base;
			got = read_clock(CLOCK_MONOTONIC) - 5;
			after = rdtsc() - base;
			CHECK(got >= (u64)((unsigned __int128)before * multipliers[i] >> 32));
			CHECK(got <= (u64)((unsigned __int128)after * multipliers[i] >> 32));
		}
	}

	/* A counter behind the base stands for no time at all, not for centuries. */
	set_clock(rdtsc() + (1ull << 40), 77, TICK, 0);
	CHECK_EQUAL(read_clock(CLOCK_MONOTONIC), 77);

	set_clock(rdtsc(), 0, TICK, 0);
	for (u64 i = 0, last = 0; i < 100000; i++) {
		u64 now = read_clock(CLOCK_MONOTONIC);

		CHECK(now >= last);
		last = now;
	}
}

static void test_other_clocks(void)
{
	struct timespec time;

	for (i32 id = 0; id < 8; id++) {
		if (id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID)
			continue;
		CHECK_EQUAL(vdso_clock_getres(id, &time), 0);
		CHECK(time.tv_sec == 0 && time.tv_nsec == 1);
		CHECK_EQUAL(vdso_clock_getres(id, NULL), 0);
	}
	/* These two reach the kernel: here the host's. */
	CHECK_EQUAL(vdso_clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), 0);
	CHECK(time.tv_nsec > 0);
	CHECK_EQUAL(vdso_clock_getres(CLOCK_THREAD_CPUTIME_ID, &time), 0);
	/* Ids that nobody has, some of which are one of the known ids modulo 32. */
	for (size_t i = 0; i < 4; i++) {
		static const i32 ids[] = {32, 33, 1 << 20, INT32_MAX};

		CHECK_EQUAL(vdso_clock_gettime(ids[i], &time), -22);
		CHECK_EQUAL(vdso_clock_getres(ids[i], &time), -22);
	}
}

static void test_getcpu(void)
{
	u32 cpu = 9, node = 9;

	CHECK_EQUAL(vdso_getcpu(&cpu, &node, NULL), 0);
	CHECK(cpu == 0 && node == 0);
	CHECK_EQUAL(vdso_getcpu(NULL, NULL, NULL), 0);
}

static bool writer_stops;

/* Writes clocks whose fields belong together: the wall time of each is twice its monotonic time. */
static void *write_clocks(void *unused)
{
	(void)unused;
	for (u64 n = 1; !__atomic_load_n(&writer_stops, __ATOMIC_RELAXED); n++) {
		fake_clock->sequence++;
		fake_clock->base_ns = n;
		for (volatile int delay = 0; delay < (int)(n % 50); delay++)
			;
		fake_clock->wall_offset = n;
		fake_clock->sequence++;
	}
	return NULL;
}

/* A reader must never see half of one clock and half of another. */
static void test_concurrent_update(void)
{
	time_t end = time(NULL) + 2; /* on a busy machine the reader waits for a writer that waits for a processor */
	pthread_t writer;
	u64 last = 0;

	set_clock(rdtsc(), 1, 0, 1);
	CHECK_EQUAL(pthread_create(&writer, NULL, write_clocks, NULL), 0);
	for (int i = 0; i < 300000 && (i % 1024 != 0 || time(NULL) < end); i++) {
		u64 wall = read_clock(CLOCK_REALTIME);

		CHECK_EQUAL(wall % 2, 0);
		CHECK(wall >= last);
		last = wall;
	}
	__atomic_store_n(&writer_stops, true, __ATOMIC_RELAXED);
	CHECK_EQUAL(pthread_join(writer, NULL), 0);
}

int main(int argc, char **argv)
{
	struct image image;

	CHECK_EQUAL(argc, 2);
	image = parse_image(map_image(argv[1]));
	test_lookup(&image);
	test_dlopen(argv[1]);
	test_frozen_clock();
	test_running_clock();
	test_other_clocks();
	test_getcpu();
	test_concurrent_update();
	return 0;
}
