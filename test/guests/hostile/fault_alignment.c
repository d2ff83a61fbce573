// Sets the alignment check flag and makes an unaligned access, without a handler.
// want: fault alignment
// native: no
#include "../c/check.h"

int main(void)
{
	char bytes[16] __attribute__((aligned(16))) = {0};
	volatile int *at = (volatile int *)(bytes + 1);
	__asm__ volatile("pushfq; orl $0x40000, (%%rsp); popfq; movl %0, %%eax" ::"m"(*at) : "eax", "memory", "cc");
	return 0;
}
