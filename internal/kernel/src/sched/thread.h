/*
 * Threads of the program.
 *
 * The kernel has one stack and never waits inside itself: a system call that
 * can't finish puts its thread on wait queues and returns CALL_BLOCKED. When
 * the thread is woken, the same handler runs again from its start with the
 * same arguments and with call.again set, and decides anew. So there is no
 * state of a blocked thread but this structure, and a snapshot needs no more.
 */
#ifndef SCHED_THREAD_H
#define SCHED_THREAD_H

#include "arch/registers.h"
#include "lib/list.h"
#include "lib/timerheap.h"
#include "lib/types.h"

#define THREAD_LIMIT 16384u /* threads that may exist at once */
#define PROCESS_ID 2u       /* not 1: programs take that for init */

enum thread_state {
	THREAD_RUNNABLE = 1, /* on the run queue, or running */
	THREAD_BLOCKED,      /* in a system call, until something wakes it */
};

/* The system call that a thread is in. Reset at the start of each call. */
struct call {
	u32 number;
	bool active;      /* must be run (again) before the thread goes on */
	bool again;       /* not the first time */
	bool interrupted; /* woken by a signal */
	bool timed_out;   /* woken by its deadline */
	u64 deadline;     /* absolute; for handlers to keep between runs (see wait_deadline) */
	u64 progress;     /* bytes moved so far, for handlers that move them in pieces */
	u64 started;      /* monotonic ns, while tracing */
};

/* What a futex waiter waits for; see sched/futex.c. */
struct futex_wait {
	u64 address;
	u32 bitset;
	bool woken;
	struct list link;
};

struct signal_altstack {
	u64 base, size;
	u32 flags; /* SS_AUTODISARM, or SS_DISABLE when there is none */
};

struct thread {
	struct registers registers; /* at offset 0: arch/entry.S pushes here */
	u64 fs_base, gs_base;
	u32 id;
	enum thread_state state;
	struct call call;
	struct list run;      /* link in the run queue */
	struct list all;      /* link in the list of all threads */
	struct list hash;     /* link in the table by id */
	struct list waiters;  /* its struct waiter, while blocked */
	struct timer timeout; /* wakes it with call.timed_out */
	struct futex_wait futex;

	/* signals; see signal/ */
	u64 signals_blocked;
	u64 signals_pending;
	struct list signals_queued; /* struct queued_signal */
	u64 signals_saved;          /* mask to restore when a sigsuspend-like call ends */
	bool signals_restore;       /* signals_saved is to be restored */
	u64 signals_waited;         /* set of rt_sigtimedwait while blocked in it */
	struct signal_altstack altstack;

	/* what exit must do: set_tid_address(2), set_robust_list(2) */
	u64 clear_child_tid;
	u64 robust_list;
	char name[16];
	u32 policy; /* SCHED_*, and the nice value: kept for who asks */
	i32 nice;
	u64 cpu_time; /* ns that it has run */

	/* x87, SSE, AVX state as XSAVE stores it while another thread runs */
	_Alignas(64) u8 extended[];
};

extern struct thread *current; /* the thread whose registers are loaded; NULL between the end of one and the next */
extern struct list all_threads;
extern u32 thread_count;

/* A copy of parent with a new id, runnable once thread_start is called; NULL when there is no memory. */
struct thread *thread_create(const struct thread *parent);
void thread_start(struct thread *thread);
struct thread *thread_find(u32 id);
_Noreturn void thread_exit(u32 status); /* ends the current thread; the last one ends the program with its status */
_Noreturn void process_exit(u32 status); /* exit_group(2) */

/* Makes a blocked thread runnable and takes it off its wait queues; harmless if it is runnable. */
void thread_wake(struct thread *thread);
/* Wakes a blocked thread because a signal came: its call sees call.interrupted. */
void thread_interrupt(struct thread *thread);

/* True if another thread could run instead of the current one. */
bool sched_others_runnable(void);
void sched_yield_current(void); /* puts the current thread behind all others that are runnable */
/* Picks the next thread, finishes its call, delivers its signals, and goes back to the program. */
_Noreturn void sched_resume(void);
/* Called by the tick. */
void sched_tick(void);

u64 thread_cpu_time(const struct thread *thread); /* ns, with the slice that is running now */
u64 process_cpu_time(void);                       /* of all threads that ever ran */

#endif
