#include "signal_fake.h"

#include <asm/errno.h>

#include "signal/codes.h"
#include "signal/syscalls.h"
#include "sys/time.h"

#define HANDLER 0x401000ull
#define BUFFER (MEMORY + 0x8000)
#define RESULT (MEMORY + 0x9000)
#define MS 1000000ull

struct event {
	u64 value;
	i32 number, notify;
	u32 thread;
	u8 padding[44];
};

static void start(void)
{
	fake_reset();
	memset((void *)BUFFER, 0, 0x2000);
	for (u32 number = 1; number <= SIGNAL_MAX; number++)
		signal_action(number)->handler = HANDLER;
}

/* Lets time pass, as sched/clock.c does. */
static void pass(u64 ns)
{
	struct timer *timer;

	fake_now += ns;
	while ((timer = timerheap_pop(&timers, fake_now)) != NULL)
		timer->fire(timer);
}

static u32 take(struct siginfo *info)
{
	return signal_take(current, ~current->signals_blocked, SHARE_DIRECTED, info) ? (u32)info->number : 0;
}

static i64 set(i32 id, u64 flags, u64 value, u64 interval)
{
	u64 *time = (u64 *)BUFFER;

	time[0] = interval / 1000000000;
	time[1] = interval % 1000000000;
	time[2] = value / 1000000000;
	time[3] = value % 1000000000;
	return FAKE_CALL(sys_timer_settime, (u64)id, flags, BUFFER, 0);
}

static u64 left(i32 id)
{
	const u64 *time = (const u64 *)RESULT;

	CHECK_EQUAL(FAKE_CALL(sys_timer_gettime, (u64)id, RESULT), 0);
	return time[2] * 1000000000 + time[3];
}

static i32 create(i32 clock, i32 number, i32 notify, u32 thread)
{
	*(struct event *)BUFFER = (struct event){.value = 99, .number = number, .notify = notify, .thread = thread};
	CHECK_EQUAL(FAKE_CALL(sys_timer_create, (u64)(i64)clock, BUFFER, RESULT), 0);
	return *(i32 *)RESULT;
}

static void delete (i32 id) { CHECK_EQUAL(FAKE_CALL(sys_timer_delete, (u64)id), 0); }

static void test_alarm(void)
{
	struct siginfo info;

	start();
	CHECK_EQUAL(FAKE_CALL(sys_alarm, 2), 0);
	pass(400 * MS);
	CHECK_EQUAL(FAKE_CALL(sys_alarm, 10), 2);
	pass(9700 * MS);
	CHECK_EQUAL(FAKE_CALL(sys_alarm, 1), 1); /* never 0 */
	pass(1000 * MS);
	CHECK_EQUAL(take(&info), SIGALRM);
	CHECK_EQUAL(info.code, CODE_KERNEL);
	CHECK_EQUAL(FAKE_CALL(sys_alarm, 0), 0);
	FAKE_CALL(sys_alarm, 0xffffffff);
	CHECK_EQUAL(FAKE_CALL(sys_alarm, 0), 0xffffffff);
	pass(1000 * MS);
	CHECK_EQUAL(take(&info), 0);
	CHECK(timers.root == NULL);
}

static void test_itimer(void)
{
	u64 *time = (u64 *)BUFFER;
	const u64 *old = (const u64 *)RESULT;
	struct siginfo info;

	start();
	time[0] = 0, time[1] = 10000, time[2] = 1, time[3] = 0; /* every 10 ms, after 1 s */
	CHECK_EQUAL(FAKE_CALL(sys_setitimer, 0, BUFFER, RESULT), 0);
	CHECK_EQUAL(old[2] | old[3], 0);
	CHECK_EQUAL(FAKE_CALL(sys_getitimer, 0, RESULT), 0);
	CHECK_EQUAL(old[1], 10000);
	CHECK_EQUAL(old[2], 1);
	pass(1000 * MS);
	CHECK_EQUAL(take(&info), SIGALRM);
	for (int i = 0; i < 5; i++) {
		pass(9 * MS);
		CHECK_EQUAL(take(&info), 0);
		pass(1 * MS);
		CHECK_EQUAL(take(&info), SIGALRM);
	}
	/* Late: the rhythm stays. */
	pass(35 * MS);
	CHECK_EQUAL(take(&info), SIGALRM);
	pass(5 * MS);
	CHECK_EQUAL(take(&info), SIGALRM);

	/* Ignored: it goes on, and comes back when it is handled again. */
	signal_action(SIGALRM)->handler = HANDLER_IGNORE;
	pass(1000 * MS);
	CHECK_EQUAL(take(&info), 0);
	signal_action(SIGALRM)->handler = HANDLER;
	pass(20 * MS);
	CHECK_EQUAL(take(&info), SIGALRM);

	time[1] = 1000000;
	CHECK_EQUAL(FAKE_CALL(sys_setitimer, 0, BUFFER, 0), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_setitimer, 3, BUFFER, 0), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_getitimer, 3, RESULT), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_setitimer, 0, 0, 0), 0); /* disarms */
	CHECK(timers.root == NULL);
}

static void test_cpu_itimer(void)
{
	u64 *time = (u64 *)BUFFER;
	struct siginfo info;
	struct thread *other;

	start();
	other = fake_thread(10);
	time[0] = 0, time[1] = 10000, time[2] = 0, time[3] = 10000;
	CHECK_EQUAL(FAKE_CALL(sys_setitimer, 2, BUFFER, 0), 0);
	pass(10 * MS); /* the program slept */
	CHECK_EQUAL(take(&info), 0);
	current = other;
	fake_cpu += 4 * MS;
	pass(10 * MS);
	CHECK_EQUAL(take(&info), 0);
	fake_cpu += 6 * MS;
	pass(6 * MS);
	CHECK_EQUAL(take(&info), SIGPROF); /* goes to whom uses the time */
	FAKE_CALL(sys_setitimer, 2, 0, 0);
}

static void test_posix(void)
{
	struct siginfo info;
	i32 id;

	start();
	id = create(1, 40, 0, 0);
	CHECK_EQUAL(left(id), 0);
	CHECK_EQUAL(set(id, 0, 5 * MS, 0), 0);
	pass(2 * MS);
	CHECK_EQUAL(left(id), 3 * MS);
	pass(3 * MS);
	CHECK_EQUAL(left(id), 0);
	CHECK_EQUAL(take(&info), 40);
	CHECK_EQUAL(info.code, CODE_TIMER);
	CHECK_EQUAL(info.timer.timer, id);
	CHECK_EQUAL(info.timer.overrun, 0);
	CHECK_EQUAL(info.timer.value, 99);

	/* Overruns: expiries that find the signal still pending. */
	CHECK_EQUAL(set(id, 0, 10 * MS, 10 * MS), 0);
	pass(10 * MS);
	pass(34 * MS);
	CHECK_EQUAL(left(id), 6 * MS);
	CHECK_EQUAL(take(&info), 40);
	CHECK_EQUAL(info.timer.overrun, 3);
	CHECK_EQUAL(FAKE_CALL(sys_timer_getoverrun, (u64)id), 3);
	CHECK_EQUAL(take(&info), 0);
	pass(6 * MS);
	CHECK_EQUAL(take(&info), 40);
	CHECK_EQUAL(info.timer.overrun, 0);

	/* Setting it anew while its signal is pending. */
	pass(10 * MS);
	CHECK_EQUAL(set(id, 0, 1 * MS, 0), 0);
	pass(1 * MS);
	CHECK_EQUAL(take(&info), 40);
	CHECK_EQUAL(info.timer.overrun, 1);
	CHECK_EQUAL(take(&info), 0);

	/* A tiny interval neither hangs us nor overflows. */
	CHECK_EQUAL(set(id, 0, 1, 1), 0);
	pass(10000 * MS);
	CHECK_EQUAL(take(&info), 40);
	CHECK_EQUAL(info.timer.overrun, INT32_MAX);

	/* Deleting takes the signal along. */
	pass(1 * MS);
	CHECK_EQUAL(signal_pending(current), signal_bit(40));
	delete (id);
	CHECK_EQUAL(signal_pending(current), 0);
	CHECK(timers.root == NULL);
	CHECK_EQUAL(FAKE_CALL(sys_timer_delete, (u64)id), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_timer_gettime, (u64)id, RESULT), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_timer_getoverrun, ~0ull), -EINVAL);
	CHECK_EQUAL(set(id, 0, 1, 0), -EINVAL);
	CHECK_EQUAL(slab_objects, 0);
}

static void test_absolute(void)
{
	struct siginfo info;
	i32 id;

	start();
	id = create(0, 40, 0, 0);
	CHECK_EQUAL(set(id, 1, fake_now + fake_offset + 5 * MS, 0), 0);
	CHECK_EQUAL(left(id), 5 * MS);
	/* The wall clock is set back: it fires later. Relative times don't care. */
	fake_offset -= 3 * MS;
	pass(5 * MS);
	CHECK_EQUAL(take(&info), 0);
	pass(3 * MS);
	CHECK_EQUAL(take(&info), 40);
	CHECK_EQUAL(set(id, 0, 5 * MS, 0), 0);
	fake_offset -= 3 * MS;
	pass(5 * MS);
	CHECK_EQUAL(take(&info), 40);
	/* In the past: at once. */
	CHECK_EQUAL(set(id, 1, 1, 0), 0);
	pass(0);
	CHECK_EQUAL(take(&info), 40);
	/* Beyond what can be counted: never. */
	CHECK_EQUAL(set(id, 0, NEVER, NEVER), 0);
	pass(1000 * MS);
	CHECK_EQUAL(take(&info), 0);
	delete (id);
	CHECK_EQUAL(slab_objects, 0);
}

static void test_targets(void)
{
	struct thread *other;
	struct siginfo info;
	i32 id, none;

	start();
	other = fake_thread(10);
	id = create(1, 40, 4, 10);
	CHECK_EQUAL(set(id, 0, 1 * MS, 1 * MS), 0);
	pass(1 * MS);
	CHECK_EQUAL(take(&info), 0);
	CHECK(signal_deliverable(other));
	fake_thread_end(other);
	pass(1 * MS);
	CHECK(timers.root == NULL); /* nobody is left to signal */
	delete (id);

	none = create(1, 0, 1, 0);
	CHECK_EQUAL(set(none, 0, 10 * MS, 4 * MS), 0);
	CHECK(timers.root == NULL);
	pass(11 * MS);
	CHECK_EQUAL(left(none), 3 * MS);
	CHECK_EQUAL(set(none, 0, 10 * MS, 0), 0);
	pass(11 * MS);
	CHECK_EQUAL(left(none), 0);
	delete (none);

	/* Without an event: SIGALRM with the id. */
	CHECK_EQUAL(FAKE_CALL(sys_timer_create, 1, 0, RESULT), 0);
	id = *(i32 *)RESULT;
	CHECK_EQUAL(set(id, 0, 1, 0), 0);
	pass(1);
	CHECK_EQUAL(take(&info), SIGALRM);
	CHECK_EQUAL(info.timer.value, (u64)id);
	delete (id);
	CHECK_EQUAL(slab_objects, 0);
}

static void test_cpu_clock(void)
{
	struct siginfo info;
	i32 id;

	start();
	/* As Go's profiler does: the CPU time of this thread, a signal to this thread. */
	id = create(3, SIGPROF, 4, PROCESS_ID);
	CHECK_EQUAL(set(id, 0, 10 * MS, 10 * MS), 0);
	pass(50 * MS);
	CHECK_EQUAL(take(&info), 0);
	current->cpu_time += 10 * MS;
	pass(10 * MS);
	CHECK_EQUAL(take(&info), SIGPROF);
	CHECK_EQUAL(info.timer.overrun, 0);
	delete (id);
}

static void test_create_bad(void)
{
	static const struct event bad[] = {
		{.number = 0, .notify = 0},  {.number = 65, .notify = 0},
		{.number = 40, .notify = 3}, {.number = 40, .notify = 4, .thread = 77},
		{.number = -1, .notify = 0},
	};

	start();
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		*(struct event *)BUFFER = bad[i];
		CHECK_EQUAL(FAKE_CALL(sys_timer_create, 1, BUFFER, RESULT), -EINVAL);
	}
	CHECK_EQUAL(FAKE_CALL(sys_timer_create, 99, 0, RESULT), -EINVAL);
	CHECK_EQUAL(FAKE_CALL(sys_timer_create, 4, 0, RESULT), -EOPNOTSUPP);
	CHECK_EQUAL(FAKE_CALL(sys_timer_create, 1, 0x1000, RESULT), -EFAULT);
	CHECK_EQUAL(FAKE_CALL(sys_timer_create, 1, 0, 0x1000), -EFAULT);
	slab_empty = true;
	CHECK_EQUAL(FAKE_CALL(sys_timer_create, 1, 0, RESULT), -EAGAIN);
	slab_empty = false;
	for (i32 id = 0; id < 256; id++)
		CHECK_EQUAL(create(1, 40, 0, 0), id);
	CHECK_EQUAL(FAKE_CALL(sys_timer_create, 1, 0, RESULT), -EAGAIN);
	delete (77);
	CHECK_EQUAL(create(1, 40, 0, 0), 77);
	for (i32 id = 0; id < 256; id++)
		delete (id);
	CHECK_EQUAL(slab_objects, 0);
}

int main(void)
{
	fake_memory();
	test_alarm();
	test_itimer();
	test_cpu_itimer();
	test_posix();
	test_absolute();
	test_targets();
	test_cpu_clock();
	test_create_bad();
	fake_reset();
	fake_thread_end(current);
	CHECK_EQUAL(slab_objects, 0);
	return 0;
}
