// A handler sees all registers of the interrupted code, can change them all, and spares the red zone.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

// probe loads 15 registers and CF from in, stops at ud2, and stores what it then finds to out.
void probe(const uint64_t *in, uint64_t *out);
extern char probe_ud2[], probe_end[];
__asm__(".text\n.globl probe, probe_ud2, probe_end\nprobe:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rsi\n"
        "movq $0x5a5a5a5a, -8(%rsp); movq $0x6b6b6b6b, -128(%rsp)\n"
        "mov (%rdi), %rax; mov 8(%rdi), %rbx; mov 16(%rdi), %rcx; mov 24(%rdi), %rdx\n"
        "mov 32(%rdi), %rsi; mov 48(%rdi), %rbp; mov 56(%rdi), %r8; mov 64(%rdi), %r9\n"
        "mov 72(%rdi), %r10; mov 80(%rdi), %r11; mov 88(%rdi), %r12; mov 96(%rdi), %r13\n"
        "mov 104(%rdi), %r14; mov 112(%rdi), %r15; mov 40(%rdi), %rdi; stc\n"
        "probe_ud2: ud2\nprobe_end:\n"
        "xchg %rdi, (%rsp)\n" // rdi = out, its value is on the stack
        "mov %rax, (%rdi); mov %rbx, 8(%rdi); mov %rcx, 16(%rdi); mov %rdx, 24(%rdi)\n"
        "mov %rsi, 32(%rdi); mov %rbp, 48(%rdi); mov %r8, 56(%rdi); mov %r9, 64(%rdi)\n"
        "mov %r10, 72(%rdi); mov %r11, 80(%rdi); mov %r12, 88(%rdi); mov %r13, 96(%rdi)\n"
        "mov %r14, 104(%rdi); mov %r15, 112(%rdi); setc 120(%rdi)\n"
        "mov -8(%rsp), %rax; mov %rax, 128(%rdi); mov -128(%rsp), %rax; mov %rax, 136(%rdi)\n"
        "pop %rax; mov %rax, 40(%rdi)\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n");

static const int order[15] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_R8,
                              REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	CHECK_EQ(regs[REG_RIP], (uintptr_t)probe_ud2);
	for (int i = 0; i < 15; i++) {
		CHECK_EQ(regs[order[i]], 0x1111111111111111u * i + 7);
		regs[order[i]] = 0x0123456789abcdef + i;
	}
	CHECK_EQ(regs[REG_EFL] & 1, 1);
	CHECK_EQ(regs[REG_EFL] & 0x400, 0);
	CHECK_EQ(regs[REG_CSGSFS] & 0xffff, 0x33);
	regs[REG_EFL] &= ~1LL;
	regs[REG_RIP] = (uintptr_t)probe_end;
	char filler[2000];
	memset(filler, 0xff, sizeof filler); // would hit a red zone that was not spared
	__asm__ volatile("" ::"r"(filler) : "memory");
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	CHECK_EQ(sigaction(SIGILL, &sa, NULL), 0);
	uint64_t in[15], out[18] = {0};
	for (int i = 0; i < 15; i++) {
		in[i] = 0x1111111111111111u * i + 7;
	}
	for (int round = 0; round < 1000; round++) {
		memset(out, 0xee, sizeof out);
		probe(in, out);
		for (int i = 0; i < 15; i++) {
			CHECK_EQ(out[i], 0x0123456789abcdef + i);
		}
		CHECK_EQ(out[15] & 0xff, 0);
		CHECK_EQ(out[16], 0x5a5a5a5a);
		CHECK_EQ(out[17], 0x6b6b6b6b);
	}
	return success();
}
