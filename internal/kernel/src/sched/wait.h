/*
 * Wait queues: how a system call waits for an object to change.
 *
 *	if (!ready(object)) {
 *		i64 result = wait_block(deadline);
 *
 *		if (result == CALL_BLOCKED && wait_on(&object->queue) < 0)
 *			return -ENOMEM;
 *		return result;
 *	}
 */
#ifndef SCHED_WAIT_H
#define SCHED_WAIT_H

#include "lib/list.h"
#include "sched/thread.h"

/* Results that never reach a program; all lie outside the errno range of 1 to 4095. */
#define CALL_BLOCKED (-4096ll) /* the thread waits; run the handler again when it is woken */
#define CALL_RESTART (-4097ll) /* a signal came: restart if its handler says SA_RESTART, else EINTR */
#define CALL_RESUMED (-4098ll) /* the thread's registers were replaced (rt_sigreturn): leave them alone */

struct waitqueue {
	struct list waiters;
};

struct waiter {
	struct list link;                    /* in the queue */
	void (*wake)(struct waiter *waiter); /* may remove this and other waiters from the queue */
	struct thread *thread;               /* of a thread's waiter */
	struct list of_thread;               /* in thread->waiters */
};

static inline void waitqueue_init(struct waitqueue *queue) { list_init(&queue->waiters); }

/* Calls every waiter's wake. Call it whenever the object may have become ready for anything. */
void waitqueue_wake(struct waitqueue *queue);

/* Makes the current thread wake when the queue does. It stays on until the thread runs again. 0 or -ENOMEM. */
int wait_on(struct waitqueue *queue);
/* Takes a thread off all queues. */
void wait_end(struct thread *thread);

/*
 * The result with which a handler that isn't done returns:
 * CALL_BLOCKED, CALL_RESTART when a signal has come, or -ETIMEDOUT when the
 * deadline (absolute monotonic ns, or NEVER) has passed. Handlers translate
 * the last two where their manual page says otherwise.
 */
i64 wait_block(u64 deadline);

/* The absolute deadline of a call with a relative timeout: computed in its first run, remembered after. */
u64 wait_deadline(u64 relative_ns);

#endif
