// AVX registers keep their values across thread switches, system calls and signals.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <signal.h>

enum { bytes = 32, regs = 16 };
static volatile int calls;

static __attribute__((target("avx2"))) void handler(int sig)
{
	(void)sig;
	__asm__ volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\nvpcmpeqd %%ymm\\n, %%ymm\\n, %%ymm\\n\n.endr\nvzeroupper" ::: "memory");
	calls++;
}

// hold fills every vector register, spins, makes one system call and stores the registers.
static __attribute__((noinline, target("avx2"))) void hold(const char *in, char *out, long spins, long nr, long a, long b, long c)
{
	__asm__ volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\nvmovdqu \\n*32(%[in]), %%ymm\\n\n.endr\n"
	                 "1: dec %[spins]\njnz 1b\n"
	                 "syscall\n"
	                 ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\nvmovdqu %%ymm\\n, \\n*32(%[out])\n.endr\n"
	                 : [spins] "+r"(spins), "+a"(nr)
	                 : [in] "r"(in), [out] "r"(out), "D"(a), "S"(b), "d"(c)
	                 : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
	                   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static void round_trip(int id, int round, long nr, long a, long b, long c)
{
	char in[regs * bytes], out[regs * bytes] = {0};
	for (size_t i = 0; i < sizeof in; i++) {
		in[i] = (char)(i * 7 + id * 31 + round);
	}
	hold(in, out, 5000, nr, a, b, c);
	CHECK_EQ(memcmp(in, out, sizeof in), 0);
}

static void *work(void *arg)
{
	for (int i = 0; i < 300; i++) {
		round_trip((int)(size_t)arg, i, 24, 0, 0, 0); // sched_yield
	}
	return arg;
}

int main(void)
{
	if (!__builtin_cpu_supports("avx2")) {
		puts("this processor has no AVX");
		return success();
	}
	struct sigaction sa = {.sa_handler = handler};
	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	for (int i = 0; i < 500; i++) {
		round_trip(9, i, 62, getpid(), SIGUSR1, 0); // kill
		CHECK_EQ(calls, i + 1);
	}
	pthread_t t[4];
	for (size_t i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, work, (void *)i), 0);
	}
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	return success();
}
