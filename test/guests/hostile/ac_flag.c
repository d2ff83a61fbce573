// Sets the alignment check flag, makes system calls, and then an unaligned access.
// want: any
#include "hostile.h"

int main(void)
{
	static char data[64] __attribute__((aligned(16)));
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigaction(SIGUSR1, &sa, NULL);
	long rc;
	__asm__ volatile("pushfq; orq $0x40000, (%%rsp); popfq\nsyscall"
	                 : "=a"(rc)
	                 : "a"((long)SYS_write), "D"(1L), "S"("with AC\n"), "d"(8L)
	                 : "rcx", "r11", "memory");
	__asm__ volatile("movl $1, 1(%0)" ::"r"(data) : "memory");
	__asm__ volatile("pushfq; andq $~0x40000, (%%rsp); popfq" ::: "memory");
	return rc != 8;
}
