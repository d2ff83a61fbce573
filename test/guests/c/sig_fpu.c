// FPU and SSE state: handlers start with defaults, the interrupted state comes back, and the frame shows it.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <fenv.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

static volatile int calls;

static void handler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	(void)sig;
	(void)info;
	unsigned mxcsr;
	unsigned short fcw;
	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(fcw));
	CHECK_EQ(mxcsr, 0x1f80);
	CHECK_EQ(fcw, 0x37f);
	CHECK_EQ((uintptr_t)uc->uc_mcontext.fpregs % 64, 0);
	CHECK_EQ(uc->uc_mcontext.fpregs->mxcsr & 0x6000, 0x4000); // round up, as main set it
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(uc->uc_mcontext.fpregs->_xmm[3].element[i], 0x30303030 + i);
		uc->uc_mcontext.fpregs->_xmm[4].element[i] = 0x99990000 + i; // main must see this
	}
	__asm__ volatile("fninit; fld1; fldpi; pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm3, %%xmm3; pcmpeqd %%xmm15, %%xmm15" ::
	                     : "xmm0", "xmm3", "xmm15");
	fesetround(FE_DOWNWARD);
	calls++;
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	uint32_t in[16][4], out[16][4];
	double pushed = 12.5, popped = 0;
	for (int i = 0; i < 64; i++) {
		in[i / 4][i % 4] = 0x10101010u * (i / 4) + i % 4;
	}
	long pid = getpid(), nr = 62; // kill
	for (int round = 0; round < 500; round++) {
		CHECK_EQ(fesetround(FE_UPWARD), 0);
		long rc = nr;
		__asm__ volatile("fldl %[pushed]\n"
		                 ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		                 "movdqu \\n*16(%[in]), %%xmm\\n\n.endr\n"
		                 "syscall\n"
		                 ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		                 "movdqu %%xmm\\n, \\n*16(%[out])\n.endr\n"
		                 "fstpl %[popped]\n"
		                 : "+a"(rc), [popped] "=m"(popped)
		                 : "D"(pid), "S"((long)SIGUSR1), [in] "r"(in), [out] "r"(out), [pushed] "m"(pushed)
		                 : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
		                   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
		CHECK_EQ(rc, 0);
		CHECK_EQ(calls, round + 1);
		CHECK_EQ(fegetround(), FE_UPWARD);
		CHECK(popped == 12.5);
		for (int i = 0; i < 64; i++) {
			CHECK_EQ(out[i / 4][i % 4], i / 4 == 4 ? 0x99990000u + i % 4 : in[i / 4][i % 4]);
		}
	}
	return success();
}
