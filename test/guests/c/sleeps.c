// nanosleep and clock_nanosleep sleep long enough, also to absolute times, and refuse nonsense.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>

static long long now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static void *sleeper(void *arg)
{
	long us = (long)arg;
	long long start = now_us();
	struct timespec ts = {0, us * 1000};
	CHECK_EQ(nanosleep(&ts, NULL), 0);
	long long took = now_us() - start;
	CHECK(took >= us && took < us + 20000000);
	return arg;
}

int main(void)
{
	long durations[] = {0, 1, 100, 1000, 5000, 30000};
	for (int i = 0; i < 6; i++) {
		sleeper((void *)durations[i]);
	}
	clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
	for (int i = 0; i < 3; i++) {
		struct timespec ts = {0, 10000000}, until = after_ms(clocks[i], 10), now;
		long long start = now_us();
		CHECK_EQ(clock_nanosleep(clocks[i], 0, &ts, NULL), 0);
		CHECK(now_us() - start >= 10000);
		CHECK_EQ(clock_nanosleep(clocks[i], TIMER_ABSTIME, &until, NULL), 0); // already past
		until = after_ms(clocks[i], 10);
		CHECK_EQ(clock_nanosleep(clocks[i], TIMER_ABSTIME, &until, NULL), 0);
		clock_gettime(clocks[i], &now);
		CHECK(now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
	}
	struct timespec bad = {0, 1000000000}, negative = {-1, 0};
	CHECK_ERR(nanosleep(&bad, NULL), EINVAL);
	CHECK_ERR(nanosleep(&negative, NULL), EINVAL);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL), EINVAL);
	CHECK_EQ(usleep(1000), 0);
	CHECK_EQ(sleep(0), 0);

	// Sleepers wake in the order of their times, whatever order they started in.
	pthread_t t[20];
	long long start = now_us();
	for (long i = 0; i < 20; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, sleeper, (void *)((i * 7 % 20 + 1) * 2000)), 0);
	}
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	CHECK(now_us() - start >= 40000 && now_us() - start < 30000000);
	return success();
}
