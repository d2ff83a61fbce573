/* Running handlers and ending the program. */
#ifndef SIGNAL_DELIVER_H
#define SIGNAL_DELIVER_H

#include "signal/signal.h"

/*
 * A signal that the current thread can't do without: it is delivered at once,
 * or ends the program if it is blocked or not handled. trap is what the host
 * is told then.
 */
void signal_force(const struct siginfo *info, const struct trap *trap);

/* Ends the program by a signal. trap is the fault that caused it, or NULL if it was sent. */
_Noreturn void signal_kill(u32 number, const struct trap *trap);

#endif
