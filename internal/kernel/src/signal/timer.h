/*
 * Timers of the program that end in a signal: those of timer_create(2) and of
 * setitimer(2).
 */
#ifndef SIGNAL_TIMER_H
#define SIGNAL_TIMER_H

#include "lib/timerheap.h"
#include "signal/state.h"

enum timer_target {
	TARGET_NONE,    /* SIGEV_NONE: only to be asked what is left */
	TARGET_PROCESS, /* SIGEV_SIGNAL */
	TARGET_THREAD,  /* SIGEV_THREAD_ID */
};

struct program_timer {
	struct timer timer; /* wakes us at the expiry, or earlier to look at the clock again */
	struct queued_signal signal;
	enum timer_target target;
	u32 thread;   /* id, of TARGET_THREAD */
	i32 clock;    /* that it was made for */
	i32 running;  /* that expiry is in: relative times don't follow changes of the wall clock */
	u64 expiry;   /* 0 while disarmed */
	u64 interval; /* 0 if it expires once */
	u64 missed;   /* expiries that found the signal still pending */
	i32 overrun;  /* timer_getoverrun(2) */
};

/* signal is sent at each expiry. */
void program_timer_init(struct program_timer *timer, i32 clock, enum timer_target target, const struct siginfo *info);
/* Arms it for value, or disarms it if value is 0. absolute: value is a time of the clock. */
void program_timer_set(struct program_timer *timer, bool absolute, u64 value, u64 interval);
u64 program_timer_left(const struct program_timer *timer); /* ns until it expires, 0 while disarmed */
/* Takes it out of everything that knows it. */
void program_timer_cancel(struct program_timer *timer);

#endif
