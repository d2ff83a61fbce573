// Makes system calls while the stack pointer points to nothing, to the kernel or nowhere at all.
// want: exit 0
// stdout: SUCCESS
#include "hostile.h"

int main(void)
{
	uint64_t pointers[] = {0, 8, 1, KERNEL, KERNEL + 0x8000, DIRECT_MAP + 0x1000, 0x8000000000000000, (uint64_t)-8,
	                       0x7fffffffffff, 0xffff800000000000};
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
			long rc, spins = 2000;
			__asm__ volatile("mov %%rsp, %%r12; mov %[to], %%rsp\n"
			                 "syscall\n1: dec %[spins]; jnz 1b\n" // a tick may come here
			                 "mov %%rsp, %[to]; mov %%r12, %%rsp"
			                 : "=a"(rc), [to] "+r"(pointers[i]), [spins] "+r"(spins)
			                 : "a"((long)SYS_sched_yield)
			                 : "rcx", "r11", "r12", "memory");
			CHECK_EQ(rc, 0);
		}
	}
	CHECK_EQ(pointers[3], KERNEL);
	return success();
}
