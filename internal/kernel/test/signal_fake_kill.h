/* The end of the program, caught. */
#ifndef SIGNAL_FAKE_KILL_H
#define SIGNAL_FAKE_KILL_H

#include "signal_fake.h"

static jmp_buf kill_return;
static bool kill_expected;
static u32 killed_by;
static struct trap killed_at; /* vector 0xffffffff if the signal was sent */

_Noreturn void signal_kill(u32 number, const struct trap *trap)
{
	CHECK(kill_expected);
	kill_expected = false;
	killed_by = number;
	killed_at = trap == NULL ? (struct trap){.vector = 0xffffffff} : *trap;
	longjmp(kill_return, 1);
}

/* Passes if the statement ends the program by the signal. */
#define CHECK_KILLS(signal, statement)                                                                                 \
	do {                                                                                                           \
		kill_expected = true;                                                                                  \
		if (setjmp(kill_return) == 0) {                                                                        \
			statement;                                                                                     \
			test_fail(__FILE__, __LINE__, "kills: " #statement);                                           \
		}                                                                                                      \
		CHECK_EQUAL(killed_by, signal);                                                                        \
	} while (0)

#endif
