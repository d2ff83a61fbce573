// SIGFPE, SIGILL and SIGTRAP from instructions: codes, addresses and the place to go on.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <fenv.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

static volatile int count;
static volatile struct {
	int sig, code, trapno;
	uintptr_t addr, rip;
} seen;

static void handler(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	count++;
	seen.sig = sig;
	seen.code = info->si_code;
	seen.addr = (uintptr_t)info->si_addr;
	seen.rip = regs[REG_RIP];
	seen.trapno = regs[REG_TRAPNO];
	regs[REG_RIP] = regs[REG_R12]; // every probe puts the way out there
}

// PROBE runs one instruction between labels "at" and "end" and notes where they are.
#define PROBE(text, ...)                                                                            \
	__asm__ volatile("lea 2f(%%rip), %%r12\nlea 1f(%%rip), %%r13\n1: " text "\n2: mov %%r13, %0\nmov %%r12, %1" \
	                 : "=m"(at), "=m"(end) : __VA_ARGS__ : "rax", "rdx", "r12", "r13", "memory", "cc")

static void expect(int sig, int code, int trapno, uintptr_t rip)
{
	static int want_count;
	CHECK_EQ(count, ++want_count);
	CHECK_EQ(seen.sig, sig);
	CHECK_EQ(seen.code, code);
	CHECK_EQ(seen.trapno, trapno);
	CHECK_EQ(seen.rip, rip);
	if (sig == SIGFPE || sig == SIGILL) {
		CHECK_EQ(seen.addr, rip);
	}
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	int signals[] = {SIGFPE, SIGILL, SIGTRAP, SIGSEGV};
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(sigaction(signals[i], &sa, NULL), 0);
	}
	uintptr_t at, end;
	double one = 1, zero = 0;
	unsigned mxcsr_default = 0x1f80, mxcsr_trap = 0x1f80 & ~0x200; // divide by zero unmasked
	unsigned short fcw_default = 0x37f, fcw_trap = 0x37f & ~4;
	for (int round = 0; round < 20; round++) {
		PROBE("xor %%edx, %%edx; mov $1, %%eax; 3: div %%edx", "r"(0));
		CHECK_EQ(count, round * 8 + 1);
		at = end - 2; // the div is the last instruction
		expect(SIGFPE, FPE_INTDIV, 0, at);
		PROBE("mov $0x80000000, %%eax; cltd; idivl %2", "r"(-1));
		at = end - 2;
		expect(SIGFPE, FPE_INTDIV, 0, seen.rip);
		CHECK(seen.rip == at || seen.rip == at - 1);
		PROBE("ldmxcsr %4; movsd %2, %%xmm0; divsd %3, %%xmm0", "m"(one), "m"(zero), "m"(mxcsr_trap));
		__asm__ volatile("ldmxcsr %0" ::"m"(mxcsr_default));
		expect(SIGFPE, FPE_FLTDIV, 19, seen.rip);
		CHECK(seen.rip > at && seen.rip < end);
		PROBE("fldcw %4; fldl %2; fdivl %3; fwait", "m"(one), "m"(zero), "m"(fcw_trap));
		__asm__ volatile("fninit; fldcw %0" ::"m"(fcw_default));
		CHECK_EQ(count, round * 8 + 4);
		expect(SIGFPE, FPE_FLTDIV, 16, seen.rip);
		PROBE("ud2", "r"(0));
		expect(SIGILL, ILL_ILLOPN, 6, at);
		PROBE("int3", "r"(0));
		expect(SIGTRAP, 0x80, 3, end);
		PROBE("hlt", "r"(0));
		expect(SIGSEGV, 0x80, 13, at);
		PROBE("mov %%rax, %%cr3", "r"(0));
		expect(SIGSEGV, 0x80, 13, at);
	}
	return success();
}
