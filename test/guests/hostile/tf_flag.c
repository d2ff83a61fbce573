// Sets the trap flag without a handler, across system calls and faults.
// want: any
// args: spin
// args: syscall
// args: handler
#include "hostile.h"

static volatile long steps;

static void handler(int sig)
{
	(void)sig;
	steps++;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "handler") == 0) {
		signal(SIGTRAP, handler);
	}
	__asm__ volatile("pushfq; orq $0x100, (%rsp); popfq");
	for (int i = 0; i < 200; i++) {
		if (argc > 1 && strcmp(argv[1], "spin") != 0) {
			syscall(SYS_getppid);
			syscall(SYS_sched_yield);
		}
	}
	return steps < 200;
}
