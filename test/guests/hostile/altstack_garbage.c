// The alternate stack is unmapped, read-only, in the kernel or not canonical when a signal needs it.
// want: any
// args: 0
// args: 0x7fc000010000
// args: 0x7f8000000000
// args: 0x8000000000000000
// args: 0x7ffffffff000
// args: 0xfffffffffffff000
#include "hostile.h"

static void handler(int sig)
{
	_exit(sig);
}

int main(int argc, char **argv)
{
	uintptr_t at = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	stack_t ss = {.ss_sp = (void *)at, .ss_size = 65536};
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
	syscall(SYS_sigaltstack, &ss, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	return 0;
}
