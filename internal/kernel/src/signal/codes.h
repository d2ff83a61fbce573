/*
 * Values of si_code: why a signal was sent (sigaction(2)). Those of
 * <asm/siginfo.h>, which can't be included because it has a struct siginfo
 * too.
 */
#ifndef SIGNAL_CODES_H
#define SIGNAL_CODES_H

enum signal_code {
	/* any signal */
	CODE_USER = 0,      /* kill(2) */
	CODE_KERNEL = 0x80, /* the kernel */
	CODE_QUEUE = -1,    /* sigqueue(3) */
	CODE_TIMER = -2,    /* timer_create(2) */
	CODE_TKILL = -6,    /* tkill(2), tgkill(2) */
	/* SIGILL */
	CODE_ILLEGAL_OPERAND = 2,
	/* SIGFPE */
	CODE_INTEGER_DIVIDE = 1,
	CODE_FLOAT_DIVIDE = 3,
	CODE_FLOAT_OVERFLOW = 4,
	CODE_FLOAT_UNDERFLOW = 5,
	CODE_FLOAT_INEXACT = 6,
	CODE_FLOAT_INVALID = 7,
	/* SIGSEGV */
	CODE_NOT_MAPPED = 1,
	CODE_NOT_ALLOWED = 2,
	/* SIGBUS */
	CODE_ALIGNMENT = 1,
	/* SIGTRAP */
	CODE_BREAKPOINT = 1,
	CODE_TRACE = 2,
};

#endif
