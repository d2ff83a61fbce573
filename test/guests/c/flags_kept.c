// System calls keep all registers but rax, rcx and r11, and the flags DF, AC and ID of their caller.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <stdint.h>

// raw makes a getppid call with known registers and flags, and stores what comes back.
static void raw(uint64_t flags, uint64_t *flags_after, uint64_t *out)
{
	uint64_t f = flags;
	__asm__ volatile("sub $128, %%rsp\npush %%rbp\npush %%rbx\n"
	                 "push %[f]\nmov %[out], %%rbx\n"
	                 "mov $1, %%edi\nmov $2, %%esi\nmov $3, %%edx\nmov $4, %%r8d\nmov $5, %%r9d\nmov $6, %%r10d\n"
	                 "mov $7, %%r12d\nmov $8, %%r13d\nmov $9, %%r14d\nmov $10, %%r15d\nmov $11, %%ebp\n"
	                 "mov $110, %%eax\npopfq\nsyscall\npushfq\ncld\n"
	                 "mov %%rdi, (%%rbx)\nmov %%rsi, 8(%%rbx)\nmov %%rdx, 16(%%rbx)\nmov %%r8, 24(%%rbx)\n"
	                 "mov %%r9, 32(%%rbx)\nmov %%r10, 40(%%rbx)\nmov %%r12, 48(%%rbx)\nmov %%r13, 56(%%rbx)\n"
	                 "mov %%r14, 64(%%rbx)\nmov %%r15, 72(%%rbx)\nmov %%rbp, 80(%%rbx)\n"
	                 "pop %%rax\npushq $2\npopfq\npop %%rbx\npop %%rbp\nadd $128, %%rsp\nmov %%rax, %[f]\n"
	                 : [f] "+c"(f), [out] "+a"(out)::"rdi", "rsi", "rdx", "r8", "r9", "r10", "r11", "r12",
	                   "r13", "r14", "r15", "memory", "cc");
	*flags_after = f;
}

int main(void)
{
	enum { CF = 1, PF = 4, ZF = 64, SF = 128, DF = 0x400, OF = 0x800, AC = 0x40000, ID = 0x200000 };
	uint64_t sets[] = {0, CF | PF | ZF, SF | OF, DF, AC, ID, DF | AC | ID | CF};
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
			uint64_t out[11], after;
			raw(sets[i] | 2, &after, out);
			CHECK_EQ(after & (CF | PF | ZF | SF | DF | OF | AC | ID), sets[i]);
			for (int k = 0; k < 11; k++) {
				CHECK_EQ(out[k], k + 1);
			}
		}
	}
	return success();
}
