/*
 * What signals are pending, for whom, and what is to be done about them.
 * Between the files of signal/ only; signal.h is for the rest of the kernel.
 */
#ifndef SIGNAL_STATE_H
#define SIGNAL_STATE_H

#include <asm/signal.h>

#include "lib/list.h"
#include "signal/signal.h"

#define SIGNAL_MAX 64u
#define SIGNAL_QUEUE_LIMIT 4096u /* entries with a siginfo that programs can make (RLIMIT_SIGPENDING) */

/* From here on each signal that is sent is also delivered; below, one of a kind is pending at most. */
#define SIGNAL_REALTIME 32u

/* Not even a thread that wants to can block or handle these. */
#define SIGNALS_ABSOLUTE (1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1))

/* struct sigaction as rt_sigaction(2) takes it, in plain words. */
struct kernel_sigaction {
	u64 handler; /* an address, or HANDLER_* */
	u64 flags;
	u64 restorer;
	u64 mask;
};

#define HANDLER_DEFAULT 0u
#define HANDLER_IGNORE 1u

/* sigaltstack(2). From <linux/signal.h>, which can't be included because it has a struct siginfo too. */
#define SS_ONSTACK 1u
#define SS_DISABLE 2u
#define SS_AUTODISARM (1u << 31)

struct queued_signal {
	struct list link; /* on no list while it is not pending */
	struct siginfo info;
	struct thread *thread; /* that it is for; NULL for the process */
	/*
	 * NULL for entries of the slab. Others belong to a timer, which is told
	 * when its signal is taken, and may complete the info that the program
	 * gets; info is NULL if the signal was thrown away.
	 */
	void (*taken)(struct queued_signal *entry, struct siginfo *info);
};

struct kernel_sigaction *signal_action(u32 number);
/* True if nothing happens when the signal is delivered. */
bool signal_is_ignored(u32 number);

u64 signal_pending(const struct thread *thread); /* its own and those of the process */

/* What signal_take may take of the signals that are pending for the process. */
enum signal_share {
	SHARE_DIRECTED, /* not those that another thread was woken for */
	SHARE_ALL,
};

/* Takes the next signal of the set that is pending for the thread or the process. False if there is none. */
bool signal_take(struct thread *thread, u64 set, enum signal_share share, struct siginfo *info);
/* Throws away all that is pending of a signal (sigaction(2): when it becomes ignored). */
void signal_discard(u32 number);

/* Changes a thread's mask; all changes must come here, so that signals for the process find a thread. */
void signal_set_blocked(struct thread *thread, u64 mask);
/* Says which blocked signals the thread accepts because it waits for them; 0 when it no longer does. */
void signal_set_waited(struct thread *thread, u64 set);

/* Which thread gets a signal for the process, if it does not block it. */
enum signal_preference {
	PREFER_LEADER, /* the first thread, as Linux does: programs count on it */
	PREFER_CURRENT,
};

/* Sends a timer's entry, to the process if thread is NULL. False if it was ignored, or the same signal is pending. */
bool signal_send_entry(struct thread *thread, struct queued_signal *entry, enum signal_preference preference);
/* Takes back an entry that may be pending. */
void signal_withdraw(struct queued_signal *entry);

/* True if the program handles the signal by a function. */
static inline bool signal_is_handled(u32 number) { return signal_action(number)->handler > HANDLER_IGNORE; }

#endif
