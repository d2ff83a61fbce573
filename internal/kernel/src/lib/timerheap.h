/*
 * The timer heap: what must happen at which time. A pairing heap whose nodes
 * live inside their owners, so that arming a timer never fails.
 */
#ifndef LIB_TIMERHEAP_H
#define LIB_TIMERHEAP_H

#include "lib/types.h"

struct timer {
	u64 deadline; /* monotonic ns; meaningful while armed */
	bool armed;
	void (*fire)(struct timer *timer); /* called once, already disarmed */
	struct timer *child, *sibling, *previous; /* previous: left sibling, or the parent of a first child */
};

struct timerheap {
	struct timer *root;
};

void timerheap_arm(struct timerheap *heap, struct timer *timer, u64 deadline); /* also re-arms */
void timerheap_cancel(struct timerheap *heap, struct timer *timer);            /* harmless if not armed */
u64 timerheap_next(const struct timerheap *heap);                              /* earliest deadline, or NEVER */
/* Disarms and returns the earliest timer if it is due at now, else NULL. Equal deadlines come in any order. */
struct timer *timerheap_pop(struct timerheap *heap, u64 now);

#endif
