// Faults, with a handler, while the stack pointer is garbage: there is no place for a signal frame.
// want: any
// args: 0
// args: 0x7fc000010000
// args: 0x7f8000001000
// args: 0x8000000000000000
// args: 0xfffffffffffffff8
// args: 0x7ffffffff000
#include "hostile.h"

static void handler(int sig)
{
	_exit(sig);
}

int main(int argc, char **argv)
{
	uint64_t to = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	signal(SIGILL, handler);
	signal(SIGSEGV, handler);
	__asm__ volatile("mov %0, %%rsp; ud2" ::"r"(to) : "memory");
	return 0;
}
