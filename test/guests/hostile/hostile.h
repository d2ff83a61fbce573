// What the hostile guests share: the layout that an attacker knows, and a guard for developers.
#ifndef HOSTILE_H
#define HOSTILE_H
#include "../c/check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define KERNEL 0x7fc000000000UL     // the guest kernel's image
#define DIRECT_MAP 0x7f8000000000UL // all guest-physical memory

// sandbox_only ends the program where it could do harm: a sandbox has no sockets.
static inline void sandbox_only(void)
{
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0) {
		fputs("this program runs only inside a sandbox\n", stderr);
		_exit(1);
	}
}

static sigjmp_buf fault_back;

static inline void fault_handler(int sig)
{
	siglongjmp(fault_back, sig);
}

// catch_faults makes SURVIVES below work; handlers run on a stack of their own.
static inline void catch_faults(void)
{
	static char stack[65536];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction sa = {.sa_handler = fault_handler, .sa_flags = SA_ONSTACK | SA_NODEFER};
	int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGALRM};
	sigaltstack(&ss, NULL);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		sigaction(signals[i], &sa, NULL);
	}
}

// SURVIVES(statement) is 1 if the statement ran, 0 if it ended in a signal. It makes no
// system call: the handlers block nothing, so there is no mask to restore.
#define SURVIVES(...) (sigsetjmp(fault_back, 0) == 0 ? ({ __VA_ARGS__; 1; }) : 0)

// use_kernel makes the guest kernel work: calls, memory, signals, sleeping, output.
static inline void use_kernel(void)
{
	char buf[64] = "output of a program that has attacked its kernel\n";
	long page = syscall(SYS_mmap, 0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page > 0) {
		(void)SURVIVES(memset((void *)page, 1, 65536));
		syscall(SYS_munmap, page, 65536);
	}
	struct timespec ts = {0, 1000000};
	syscall(SYS_nanosleep, &ts, NULL);
	syscall(SYS_getrandom, buf + 32, 16, 0);
	buf[sizeof buf - 1] = '\n';
	syscall(SYS_sched_yield);
	syscall(SYS_write, 1, buf, sizeof buf);
}

// fill_words writes a pattern: a number for one byte value, "random" or "pte" with a seed.
static inline void fill_words(volatile uint64_t *at, size_t bytes, const char *pattern, unsigned *seed)
{
	uint64_t byte = strtoul(pattern, NULL, 0) & 0xff;
	for (size_t i = 0; i < bytes / 8; i++) {
		uint64_t random = (uint64_t)random32(seed) << 32 | random32(seed);
		if (strcmp(pattern, "pte") == 0) { // a user page somewhere in physical memory
			at[i] = (random & 0x800fffffffffff80) | 7;
		} else if (strcmp(pattern, "random") == 0) {
			at[i] = random;
		} else {
			at[i] = byte * 0x0101010101010101;
		}
	}
}

#endif
