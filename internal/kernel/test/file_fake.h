/*
 * What the tests of file/ have in place of the rest of the kernel: a scheduler
 * that runs blocked calls again when they are woken, a clock that stands still
 * until a test moves it, memory of the program with a bad page in it, and
 * allocators that count and can fail. Wait queues and timers are the real ones.
 */
#ifndef FILE_FAKE_H
#define FILE_FAKE_H

#include <sys/mman.h>

#include "file/file.h"
#include "file/syscalls.h"
#include "mm/pool.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "sched/clock.h"
#include "sched/thread.h"
#include "signal/signal.h"
#include "test.h"

#define MS 1000000ull
#define ADDRESS(pointer) ((u64)(uintptr_t)(pointer))

/* A thread, and the call that it is in. */
struct task {
	struct thread *thread;
	syscall_handler *handler;
	u64 arg[6];
	i64 result;
	bool blocked;
};

#define TASKS 8
static struct task tasks[TASKS];

struct thread *current;
u32 thread_count = 1;
struct timerheap timers;
static u64 now = 1000 * MS;
static u64 wall_offset = 5000 * MS;

static u32 sigpipes;       /* raised so far */
static u64 temporary_mask; /* the last one that was set */

u64 clock_monotonic(void) { return now; }
u64 clock_wall_offset(void) { return wall_offset; }
u64 clock_wall(void) { return now + wall_offset; }

void timers_run(void)
{
	struct timer *timer;

	while ((timer = timerheap_pop(&timers, now)) != NULL)
		timer->fire(timer);
}

void signal_raise(struct thread *thread, u32 number)
{
	CHECK(thread == current && number == 13);
	sigpipes++;
}

void signal_mask_temporarily(u64 mask) { temporary_mask = mask; }

/* Two pages of the program's memory: the second can't be accessed. */
static u8 *good_page, *bad_page;

static bool accessible(u64 address, u64 size)
{
	return address >= PAGE_SIZE &&
	       (address + size <= ADDRESS(bad_page) || address >= ADDRESS(bad_page) + PAGE_SIZE);
}

bool user_readable(u64 address, u64 size) { return accessible(address, size); }
bool user_writable(u64 address, u64 size) { return accessible(address, size); }

int copy_from_user(void *to, u64 from, u64 size)
{
	if (!user_readable(from, size))
		return -EFAULT;
	memcpy(to, (const void *)from, size);
	return 0;
}

int copy_to_user(u64 to, const void *from, u64 size)
{
	if (!user_writable(to, size))
		return -EFAULT;
	memcpy((void *)to, from, size);
	return 0;
}

i64 copy_string_from_user(char *to, u64 from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!user_readable(from + i, 1))
			return -EFAULT;
		to[i] = *(const char *)(from + i);
		if (to[i] == 0)
			return (i64)i;
	}
	return -ENAMETOOLONG;
}

/* Objects and pages that are in use; allocations fail when allocations_left comes down to 0. */
static i64 objects, pages, allocations_left = INT64_MAX;
struct pool kernel_pool = {.total_pages = 1000};

static void *allocate(size_t size, i64 *count)
{
	if (allocations_left-- <= 0)
		return NULL;
	++*count;
	return calloc(1, size);
}

void *slab_alloc(size_t size)
{
	CHECK(size <= PAGE_SIZE);
	return allocate(size, &objects);
}

void slab_free(void *object, size_t size)
{
	if (object == NULL)
		return;
	memset(object, 0xa5, size);
	free(object);
	objects--;
}

void *pool_take_dirty(struct pool *pool)
{
	CHECK(pool == &kernel_pool);
	return allocate(PAGE_SIZE, &pages);
}

void pool_give(struct pool *pool, void *page)
{
	CHECK(pool == &kernel_pool);
	free(page);
	pages--;
}

u64 pool_available(const struct pool *pool)
{
	(void)pool;
	return 400;
}

/* The tests interrupt only threads that have a signal to take. */
bool signal_interrupts(struct thread *thread) { return thread->call.interrupted; }

u64 resource_limit(u32 resource)
{
	(void)resource;
	return FILE_LIMIT;
}

void thread_wake(struct thread *thread)
{
	if (thread->state == THREAD_RUNNABLE)
		return;
	wait_end(thread);
	timerheap_cancel(&timers, &thread->timeout);
	thread->state = THREAD_RUNNABLE;
}

static void time_out(struct timer *timer)
{
	struct thread *thread = CONTAINER_OF(timer, struct thread, timeout);

	thread->call.timed_out = true;
	thread_wake(thread);
}

static inline void interrupt(struct task *task)
{
	CHECK(task->blocked);
	task->thread->call.interrupted = true;
	thread_wake(task->thread);
}

static void run_task(struct task *task)
{
	struct call *call = &task->thread->call;

	current = task->thread;
	task->result = task->handler(task->arg);
	task->blocked = task->result == CALL_BLOCKED;
	if (!task->blocked) {
		CHECK(list_empty(&current->waiters)); /* else they would outlive the call */
		return;
	}
	current->state = THREAD_BLOCKED;
	call->again = true;
	call->interrupted = call->timed_out = false;
	if (call->deadline != NEVER)
		timerheap_arm(&timers, &current->timeout, call->deadline);
}

/* Runs the calls whose threads were woken, until there is none. */
static inline void settle(void)
{
	for (int i = 0; i < TASKS; i++) {
		if (tasks[i].blocked && tasks[i].thread->state == THREAD_RUNNABLE) {
			run_task(&tasks[i]);
			i = -1;
		}
	}
}

/* Lets time pass. */
static inline void advance(u64 ns)
{
	now += ns;
	timers_run();
	settle();
}

/* Starts a call in a thread, which may end or block. */
static inline void start_call(struct task *task, syscall_handler *handler, const u64 *arg)
{
	CHECK(!task->blocked);
	task->handler = handler;
	memcpy(task->arg, arg, sizeof(task->arg));
	task->thread->call = (struct call){.active = true, .deadline = NEVER};
	run_task(task);
	settle();
}

#define START(task, handler, ...) start_call(&tasks[task], handler, (const u64[6]){__VA_ARGS__})

/* A call that must not block, in thread 0. */
static inline i64 call(syscall_handler *handler, const u64 *arg)
{
	start_call(&tasks[0], handler, arg);
	CHECK(!tasks[0].blocked);
	return tasks[0].result;
}

#define CALL(handler, ...) call(handler, (const u64[6]){__VA_ARGS__})
#define WANT(want, handler, ...) CHECK_EQUAL(CALL(handler, __VA_ARGS__), want)
#define IS_BLOCKED(task) (tasks[task].blocked)

/* The call of a thread has ended, with this result. */
#define WANT_RESULT(want, task)                                                                                        \
	do {                                                                                                           \
		CHECK(!tasks[task].blocked);                                                                           \
		CHECK_EQUAL(tasks[task].result, want);                                                                 \
	} while (0)

#ifndef FAKE_CONSOLE_IS_REAL
struct file console_files[3];
static const struct file_operations console_operations = {.name = "pipe:", .mode = 0010600};

void console_init(void)
{
	file_init(&console_files[0], &console_operations, 0);
	file_init(&console_files[1], &console_operations, 1);
	file_init(&console_files[2], &console_operations, 1);
}
#endif

struct thread *thread_find(u32 id)
{
	return id - PROCESS_ID < TASKS ? tasks[id - PROCESS_ID].thread : NULL;
}

static void fake_begin(void)
{
	for (int i = 0; i < TASKS; i++) {
		struct thread *thread = calloc(1, sizeof(struct thread) + 64);

		thread->id = PROCESS_ID + (u32)i;
		thread->state = THREAD_RUNNABLE;
		thread->timeout.fire = time_out;
		list_init(&thread->waiters);
		tasks[i].thread = thread;
	}
	current = tasks[0].thread;
	good_page = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(good_page != MAP_FAILED);
	bad_page = good_page + PAGE_SIZE;
	CHECK_EQUAL(mprotect(bad_page, PAGE_SIZE, PROT_NONE), 0);
	files_init();
}

/* Closes everything and finds what was not freed. */
static void fake_end(void)
{
	for (u32 i = 0; i < FILE_LIMIT; i++)
		file_close(i);
	settle();
	CHECK_EQUAL(objects, 0);
	CHECK_EQUAL(pages, 0);
	for (int i = 0; i < TASKS; i++) {
		CHECK(!tasks[i].blocked);
		free(tasks[i].thread);
	}
	munmap(good_page, 2 * PAGE_SIZE);
}

#endif
