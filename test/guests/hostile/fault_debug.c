// Sets the trap flag and goes on, without a handler.
// want: fault debug
#include "../c/check.h"

int main(void)
{
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop" ::: "memory", "cc");
	return 0;
}
