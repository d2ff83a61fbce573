/* Wait queues. */
#include "sched/wait.h"

#include <asm/errno.h>

#include "mm/slab.h"
#include "sched/clock.h"
#include "signal/signal.h"

static void wake_thread(struct waiter *waiter) { thread_wake(waiter->thread); }

void wait_end(struct thread *thread)
{
	while (!list_empty(&thread->waiters)) {
		struct waiter *waiter = LIST_ENTRY(thread->waiters.next, struct waiter, of_thread);

		list_remove(&waiter->link);
		list_remove(&waiter->of_thread);
		slab_free(waiter, sizeof(*waiter));
	}
}

void waitqueue_wake(struct waitqueue *queue)
{
	/*
	 * A wake may remove any waiters of one thread, so no position in the list
	 * survives it. Move all of them aside first and take them one by one.
	 */
	struct list woken = LIST_INIT(woken);

	while (!list_empty(&queue->waiters)) {
		struct list *link = queue->waiters.next;

		list_remove(link);
		list_add_tail(&woken, link);
	}
	while (!list_empty(&woken)) {
		struct list *link = woken.next;

		/* A callback's waiter stays on its queue; a thread's frees itself in its wake. */
		list_remove(link);
		list_add_tail(&queue->waiters, link);
		LIST_ENTRY(link, struct waiter, link)->wake(LIST_ENTRY(link, struct waiter, link));
	}
}

int wait_on(struct waitqueue *queue)
{
	struct waiter *waiter = slab_alloc(sizeof(*waiter));

	if (waiter == NULL)
		return -ENOMEM;
	waiter->wake = wake_thread;
	waiter->thread = current;
	list_add_tail(&queue->waiters, &waiter->link);
	list_add_tail(&current->waiters, &waiter->of_thread);
	return 0;
}

i64 wait_block(u64 deadline)
{
	struct call *call = &current->call;

	call->deadline = deadline;
	/* A signal that came meanwhile, if no other thread took it, or that the call's own mask has let in. */
	if ((call->interrupted || !call->again) && signal_interrupts(current))
		return CALL_RESTART;
	if (call->timed_out || (deadline != NEVER && deadline <= clock_monotonic()))
		return -ETIMEDOUT;
	return CALL_BLOCKED;
}

u64 wait_deadline(u64 relative_ns)
{
	u64 now;

	if (current->call.again)
		return current->call.deadline;
	now = clock_monotonic();
	return relative_ns >= NEVER - now ? NEVER : now + relative_ns;
}
