// Makes system calls for ever.
// want: timeout
#include "hostile.h"

int main(void)
{
	for (;;) {
		syscall(SYS_getppid);
		syscall(SYS_sched_yield);
	}
}
