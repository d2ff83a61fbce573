#include "signal_fake.h"

#include "signal/codes.h"
#include "signal/state.h"

static struct siginfo queued(u32 number, u64 value)
{
	return (struct siginfo){.number = (i32)number, .code = CODE_QUEUE, .sender.value = value};
}

static int send_self(u32 number, u64 value)
{
	const struct siginfo info = queued(number, value);

	return signal_send_thread(current, &info);
}

static int send_process(u32 number, u64 value)
{
	const struct siginfo info = queued(number, value);

	return signal_send_process(&info);
}

static void handle(u32 number) { signal_action(number)->handler = 0x1000; }

/* The next signal of the current thread, 0 if there is none. */
static u32 take(struct siginfo *info)
{
	if (!signal_take(current, ~current->signals_blocked, SHARE_DIRECTED, info))
		return 0;
	return (u32)info->number;
}

static void test_order(void)
{
	struct siginfo info;

	fake_reset();
	for (u32 number = 1; number <= SIGNAL_MAX; number++)
		handle(number);
	CHECK_EQUAL(send_self(40, 1), 0);
	CHECK_EQUAL(send_self(SIGUSR1, 2), 0);
	CHECK_EQUAL(send_self(SIGHUP, 3), 0);
	CHECK_EQUAL(send_self(40, 4), 0);
	CHECK_EQUAL(send_self(SIGSEGV, 5), 0);
	CHECK_EQUAL(send_self(SIGUSR1, 6), 0); /* pending already: lost */
	CHECK_EQUAL(send_process(SIGHUP, 7), 0);
	CHECK_EQUAL(send_process(35, 8), 0);

	static const struct {
		u32 number, value;
	} want[] = {{SIGSEGV, 5}, {SIGHUP, 3}, {SIGUSR1, 2}, {40, 1}, {40, 4}, {SIGHUP, 7}, {35, 8}};

	for (size_t i = 0; i < ARRAY_LENGTH(want); i++) {
		CHECK(signal_deliverable(current));
		CHECK_EQUAL(take(&info), want[i].number);
		CHECK_EQUAL(info.sender.value, want[i].value);
	}
	CHECK(!signal_deliverable(current));
	CHECK_EQUAL(take(&info), 0);
	CHECK_EQUAL(slab_objects, 0);
}

static void test_ignored(void)
{
	static const u32 harmless[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
	struct siginfo info;

	fake_reset();
	for (size_t i = 0; i < ARRAY_LENGTH(harmless); i++) {
		CHECK_EQUAL(send_self(harmless[i], 0), 0);
		CHECK_EQUAL(send_process(harmless[i], 0), 0);
	}
	signal_action(SIGTERM)->handler = HANDLER_IGNORE;
	CHECK_EQUAL(send_self(SIGTERM, 0), 0);
	CHECK_EQUAL(signal_pending(current), 0);

	/* It may no longer be ignored when it is unblocked. */
	signal_set_blocked(current, signal_bit(SIGTERM) | signal_bit(SIGCHLD));
	CHECK_EQUAL(send_self(SIGTERM, 0), 0);
	CHECK_EQUAL(send_process(SIGCHLD, 0), 0);
	CHECK_EQUAL(signal_pending(current), signal_bit(SIGTERM) | signal_bit(SIGCHLD));
	CHECK(!signal_deliverable(current));
	signal_discard(SIGTERM);
	signal_discard(SIGCHLD);
	CHECK_EQUAL(signal_pending(current), 0);
	CHECK_EQUAL(take(&info), 0);
	CHECK_EQUAL(slab_objects, 0);
}

static void test_mask(void)
{
	struct siginfo info;

	fake_reset();
	signal_set_blocked(current, ~0ull);
	CHECK_EQUAL(current->signals_blocked, ~SIGNALS_ABSOLUTE);
	CHECK_EQUAL(send_self(SIGUSR1, 0), 0);
	CHECK(!signal_deliverable(current));
	CHECK_EQUAL(send_self(SIGKILL, 0), 0);
	CHECK(signal_deliverable(current));
	CHECK_EQUAL(take(&info), SIGKILL);
	CHECK_EQUAL(take(&info), 0);
	signal_set_blocked(current, 0);
	CHECK_EQUAL(take(&info), SIGUSR1);
}

static void test_queue_full(void)
{
	const struct siginfo killed = {.number = 50, .code = CODE_USER, .sender.pid = 2};
	struct siginfo info;
	u32 count = 0;

	fake_reset();
	handle(40);
	for (u32 i = 0; i < SIGNAL_QUEUE_LIMIT; i++)
		CHECK_EQUAL(send_self(40, i), 0);
	CHECK_EQUAL(send_self(40, 0), -11);
	CHECK_EQUAL(send_self(41, 0), -11);
	/* What kill sends is never refused; it loses its siginfo. */
	CHECK_EQUAL(send_self(SIGUSR1, 9), 0);
	CHECK_EQUAL(signal_send_thread(current, &killed), 0);
	CHECK_EQUAL(take(&info), SIGUSR1);
	CHECK_EQUAL(info.sender.value, 0);
	CHECK_EQUAL(info.code, CODE_USER);
	while (take(&info) == 40)
		CHECK_EQUAL(info.sender.value, count++);
	CHECK_EQUAL(count, SIGNAL_QUEUE_LIMIT);
	CHECK_EQUAL(info.number, 50);
	CHECK_EQUAL(info.sender.pid, 0);
	CHECK_EQUAL(slab_objects, 0);

	slab_empty = true;
	CHECK_EQUAL(send_self(40, 0), -11);
	CHECK_EQUAL(send_self(SIGUSR2, 0), 0);
	slab_empty = false;
	CHECK_EQUAL(take(&info), SIGUSR2);
}

static void test_target(void)
{
	struct thread *leader, *second, *third;
	struct siginfo info;

	fake_reset();
	handle(SIGUSR1);
	leader = current;
	second = fake_thread(10);
	third = fake_thread(11);
	second->state = third->state = THREAD_BLOCKED;

	/* The first thread has it, though another sends it. */
	current = second;
	CHECK_EQUAL(send_process(SIGUSR1, 0), 0);
	CHECK(!signal_deliverable(second));
	CHECK(!signal_deliverable(third));
	CHECK(signal_deliverable(leader));

	/* It blocks it before it takes it: somebody else is woken. */
	current = leader;
	signal_set_blocked(leader, signal_bit(SIGUSR1));
	CHECK(!signal_deliverable(leader));
	CHECK_EQUAL(second->state, THREAD_RUNNABLE);
	CHECK(second->call.interrupted);
	CHECK(signal_deliverable(second));
	CHECK_EQUAL(third->state, THREAD_BLOCKED);

	/* That one ends. */
	fake_thread_end(second);
	CHECK_EQUAL(third->state, THREAD_RUNNABLE);
	CHECK(signal_deliverable(third));

	/* All block it: whoever unblocks it first has it. */
	signal_set_blocked(third, signal_bit(SIGUSR1));
	CHECK(!signal_deliverable(third));
	signal_set_blocked(leader, 0);
	CHECK(signal_deliverable(leader));
	CHECK_EQUAL(take(&info), SIGUSR1);
	CHECK_EQUAL(signal_pending(leader), 0);

	/* A deadly one doesn't wait for the first thread. */
	third->state = THREAD_RUNNABLE;
	current = third;
	CHECK_EQUAL(send_process(SIGTERM, 0), 0);
	CHECK(signal_deliverable(third));
}

static void test_waiting(void)
{
	struct thread *waiting, *other;
	struct siginfo info;

	fake_reset();
	signal_set_blocked(current, ~0ull);
	waiting = fake_thread(10); /* inherits the mask */
	other = fake_thread(11);
	CHECK_EQUAL(waiting->signals_blocked, ~SIGNALS_ABSOLUTE);
	waiting->state = THREAD_BLOCKED;
	signal_set_waited(waiting, signal_bit(SIGUSR1) | signal_bit(SIGUSR2));
	CHECK_EQUAL(send_process(SIGTERM, 0), 0);
	CHECK_EQUAL(waiting->state, THREAD_BLOCKED);
	CHECK_EQUAL(send_process(SIGUSR1, 0), 0);
	CHECK_EQUAL(waiting->state, THREAD_RUNNABLE);
	CHECK_EQUAL(send_process(SIGUSR2, 0), 0);
	CHECK(signal_take(waiting, signal_bit(SIGUSR1) | signal_bit(SIGUSR2), SHARE_ALL, &info));
	CHECK_EQUAL(info.number, SIGUSR1);
	signal_set_waited(waiting, 0);
	/* The other signal is for anyone. */
	current = other;
	signal_set_blocked(other, 0);
	CHECK_EQUAL(take(&info), SIGUSR2);
	CHECK_EQUAL(take(&info), SIGTERM);
}

/* An entry of a timer: told once for each time it was queued. */
static int told, told_with_info;

static void on_taken(struct queued_signal *entry, struct siginfo *info)
{
	CHECK(list_empty(&entry->link));
	told++;
	if (info != NULL) {
		told_with_info++;
		info->timer.overrun = 7;
	}
}

static void test_entries(void)
{
	struct queued_signal entry = {.info = {.number = 40, .code = CODE_TIMER}, .taken = on_taken};
	struct siginfo info;

	fake_reset();
	handle(40);
	list_init(&entry.link);
	CHECK(signal_send_entry(NULL, &entry, PREFER_CURRENT));
	CHECK_EQUAL(take(&info), 40);
	CHECK_EQUAL(info.timer.overrun, 7);
	CHECK_EQUAL(told, 1);
	CHECK(signal_send_entry(current, &entry, PREFER_LEADER));
	CHECK_EQUAL(send_self(40, 1), 0);
	signal_withdraw(&entry);
	CHECK_EQUAL(told, 1);
	CHECK_EQUAL(take(&info), 40);
	CHECK_EQUAL(info.sender.value, 1);
	CHECK(signal_send_entry(current, &entry, PREFER_LEADER));
	signal_withdraw(&entry);
	CHECK_EQUAL(signal_pending(current), 0);
	CHECK(signal_send_entry(current, &entry, PREFER_LEADER));
	signal_discard(40);
	CHECK_EQUAL(told, 2);
	CHECK_EQUAL(told_with_info, 1);
	signal_action(40)->handler = HANDLER_IGNORE;
	CHECK(!signal_send_entry(current, &entry, PREFER_LEADER));
	CHECK_EQUAL(slab_objects, 0);
}

static bool stops(u32 number)
{
	return number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/* Against a model: counts of what was sent and taken, per thread and signal. */
static void test_random_steps(void)
{
	struct test_random random = {.state = 5};
	u32 pending[SIGNAL_MAX + 1] = {0};
	struct siginfo info;
	u32 number, total = 0;

	fake_reset();
	for (number = 1; number <= SIGNAL_MAX; number++)
		handle(number);
	for (int step = 0; step < 200000; step++) {
		u64 set = test_random(&random) & test_random(&random);

		number = (u32)test_random_below(&random, SIGNAL_MAX) + 1;
		switch (test_random_below(&random, 8)) {
		case 0:
		case 1:
			/* A signal that stops and SIGCONT drop each other. */
			for (u32 other = 1; other <= SIGNAL_MAX; other++) {
				if (number == SIGCONT ? !stops(other) : !stops(number) || other != SIGCONT)
					continue;
				total -= pending[other];
				pending[other] = 0;
			}
			if (total < SIGNAL_QUEUE_LIMIT && (number >= SIGNAL_REALTIME || pending[number] == 0)) {
				pending[number]++;
				total++;
			}
			send_self(number, 0);
			break;
		case 2:
			signal_discard(number);
			total -= pending[number];
			pending[number] = 0;
			break;
		default:
			if (signal_take(current, set, SHARE_ALL, &info)) {
				CHECK(pending[info.number] > 0);
				CHECK(set & signal_bit((u32)info.number));
				pending[info.number]--;
				total--;
			} else {
				for (number = 1; number <= SIGNAL_MAX; number++)
					CHECK(pending[number] == 0 || !(set & signal_bit(number)));
			}
		}
		CHECK_EQUAL(slab_objects, total);
	}
}

int main(void)
{
	test_order();
	test_ignored();
	test_mask();
	test_queue_full();
	test_target();
	test_waiting();
	test_entries();
	test_random_steps();
	fake_reset();
	fake_thread_end(current);
	CHECK_EQUAL(slab_objects, 0);
	return 0;
}
