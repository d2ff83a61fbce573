// The trap flag single-steps: one SIGTRAP with TRAP_TRACE after each instruction, also across a system call.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

static volatile int steps;
static uintptr_t at[64];

static void handler(int sig, siginfo_t *info, void *context)
{
	CHECK_EQ(sig, SIGTRAP);
	CHECK_EQ(info->si_code, TRAP_TRACE);
	if (steps < 64) {
		at[steps] = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	}
	steps++;
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	CHECK_EQ(sigaction(SIGTRAP, &sa, NULL), 0);
	uintptr_t start = 0, end = 0;
	for (int round = 0; round < 20; round++) {
		steps = 0;
		__asm__ volatile("sub $256, %%rsp\n"
		                 "lea 1f(%%rip), %%rax; mov %%rax, %0; lea 2f(%%rip), %%rax; mov %%rax, %1\n"
		                 "pushfq; orl $0x100, (%%rsp); popfq\n"
		                 "1: nop; nop; nop; nop\n"
		                 "pushfq; andl $~0x100, (%%rsp); popfq\n"
		                 "2: add $256, %%rsp"
		                 : "+r"(start), "+r"(end)::"rax", "memory", "cc");
		CHECK_EQ(steps, 7);
		for (int i = 0; i < 4; i++) {
			CHECK_EQ(at[i], start + 1 + i);
		}
		CHECK_EQ(at[6], end);
	}
	return success();
}
