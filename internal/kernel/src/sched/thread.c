/* Making, finding and ending threads. */
#include "sched/thread.h"

#include "arch/fpu.h"
#include "arch/hypercall.h"
#include "file/file.h"
#include "lib/string.h"
#include "mm/pool.h"
#include "mm/user.h"
#include "sched/futex.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "trace.h"

#define HASH_SIZE 256u

_Static_assert(sizeof(struct thread) + 2752 <= PAGE_SIZE, "a thread is one page");

struct list all_threads = LIST_INIT(all_threads);
u32 thread_count;

static struct list by_id[HASH_SIZE];
static u32 next_id = PROCESS_ID;

struct thread *thread_find(u32 id)
{
	struct list *bucket = &by_id[id % HASH_SIZE];

	if (bucket->next == NULL)
		return NULL;
	LIST_FOR_EACH (link, bucket) {
		struct thread *thread = LIST_ENTRY(link, struct thread, hash);

		if (thread->id == id)
			return thread;
	}
	return NULL;
}

static u32 take_id(void)
{
	do {
		if (next_id >= INT32_MAX)
			next_id = PROCESS_ID + 1;
		next_id++;
	} while (thread_find(next_id - 1) != NULL);
	return next_id - 1;
}

struct thread *thread_create(const struct thread *parent)
{
	struct thread *thread;

	if (thread_count >= THREAD_LIMIT)
		return NULL;
	thread = pool_take(&kernel_pool);
	if (thread == NULL)
		return NULL;
	thread->id = take_id();
	thread->state = THREAD_BLOCKED;
	list_init(&thread->run);
	list_init(&thread->waiters);
	list_init(&thread->futex.link);
	thread->timeout.fire = sched_timeout;
	signals_init_thread(thread, parent);
	if (parent == NULL) {
		extended_reset(thread->extended);
	} else {
		thread->registers = parent->registers;
		thread->fs_base = parent->fs_base;
		thread->policy = parent->policy;
		thread->nice = parent->nice;
		thread->gs_base = parent->gs_base;
		memcpy(thread->name, parent->name, sizeof(thread->name));
		extended_save(thread->extended); /* the parent is current: its state is in the CPU */
	}
	list_add_tail(&all_threads, &thread->all);
	if (by_id[thread->id % HASH_SIZE].next == NULL)
		list_init(&by_id[thread->id % HASH_SIZE]);
	list_add_tail(&by_id[thread->id % HASH_SIZE], &thread->hash);
	thread_count++;
	return thread;
}

void thread_start(struct thread *thread) { thread_wake(thread); }

/* clone(2), CLONE_CHILD_CLEARTID: joiners wait on this word. */
static void clear_child_tid(struct thread *thread)
{
	const u32 zero = 0;

	if (thread->clear_child_tid == 0)
		return;
	if (copy_to_user(thread->clear_child_tid, &zero, sizeof(zero)) == 0)
		futex_wake(thread->clear_child_tid, 1);
}

void thread_exit(u32 status)
{
	struct thread *thread = current;

	futex_exit_robust(thread);
	clear_child_tid(thread);
	if (thread_count == 1)
		process_exit(status); /* since Linux 5.17: before it was the first thread's */
	list_remove(&thread->all);
	list_remove(&thread->hash);
	thread_count--;
	signals_release_thread(thread);
	sched_forget(thread);
	pool_give(&kernel_pool, thread);
	sched_resume();
}

void process_exit(u32 status)
{
	console_flush();
	trace_flush();
	control_page()->exit.status = status & 0xff;
	hypercall_last(AIRLOCK_PORT_EXIT);
}
