// getcontext, makecontext and swapcontext: coroutines with their own stacks and signal masks.
// want: exit 0
// stdout: SUCCESS
// libc: glibc
#include "check.h"
#include <signal.h>
#include <ucontext.h>

static ucontext_t main_context, contexts[3];
static char stacks[3][32768];
static int trace[64], steps, id;

static void body(int self, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		trace[steps++] = self * 10 + i;
		CHECK_EQ(swapcontext(&contexts[self], &main_context), 0);
	}
}

int main(void)
{
	sigset_t mask;
	for (id = 0; id < 3; id++) {
		CHECK_EQ(getcontext(&contexts[id]), 0);
		contexts[id].uc_stack.ss_sp = stacks[id];
		contexts[id].uc_stack.ss_size = sizeof stacks[id];
		contexts[id].uc_link = &main_context;
		sigaddset(&contexts[id].uc_sigmask, SIGUSR1 + id);
		makecontext(&contexts[id], (void (*)(void))body, 2, id, 4);
	}
	for (volatile int round = 0; round < 5; round++) {
		for (id = 0; id < 3; id++) {
			CHECK_EQ(swapcontext(&main_context, &contexts[id]), 0);
		}
	}
	CHECK_EQ(steps, 12);
	for (int i = 0; i < 12; i++) {
		CHECK_EQ(trace[i], i % 3 * 10 + i / 3);
	}
	sigprocmask(SIG_BLOCK, NULL, &mask);
	CHECK(!sigismember(&mask, SIGUSR1));
	return success();
}
