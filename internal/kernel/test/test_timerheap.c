#include "lib/timerheap.h"

#include "test.h"

#define TIMERS 200

/* Checks links and order of a list of siblings and of all below; returns how many there are. */
static size_t check_siblings(const struct timer *first, const struct timer *parent)
{
	const struct timer *previous = parent;
	size_t count = 0;

	for (const struct timer *timer = first; timer; timer = timer->sibling) {
		CHECK(timer->armed);
		CHECK(timer->previous == previous);
		CHECK(!parent || parent->deadline <= timer->deadline);
		count += 1 + check_siblings(timer->child, timer);
		previous = timer;
	}
	return count;
}

static void check_heap(const struct timerheap *heap, const struct timer *timers, size_t count)
{
	u64 earliest = NEVER;
	size_t armed = 0;

	for (size_t i = 0; i < count; i++) {
		if (!timers[i].armed)
			continue;
		armed++;
		earliest = MIN(earliest, timers[i].deadline);
	}
	CHECK(!heap->root || !heap->root->sibling);
	CHECK_EQUAL(check_siblings(heap->root, NULL), armed);
	CHECK_EQUAL(timerheap_next(heap), earliest);
}

/* Pops all that is due; the model is the array of timers itself. */
static void pop_due(struct timerheap *heap, struct timer *timers, size_t count, u64 now)
{
	u64 last = 0;
	struct timer *timer;

	while ((timer = timerheap_pop(heap, now))) {
		CHECK(!timer->armed);
		CHECK(timer->deadline >= last && timer->deadline <= now);
		last = timer->deadline;
	}
	for (size_t i = 0; i < count; i++)
		CHECK(!timers[i].armed || timers[i].deadline > now);
}

static void test_random_steps(u64 seed, u64 spread)
{
	static struct timer timers[TIMERS];
	struct timerheap heap = {NULL};
	struct test_random random = {seed};
	u64 now = 0;

	memset(timers, 0, sizeof(timers));
	for (int step = 0; step < 50000; step++) {
		struct timer *timer = &timers[test_random_below(&random, TIMERS)];
		u64 deadline = now + test_random_below(&random, spread);

		switch (test_random_below(&random, 8)) {
		case 0:
			now += test_random_below(&random, spread / 4 + 1);
			pop_due(&heap, timers, TIMERS, now);
			break;
		case 1:
		case 2:
			timerheap_cancel(&heap, timer);
			CHECK(!timer->armed);
			break;
		default:
			timerheap_arm(&heap, timer, deadline);
			CHECK(timer->armed);
			CHECK_EQUAL(timer->deadline, deadline);
		}
		check_heap(&heap, timers, TIMERS);
	}
}

/* Many timers in orders that make lopsided heaps: all come out sorted, and none is lost. */
static void test_drain(u64 (*deadline)(u64 index, u64 count))
{
	const u64 count = 100000;
	struct timer *timers = calloc(count, sizeof(*timers));
	struct timerheap heap = {NULL};
	u64 last = 0;

	for (u64 i = 0; i < count; i++)
		timerheap_arm(&heap, &timers[i], deadline(i, count));
	for (u64 i = 0; i < count; i++) {
		struct timer *timer = timerheap_pop(&heap, NEVER);

		CHECK(timer && timer->deadline >= last);
		last = timer->deadline;
	}
	CHECK(!timerheap_pop(&heap, NEVER));
	free(timers);
}

static u64 ascending(u64 index, u64 count)
{
	(void)count;
	return index;
}

static u64 descending(u64 index, u64 count) { return count - index; }

static u64 scattered(u64 index, u64 count) { return index * 7919 % count; }

static u64 all_equal(u64 index, u64 count) { return index - index + count; }

static void test_edges(void)
{
	struct timerheap heap = {NULL};
	struct timer a = {0}, b = {0};

	CHECK_EQUAL(timerheap_next(&heap), NEVER);
	CHECK(!timerheap_pop(&heap, NEVER));
	timerheap_cancel(&heap, &a);
	CHECK(!heap.root);

	timerheap_arm(&heap, &a, 10);
	CHECK(!timerheap_pop(&heap, 9));
	CHECK(timerheap_pop(&heap, 10) == &a);
	CHECK_EQUAL(timerheap_next(&heap), NEVER);

	/* Arming again moves the timer, in both directions. */
	timerheap_arm(&heap, &a, 10);
	timerheap_arm(&heap, &b, 20);
	timerheap_arm(&heap, &a, 30);
	CHECK_EQUAL(timerheap_next(&heap), 20);
	timerheap_arm(&heap, &a, 5);
	CHECK_EQUAL(timerheap_next(&heap), 5);
	timerheap_arm(&heap, &a, 5);
	CHECK(timerheap_pop(&heap, 100) == &a);
	CHECK(timerheap_pop(&heap, 100) == &b);
	CHECK(!timerheap_pop(&heap, 100));
}

int main(void)
{
	test_edges();
	test_random_steps(1, 1000000);
	test_random_steps(2, 50); /* many equal deadlines */
	test_random_steps(3, 1);
	test_drain(ascending);
	test_drain(descending);
	test_drain(scattered);
	test_drain(all_equal);
	return 0;
}
