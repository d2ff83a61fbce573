// Spins for ever in a call, with all that would stop it out of its way: signals blocked, the tick
// still pending in the control page and never wanted, odd flags, the kernel's own text, system
// calls, faults.
// call: Attack
// want: timeout
// run: timeout
// args: plain
// args: signals
// args: pending
// args: unwanted
// args: flags
// args: trap-flag
// args: calls
// args: faults
// args: cpuid
// args: threads
#include "attack.h"
#include <pthread.h>

static void again(int sig) { (void)sig; }

static void *spin(void *unused)
{
	for (;;) {
		__asm__ volatile("pause");
	}
	return unused;
}

static const char *attack(struct airlock_call *call, const char *how)
{
	struct sigaction handler = {.sa_handler = again, .sa_flags = SA_NODEFER};
	pthread_t thread;
	sigset_t all;
	(void)call;
	sigfillset(&all);
	if (is(how, "signals")) {
		sigprocmask(SIG_BLOCK, &all, NULL);
	} else if (is(how, "flags")) {
		__asm__ volatile("pushfq; orl $0x244400, (%%rsp); popfq" ::: "memory", "cc"); // ID, AC, NT, DF
		for (;;) {
			__asm__ volatile("pause");
		}
	} else if (is(how, "trap-flag")) {
		sigaction(SIGTRAP, &handler, NULL);
		__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq" ::: "memory", "cc");
	} else if (is(how, "faults")) {
		sigaction(SIGSEGV, &handler, NULL);
		touch(16);
	} else if (is(how, "threads")) {
		for (int i = 0; i < 20; i++) {
			pthread_create(&thread, NULL, spin, NULL);
		}
	}
	for (;;) {
		if (is(how, "pending")) {
			CONTROL->tick_pending = 1;
			CONTROL->tick_wanted = 1;
		} else if (is(how, "unwanted")) {
			CONTROL->tick_pending = 0;
			CONTROL->tick_wanted = 0;
		} else if (is(how, "calls")) {
			syscall(SYS_getppid);
		} else if (is(how, "cpuid")) {
			unsigned a = 0, c = 0;
			__asm__ volatile("cpuid" : "+a"(a), "+c"(c)::"ebx", "edx");
		}
	}
	return "stopped";
}
