// The stack protector of glibc sees an overwritten stack and aborts.
// want: signal SIGABRT
// libc: glibc
// flags: -fstack-protector-all -U_FORTIFY_SOURCE
#include <string.h>

static __attribute__((noinline)) void smash(volatile int size)
{
	volatile char frame[16];
	for (int i = 0; i < size; i++) {
		frame[i] = 0x41;
	}
	__asm__ volatile("" ::"r"(frame) : "memory");
}

int main(void)
{
	smash(64);
	return 0;
}
