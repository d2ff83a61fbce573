/*
 * The scheduler: round robin on one virtual CPU. The kernel isn't preempted;
 * a thread loses the CPU when its call blocks or when a tick finds others
 * waiting.
 */
#include "sched/sched.h"

#include "airlock_abi.h"
#include "arch/cpu.h"
#include "arch/fpu.h"
#include "arch/hypercall.h"
#include "arch/trap.h"
#include "file/file.h"
#include "lib/string.h"
#include "sched/clock.h"
#include "sched/wait.h"
#include "signal/signal.h"
#include "sys/table.h"
#include "trace.h"

/* Waiting for less than this costs less than leaving the VM and coming back. */
#define SPIN_NS 30000u

static _Alignas(PAGE_SIZE) u8 boot_thread[PAGE_SIZE]; /* takes the registers of a trap before there are threads */

struct thread *current = (struct thread *)boot_thread;
struct timerheap timers;

/*
 * Threads that were just woken run before those that only wait for their turn,
 * so that they needn't wait behind one that spins. A tick puts the running
 * thread behind all others, so none of these can keep the CPU.
 */
static struct list woken_queue = LIST_INIT(woken_queue);
static struct list run_queue = LIST_INIT(run_queue);
static struct thread *loaded; /* whose extended state and segment bases the CPU holds */
static u64 slice_start;       /* monotonic ns when current was switched in */
static u64 process_time;      /* ns that all threads ran up to there */

bool sched_others_runnable(void) { return !list_empty(&woken_queue) || !list_empty(&run_queue); }

void sched_yield_current(void) { list_add_tail(&run_queue, &current->run); }

void thread_wake(struct thread *thread)
{
	if (thread->state == THREAD_RUNNABLE)
		return;
	wait_end(thread);
	timerheap_cancel(&timers, &thread->timeout);
	thread->state = THREAD_RUNNABLE;
	list_add_tail(&woken_queue, &thread->run);
}

void thread_interrupt(struct thread *thread)
{
	if (thread->state != THREAD_BLOCKED)
		return;
	thread->call.interrupted = true;
	thread_wake(thread);
}

void sched_timeout(struct timer *timer)
{
	struct thread *thread = CONTAINER_OF(timer, struct thread, timeout);

	thread->call.timed_out = true;
	thread_wake(thread);
}

void sched_forget(struct thread *thread)
{
	list_remove(&thread->run);
	loaded = NULL;
	current = NULL;
}

static void account(void)
{
	u64 now = clock_monotonic();

	if (current != NULL)
		current->cpu_time += now - slice_start;
	process_time += now - slice_start;
	slice_start = now;
}

u64 thread_cpu_time(const struct thread *thread)
{
	return thread->cpu_time + (thread == current ? clock_monotonic() - slice_start : 0);
}

u64 process_cpu_time(void) { return process_time + clock_monotonic() - slice_start; }

void sched_tick(void)
{
	/*
	 * First of all, so that the host can inject another one for what it raises
	 * from here on. That is seen before the program runs.
	 */
	control_page()->tick_pending = 0;
	account();
	console_flush();
	sched_events();
	timers_run();
	if (current->state == THREAD_RUNNABLE && sched_others_runnable() && list_empty(&current->run))
		sched_yield_current();
}

void sched_events(void)
{
	u32 events = __atomic_exchange_n(&control_page()->events, 0, __ATOMIC_ACQUIRE);

	if (events & AIRLOCK_EVENT_INPUT)
		console_input_event();
}

/* Nothing can run: waits for the next timer or the host. */
static void idle(void)
{
	u64 deadline = timerheap_next(&timers);

	console_flush();
	trace_flush();
	if (deadline == NEVER || deadline > clock_monotonic() + SPIN_NS) {
		control_page()->wait.deadline = deadline;
		hypercall(AIRLOCK_PORT_WAIT);
	} else {
		while (clock_monotonic() < deadline)
			cpu_relax();
	}
	slice_start = clock_monotonic(); /* nobody ran meanwhile */
	sched_events();
	timers_run();
}

/* Makes the first runnable thread the current one. */
static void pick(void)
{
	struct list *queue;

	account();
	while (!sched_others_runnable())
		idle();
	queue = list_empty(&woken_queue) ? &run_queue : &woken_queue;
	current = LIST_ENTRY(queue->next, struct thread, run);
	list_remove(&current->run);
}

/* Loads what the kernel doesn't save at every entry. */
static void load(void)
{
	if (loaded == current)
		return;
	if (loaded != NULL) {
		extended_save(loaded->extended);
		loaded->fs_base = read_fs_base();
		loaded->gs_base = read_gs_base();
	}
	extended_restore(current->extended);
	write_fs_base(current->fs_base);
	write_gs_base(current->gs_base);
	loaded = current;
}

/* Runs the system call that the current thread is in. False if it blocks. */
static bool run_call(void)
{
	struct call *call = &current->call;
	i64 result = syscall_run(call->number, &current->registers);

	if (result == CALL_BLOCKED) {
		current->state = THREAD_BLOCKED;
		call->again = true;
		call->interrupted = call->timed_out = false;
		if (signal_deliverable(current)) /* it came before the call blocked */
			thread_interrupt(current);
		else if (call->deadline != NEVER)
			timerheap_arm(&timers, &current->timeout, call->deadline);
		return false;
	}
	wait_end(current); /* a handler may have registered and then failed */
	call->active = false;
	if (result != CALL_RESUMED)
		current->registers.rax = (u64)result;
	trace_end(call, result);
	return true;
}

void sched_init(void) { slice_start = clock_monotonic(); }

static void run_due_timers(void)
{
	if (timers.root != NULL && timerheap_next(&timers) <= clock_monotonic())
		timers_run();
}

void sched_resume(void)
{
	for (;;) {
		run_due_timers();
		if (current == NULL || current->state != THREAD_RUNNABLE || !list_empty(&current->run))
			pick();
		load();
		if (current->call.active && !run_call())
			continue;
		if (!list_empty(&current->run)) /* it yielded */
			continue;
		/* The call may have set a timer that is due: its signal comes before the call returns. */
		run_due_timers();
		signal_deliver();
		control_page()->tick_wanted = sched_others_runnable() || timers.root != NULL || console_pending();
		resume(&control_page()->tick_pending);
		sched_tick(); /* one came while the kernel ran */
	}
}
