/* The rest of the kernel as the tests of signals need it: threads, program memory, extended state, a clock. */
#ifndef SIGNAL_FAKE_H
#define SIGNAL_FAKE_H

/* The C library's numbers of signals. What <asm/signal.h> defines beside them would clash. */
#include <signal.h>
#undef SS_ONSTACK
#undef SS_DISABLE
#define _ASM_X86_SIGNAL_H
#define SA_RESTORER 0x04000000

#include <sys/mman.h>

#include "arch/fpu.h"
#include "lib/list.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "sched/clock.h"
#include "sched/thread.h"
#include "sched/wait.h"
#include "signal/deliver.h"
#include "signal/signal.h"
#include "signal/state.h"
#include "trace.h"

#include "test.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* ---- threads ---- */

struct thread *current;
struct list all_threads = LIST_INIT(all_threads);
u32 thread_count;

struct thread *thread_find(u32 id)
{
	LIST_FOR_EACH (link, &all_threads) {
		if (LIST_ENTRY(link, struct thread, all)->id == id)
			return LIST_ENTRY(link, struct thread, all);
	}
	return NULL;
}

void thread_interrupt(struct thread *thread)
{
	if (thread->state != THREAD_BLOCKED)
		return;
	thread->call.interrupted = true;
	thread->state = THREAD_RUNNABLE;
}

u32 extended_size = 832; /* x87, SSE, AVX */

static inline struct thread *fake_thread(u32 id)
{
	struct thread *thread = aligned_alloc(64, (sizeof(*thread) + extended_size + 63) & ~63ull);

	memset(thread, 0, sizeof(*thread) + extended_size);
	thread->id = id;
	thread->state = THREAD_RUNNABLE;
	signals_init_thread(thread, current);
	list_add_tail(&all_threads, &thread->all);
	thread_count++;
	return thread;
}

static inline void fake_thread_end(struct thread *thread)
{
	list_remove(&thread->all);
	thread_count--;
	signals_release_thread(thread);
	if (current == thread)
		current = NULL;
	free(thread);
}

/* Forgets all threads and signals; the first thread is current. */
static inline void fake_reset(void)
{
	while (!list_empty(&all_threads))
		fake_thread_end(LIST_ENTRY(all_threads.next, struct thread, all));
	current = NULL;
	for (u32 number = 1; number <= SIGNAL_MAX; number++)
		signal_discard(number);
	signals_init();
	current = fake_thread(PROCESS_ID);
}

/* ---- objects ---- */

static i64 slab_objects; /* allocated and not freed */
static bool slab_empty;

void *slab_alloc(size_t size)
{
	if (slab_empty)
		return NULL;
	slab_objects++;
	return calloc(1, size);
}

void slab_free(void *object, size_t size)
{
	(void)size;
	slab_objects--;
	free(object);
}

/* ---- program memory: one mapping below AIRLOCK_USER_END, with a part that can't be written at its start ---- */

#define MEMORY 0x200000000000ull
#define MEMORY_SIZE 0x40000ull
#define MEMORY_GUARD 0x1000ull

static inline void fake_memory(void)
{
	void *memory = mmap((void *)MEMORY, MEMORY_SIZE, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK((u64)memory == MEMORY);
}

bool user_readable(u64 address, u64 size)
{
	return address >= MEMORY && address < MEMORY + MEMORY_SIZE && size <= MEMORY + MEMORY_SIZE - address;
}

bool user_writable(u64 address, u64 size) { return address >= MEMORY + MEMORY_GUARD && user_readable(address, size); }

int copy_from_user(void *to, u64 from, u64 size)
{
	if (!user_readable(from, size))
		return -14;
	memcpy(to, (const void *)from, size);
	return 0;
}

int copy_to_user(u64 to, const void *from, u64 size)
{
	if (!user_writable(to, size))
		return -14;
	memcpy((void *)to, from, size);
	return 0;
}

/* ---- extended state: a pattern ---- */

static u8 cpu_state[832] __attribute__((aligned(64)));
static u32 sanitized;

static inline void extended_initial(u8 *area)
{
	memset(area, 0, extended_size);
	area[24] = 0x80;
	area[25] = 0x1f;
}

void extended_save(void *area)
{
	CHECK_EQUAL((u64)area % 64, 0);
	memcpy(area, cpu_state, 464); /* like XSAVE, leaves what is for software alone */
	memset((u8 *)area + 512, 0, 64);
	memcpy((u8 *)area + 512, cpu_state + 512, 8);
	memcpy((u8 *)area + 576, cpu_state + 576, extended_size - 576);
}

void extended_restore(const void *area)
{
	CHECK_EQUAL((u64)area % 64, 0);
	memcpy(cpu_state, area, extended_size);
}

void extended_reset(void *area) { extended_initial(area); }

void extended_sanitize(void *area)
{
	sanitized++;
	memset((u8 *)area + 520, 0, 56);
}

/* ---- time ---- */

struct timerheap timers;
static u64 fake_now = 1000;
static u64 fake_offset = 1000000000000000000ull;
static u64 fake_cpu;

u64 clock_monotonic(void) { return fake_now; }
u64 clock_wall(void) { return fake_now + fake_offset; }
u64 clock_wall_offset(void) { return fake_offset; }
u64 thread_cpu_time(const struct thread *thread);
u64 process_cpu_time(void);
u64 thread_cpu_time(const struct thread *thread) { return thread->cpu_time + (thread == current ? fake_cpu : 0); }
u64 process_cpu_time(void) { return fake_cpu; }

/* ---- waiting: as sched/wait.c and sched/sched.c do it ---- */

i64 wait_block(u64 deadline)
{
	current->call.deadline = deadline;
	if ((current->call.interrupted || !current->call.again) && signal_interrupts(current))
		return CALL_RESTART;
	if (current->call.timed_out || (deadline != NEVER && deadline <= fake_now))
		return -110;
	return CALL_BLOCKED;
}

u64 wait_deadline(u64 relative)
{
	if (current->call.again)
		return current->call.deadline;
	return relative >= NEVER - fake_now ? NEVER : fake_now + relative;
}

/* Runs a handler as a system call of the current thread, to where it blocks or returns. */
static inline i64 fake_call(i64 (*handler)(const u64 *arg), const u64 *arg)
{
	i64 result = handler(arg);

	while (result == CALL_BLOCKED) {
		current->state = THREAD_BLOCKED;
		current->call.again = true;
		current->call.interrupted = current->call.timed_out = false;
		if (!signal_deliverable(current))
			return result;
		thread_interrupt(current);
		result = handler(arg);
	}
	return result;
}

#define FAKE_CALL(handler, ...) (current->call = (struct call){0}, fake_call((handler), (const u64[6]){__VA_ARGS__}))

/* What the test expects to be traced. */
static u32 traced;

void trace_signal(u32 number, u64 address)
{
	(void)address;
	traced = number;
}

#endif
