/* Signals: see signal(7). */
#ifndef SIGNAL_SIGNAL_H
#define SIGNAL_SIGNAL_H

#include "arch/registers.h"
#include "lib/types.h"
#include "sched/thread.h"

struct siginfo { /* siginfo_t as the program sees it */
	i32 number, error, code, padding;
	union {
		struct {
			i32 pid;
			u32 uid;
			u64 value;
		} sender;
		struct {
			i32 timer, overrun;
			u64 value;
		} timer;
		struct {
			u64 address;
		} fault;
		u8 bytes[112];
	};
};

_Static_assert(sizeof(struct siginfo) == 128, "siginfo_t");

static inline u64 signal_bit(u32 number) { return 1ull << (number - 1); }

void signals_init(void);
void signals_init_thread(struct thread *thread, const struct thread *parent); /* inherits the mask, nothing pending */
void signals_release_thread(struct thread *thread);                           /* frees what is queued */

/* Sends to one thread, or to the process. 0 or -EAGAIN when the queue is full. */
int signal_send_thread(struct thread *thread, const struct siginfo *info);
int signal_send_process(const struct siginfo *info);
/* kill(2)-style shorthand: SI_KERNEL, no sender. */
void signal_raise(struct thread *thread, u32 number);

/* True if the thread has a signal that it does not block. */
bool signal_deliverable(const struct thread *thread);
/* The same for a thread that is about to wait. Drops what is ignored: that ends no call, and is kept only while it is
 * blocked. */
bool signal_interrupts(struct thread *thread);

/*
 * A fault of the current thread: sends SIGSEGV, SIGFPE and so on with the
 * siginfo that Linux gives, or ends the program with a fault report to the
 * host if the signal is blocked or not handled.
 */
void signal_fault(const struct trap *trap, bool mapped);

/*
 * Called for the current thread on the way back to the program, with its
 * extended state in the CPU. Delivers pending signals: builds frames on its
 * stack, or ends the program. A CALL_RESTART that a system call has left in
 * RAX is resolved here: the call fails with EINTR if a handler without
 * SA_RESTART is to run, else the program makes it again. A mask that was
 * temporary is put back.
 */
void signal_deliver(void);

/*
 * For calls that wait with a mask of their own (sigsuspend, ppoll, pselect,
 * epoll_pwait): blocks just this mask until the call has ended and, if it
 * ended with EINTR, the handler of the signal has returned. Does nothing but
 * in the first run of the call.
 */
void signal_mask_temporarily(u64 mask);

#endif
