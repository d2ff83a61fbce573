/* Dispositions, masks, and the signals that are pending. */
#include "signal/state.h"

#include <asm/errno.h>

#include "lib/string.h"
#include "mm/slab.h"
#include "signal/codes.h"

/* Faults come first, since their context is that of the interrupted instruction. */
#define SIGNALS_SYNCHRONOUS                                                                                            \
	(1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) | 1ull << (SIGILL - 1) | 1ull << (SIGTRAP - 1) |                 \
	 1ull << (SIGFPE - 1) | 1ull << (SIGSYS - 1))

#define SIGNALS_STOPPING (1ull << (SIGSTOP - 1) | 1ull << (SIGTSTP - 1) | 1ull << (SIGTTIN - 1) | 1ull << (SIGTTOU - 1))

/*
 * What signal(7) calls Ign, Cont and Stop. There is nobody who could stop or
 * continue the one process, so these do nothing.
 */
#define SIGNALS_HARMLESS                                                                                               \
	(1ull << (SIGCHLD - 1) | 1ull << (SIGURG - 1) | 1ull << (SIGWINCH - 1) | 1ull << (SIGCONT - 1) |               \
	 SIGNALS_STOPPING)

static struct kernel_sigaction actions[SIGNAL_MAX + 1];

/* Pending for the process: any thread that doesn't block it may take it. */
static u64 process_pending;
static struct list process_queued = LIST_INIT(process_queued);
static u32 process_target[SIGNAL_MAX + 1]; /* id of the thread that was chosen, 0 if all block the signal */

static u32 entries; /* taken from the slab */

void signals_init(void)
{
	list_init(&process_queued);
	process_pending = 0;
	entries = 0;
	memset(actions, 0, sizeof(actions));
	memset(process_target, 0, sizeof(process_target));
}

void signals_init_thread(struct thread *thread, const struct thread *parent)
{
	thread->signals_blocked = parent == NULL ? 0 : parent->signals_blocked;
	thread->signals_pending = 0;
	list_init(&thread->signals_queued);
	thread->signals_saved = 0;
	thread->signals_restore = false;
	thread->signals_waited = 0;
	/* sigaltstack(2): a thread made by clone with CLONE_VM has none. */
	thread->altstack = (struct signal_altstack){.flags = SS_DISABLE};
}

struct kernel_sigaction *signal_action(u32 number) { return &actions[number]; }

bool signal_is_ignored(u32 number)
{
	if (actions[number].handler == HANDLER_DEFAULT)
		return (SIGNALS_HARMLESS & signal_bit(number)) != 0;
	return actions[number].handler == HANDLER_IGNORE;
}

/* Where a signal for the thread, or for the process if NULL, is kept. */
static u64 *pending_set(struct thread *thread) { return thread == NULL ? &process_pending : &thread->signals_pending; }

static struct list *pending_queue(struct thread *thread)
{
	return thread == NULL ? &process_queued : &thread->signals_queued;
}

static bool accepts(const struct thread *thread, u32 number)
{
	u64 bit = signal_bit(number);

	return !(thread->signals_blocked & bit) || (thread->state == THREAD_BLOCKED && (thread->signals_waited & bit));
}

/* The thread that gets a signal for the process, or NULL if all block it. */
static struct thread *choose(u32 number, enum signal_preference preference)
{
	struct thread *chosen = NULL;

	LIST_FOR_EACH (link, &all_threads) {
		struct thread *thread = LIST_ENTRY(link, struct thread, all);

		if (!accepts(thread, number))
			continue;
		if (preference == PREFER_CURRENT ? thread == current : thread->id == PROCESS_ID)
			return thread;
		if (chosen == NULL || thread == current)
			chosen = thread;
	}
	return chosen;
}

static void direct(u32 number, enum signal_preference preference)
{
	struct thread *thread = choose(number, preference);

	process_target[number] = thread == NULL ? 0 : thread->id;
	if (thread != NULL)
		thread_interrupt(thread);
}

/* Finds other threads for the signals of the set whose thread has gone or doesn't accept them any more. */
static void redirect(u64 set)
{
	for (set &= process_pending; set != 0; set &= set - 1) {
		u32 number = (u32)__builtin_ctzll(set) + 1;
		const struct thread *thread = thread_find(process_target[number]);

		if (process_target[number] != 0 && (thread == NULL || !accepts(thread, number)))
			direct(number, PREFER_LEADER);
	}
}

/* Those of the signals pending for the process that the thread is to take. */
static u64 directed(const struct thread *thread, u64 set)
{
	u64 result = 0;

	for (set &= process_pending; set != 0; set &= set - 1) {
		u32 target = process_target[__builtin_ctzll(set) + 1];

		if (target == 0 || target == thread->id)
			result |= set & -set;
	}
	return result;
}

bool signal_deliverable(const struct thread *thread)
{
	u64 open = ~thread->signals_blocked;

	return (thread->signals_pending & open) != 0 || directed(thread, open) != 0;
}

u64 signal_pending(const struct thread *thread) { return thread->signals_pending | process_pending; }

void signal_set_blocked(struct thread *thread, u64 mask)
{
	u64 added = mask & ~thread->signals_blocked;

	thread->signals_blocked = mask & ~SIGNALS_ABSOLUTE;
	redirect(added);
}

void signal_set_waited(struct thread *thread, u64 set)
{
	u64 removed = thread->signals_waited & ~set;

	thread->signals_waited = set;
	redirect(removed);
}

static void release(struct queued_signal *entry, struct siginfo *info)
{
	list_remove(&entry->link);
	if (entry->taken != NULL) {
		entry->taken(entry, info);
		return;
	}
	slab_free(entry, sizeof(*entry));
	entries--;
}

static void discard_pending(struct thread *thread, u64 set)
{
	*pending_set(thread) &= ~set;
	LIST_FOR_EACH (link, pending_queue(thread)) {
		struct queued_signal *entry = LIST_ENTRY(link, struct queued_signal, link);

		if (set & signal_bit((u32)entry->info.number))
			release(entry, NULL);
	}
}

static void discard_everywhere(u64 set)
{
	discard_pending(NULL, set);
	LIST_FOR_EACH (link, &all_threads)
		discard_pending(LIST_ENTRY(link, struct thread, all), set);
}

void signal_discard(u32 number) { discard_everywhere(signal_bit(number)); }

void signals_release_thread(struct thread *thread)
{
	discard_pending(thread, ~0ull);
	redirect(~0ull);
}

bool signal_interrupts(struct thread *thread)
{
	for (u64 open = signal_pending(thread) & ~thread->signals_blocked; open != 0; open &= open - 1) {
		u32 number = (u32)__builtin_ctzll(open) + 1;

		if (!signal_is_ignored(number))
			continue;
		discard_pending(thread, signal_bit(number));
		discard_pending(NULL, signal_bit(number));
	}
	return signal_deliverable(thread);
}

static struct queued_signal *new_entry(void)
{
	struct queued_signal *entry = NULL;

	if (entries < SIGNAL_QUEUE_LIMIT)
		entry = slab_alloc(sizeof(*entry));
	if (entry != NULL)
		entries++;
	return entry;
}

/* Makes a signal pending. 1, 0 if it is already and doesn't queue, or -EAGAIN. */
static int add(struct thread *thread, const struct siginfo *info, struct queued_signal *entry)
{
	u32 number = (u32)info->number;
	u64 *set = pending_set(thread);

	if (number < SIGNAL_REALTIME && (*set & signal_bit(number)))
		return 0;
	if (entry == NULL)
		entry = new_entry();
	if (entry != NULL) {
		entry->info = *info;
		entry->thread = thread;
		list_add_tail(pending_queue(thread), &entry->link);
	} else if (number >= SIGNAL_REALTIME && info->code != CODE_USER && info->code != CODE_KERNEL) {
		/* sigqueue(3) must not lose its value; a plain kill is delivered without a siginfo. */
		return -EAGAIN;
	}
	*set |= signal_bit(number);
	return 1;
}

static bool blocked_by_all(u32 number)
{
	LIST_FOR_EACH (link, &all_threads) {
		if (!(LIST_ENTRY(link, struct thread, all)->signals_blocked & signal_bit(number)))
			return false;
	}
	return true;
}

/* An ignored signal is kept only while it is blocked: it may no longer be ignored when it is unblocked. */
static bool falls_away(const struct thread *thread, u32 number)
{
	if (!signal_is_ignored(number))
		return false;
	if (thread == NULL)
		return !blocked_by_all(number);
	return !(thread->signals_blocked & signal_bit(number));
}

static int send(struct thread *thread, const struct siginfo *info, struct queued_signal *entry,
                enum signal_preference preference)
{
	u32 number = (u32)info->number;
	int result;

	ASSERT(number >= 1 && number <= SIGNAL_MAX);
	/* "Any pending SIGCONT is discarded", and the other way round, even if they are ignored: POSIX, 2.4.1. */
	if (number == SIGCONT)
		discard_everywhere(SIGNALS_STOPPING);
	else if (SIGNALS_STOPPING & signal_bit(number))
		discard_everywhere(signal_bit(SIGCONT));
	if (falls_away(thread, number))
		return 0;
	result = add(thread, info, entry);
	if (result <= 0)
		return result;
	if (thread == NULL)
		direct(number, preference);
	else if (accepts(thread, number))
		thread_interrupt(thread);
	return 1;
}

int signal_send_thread(struct thread *thread, const struct siginfo *info)
{
	return MIN(send(thread, info, NULL, PREFER_LEADER), 0);
}

int signal_send_process(const struct siginfo *info)
{
	/* What ends the program had better not wait for the first thread's turn. */
	bool ends = actions[info->number].handler == HANDLER_DEFAULT;

	return MIN(send(NULL, info, NULL, ends ? PREFER_CURRENT : PREFER_LEADER), 0);
}

bool signal_send_entry(struct thread *thread, struct queued_signal *entry, enum signal_preference preference)
{
	const struct siginfo info = entry->info;

	return send(thread, &info, entry, preference) > 0;
}

void signal_raise(struct thread *thread, u32 number)
{
	const struct siginfo info = {.number = (i32)number, .code = CODE_USER, .sender.pid = PROCESS_ID};

	signal_send_thread(thread, &info);
}

void signal_withdraw(struct queued_signal *entry)
{
	if (list_empty(&entry->link))
		return;
	list_remove(&entry->link);
	LIST_FOR_EACH (link, pending_queue(entry->thread)) {
		if (LIST_ENTRY(link, struct queued_signal, link)->info.number == entry->info.number)
			return;
	}
	*pending_set(entry->thread) &= ~signal_bit((u32)entry->info.number);
}

/* Takes the oldest entry of a pending signal. */
static void collect(struct thread *thread, u32 number, struct siginfo *info)
{
	struct queued_signal *first = NULL;
	bool more = false;

	LIST_FOR_EACH (link, pending_queue(thread)) {
		struct queued_signal *entry = LIST_ENTRY(link, struct queued_signal, link);

		if (entry->info.number != (i32)number)
			continue;
		more = first != NULL;
		if (more)
			break;
		first = entry;
	}
	if (!more)
		*pending_set(thread) &= ~signal_bit(number);
	/* It was sent when the queue was full: there is a bit and nothing else. */
	*info = (struct siginfo){.number = (i32)number, .code = CODE_USER};
	if (first == NULL)
		return;
	*info = first->info;
	release(first, info);
}

/* signal(7): of several pending signals the one with the lowest number comes first. */
static u32 lowest(u64 set)
{
	if (set & SIGNALS_SYNCHRONOUS)
		set &= SIGNALS_SYNCHRONOUS;
	return (u32)__builtin_ctzll(set) + 1;
}

bool signal_take(struct thread *thread, u64 set, enum signal_share share, struct siginfo *info)
{
	u64 own = thread->signals_pending & set;
	u64 shared = share == SHARE_ALL ? process_pending & set : directed(thread, set);

	if (own != 0)
		collect(thread, lowest(own), info);
	else if (shared != 0)
		collect(NULL, lowest(shared), info);
	else
		return false;
	return true;
}
