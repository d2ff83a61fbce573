// Sets the nested task flag, which makes IRET fail, before system calls, faults and a busy loop.
// want: exit 0
// stdout: SUCCESS
#include "hostile.h"
#include <ucontext.h>

static volatile int handled;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2; // over the ud2
	handled++;
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	sigaction(SIGILL, &sa, NULL);
	for (int i = 0; i < 200; i++) {
		long rc, spins = 100000;
		__asm__ volatile("sub $128, %%rsp; pushfq; orq $0x4000, (%%rsp); popfq\n"
		                 "syscall\nud2\n1: dec %1; jnz 1b\n"
		                 "pushfq; andq $~0x4000, (%%rsp); popfq; add $128, %%rsp"
		                 : "=a"(rc), "+r"(spins)
		                 : "a"((long)SYS_sched_yield)
		                 : "rcx", "r11", "memory");
		CHECK_EQ(rc, 0);
		CHECK_EQ(handled, i + 1);
	}
	return success();
}
