#include "signal_fake_call.h"

static void test_sleep(void)
{
	struct __kernel_timespec *time = (struct __kernel_timespec *)BUFFER, *left = (struct __kernel_timespec *)RESULT;
	const u64 arg[6] = {BUFFER, RESULT};

	start();
	on(SIGUSR1, HANDLER, SA_RESTART);
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BUFFER, 0), 0);
	time->tv_sec = 2;
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BUFFER, RESULT), CALL_BLOCKED);
	CHECK_EQUAL(current->call.deadline, fake_now + 2000000000ull);
	fake_now += 500000000;
	fake_call(sys_kill, (const u64[6]){PROCESS_ID, SIGUSR1});
	CHECK_EQUAL(fake_call(sys_nanosleep, arg), -EINTR);
	CHECK_EQUAL(left->tv_sec, 1);
	CHECK_EQUAL(left->tv_nsec, 500000000);

	start();
	time->tv_sec = 2;
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BUFFER, RESULT), CALL_BLOCKED);
	fake_now += 2000000000;
	current->call.timed_out = true;
	CHECK_EQUAL(sys_nanosleep(arg), 0);
	CHECK_EQUAL(got(), 0);

	time->tv_sec = -1;
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BUFFER, 0), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BAD, 0), -EFAULT);
	time->tv_sec = INT64_MAX;
	CHECK_EQUAL(FAKE_CALL(sys_nanosleep, BUFFER, 0), CALL_BLOCKED);

	*time = (struct __kernel_timespec){.tv_sec = (i64)((fake_now + fake_offset) / 1000000000 + 10)};
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 0, 1, BUFFER, 0), CALL_BLOCKED);
	CHECK_EQUAL(current->call.deadline + fake_offset, (u64)time->tv_sec * 1000000000);
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 1, 1, BUFFER, 0), CALL_BLOCKED);
	CHECK_EQUAL(current->call.deadline, (u64)time->tv_sec * 1000000000);
	time->tv_sec = 0;
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 0, 1, BUFFER, 0), 0);
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 3, 0, BUFFER, 0), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 4, 0, BUFFER, 0), -EOPNOTSUPP);
	CHECK_EQUAL(FAKE_CALL(sys_clock_nanosleep, 99, 0, BUFFER, 0), -EINVAL);
}

static void test_clocks(void)
{
	struct __kernel_timespec *time = (struct __kernel_timespec *)RESULT;
	struct thread *other;
	u64 ns;

	start();
	other = fake_thread(10);
	other->cpu_time = 5000;
	fake_cpu = 3000;
	for (i32 clock = 0; clock < 12; clock++) {
		CHECK_EQUAL(FAKE_CALL(sys_clock_gettime, (u64)clock, RESULT), clock == 10 ? -EINVAL : 0);
		CHECK_EQUAL(FAKE_CALL(sys_clock_getres, (u64)clock, 0), clock == 10 ? -EINVAL : 0);
	}
	CHECK_EQUAL(FAKE_CALL(sys_clock_gettime, 0, RESULT), 0);
	CHECK_EQUAL((u64)time->tv_sec * 1000000000 + (u64)time->tv_nsec, fake_now + fake_offset);
	CHECK_EQUAL(FAKE_CALL(sys_clock_gettime, 1, BAD), -EFAULT);

	/* As pthread_getcpuclockid(3) and clock_getcpuclockid(3) make them. */
	CHECK_EQUAL(clock_read((i32)(~10u << 3 | 6), &ns), 0);
	CHECK_EQUAL(ns, 5000);
	CHECK_EQUAL(clock_read((i32)(~0u << 3 | 6), &ns), 0);
	CHECK_EQUAL(ns, 3000);
	CHECK_EQUAL(clock_read((i32)(~PROCESS_ID << 3 | 2), &ns), 0);
	CHECK_EQUAL(clock_read((i32)(~0u << 3 | 2), &ns), 0);
	CHECK_EQUAL(clock_read((i32)(~11u << 3 | 6), &ns), -EINVAL);
	CHECK_EQUAL(clock_read((i32)(~11u << 3 | 2), &ns), -EINVAL);
	CHECK_EQUAL(clock_read((i32)(~10u << 3 | 7), &ns), -EINVAL);
	CHECK_EQUAL(clock_for_everyone(3), (i32)(~PROCESS_ID << 3 | 6));
	CHECK_EQUAL(clock_for_everyone(1), 1);

	CHECK_EQUAL(FAKE_CALL(sys_gettimeofday, RESULT, 0), 0);
	CHECK_EQUAL(got(), (fake_now + fake_offset) / 1000000000);
	CHECK_EQUAL(FAKE_CALL(sys_time, 0), (fake_now + fake_offset) / 1000000000);
	fake_cpu = 30000000;
	CHECK_EQUAL(FAKE_CALL(sys_times, RESULT), fake_now / 10000000);
	CHECK_EQUAL(got(), 3);
	CHECK_EQUAL(FAKE_CALL(sys_getrusage, 0, RESULT), 0);
	CHECK_EQUAL(((u64 *)RESULT)[1], 30000);
	CHECK_EQUAL(FAKE_CALL(sys_getrusage, 2, RESULT), -EINVAL);
}

int main(void)
{
	fake_memory();
	test_sleep();
	test_clocks();
	fake_reset();
	fake_thread_end(current);
	CHECK_EQUAL(slab_objects, 0);
	return 0;
}
