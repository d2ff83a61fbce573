// Every instruction that CPUID offers to programs really runs: none of them faults.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>

static const char *volatile running = "cpuid";

static void handler(int sig)
{
	fprintf(stderr, "%s is offered but gives signal %d\n", running, sig);
	_exit(1);
}

static unsigned leaf(unsigned number, unsigned sub, char reg)
{
	unsigned a = 0, b = 0, c = 0, d = 0;
	__get_cpuid_count(number, sub, &a, &b, &c, &d);
	return reg == 'a' ? a : reg == 'b' ? b : reg == 'c' ? c : d;
}

// TRY runs an instruction if the bit that announces it is set.
#define TRY(bits, bit, text)                                                                                  \
	if ((bits) >> (bit) & 1) {                                                                                \
		running = text;                                                                                       \
		__asm__ volatile(text ::"D"(area) : "rax", "rcx", "rdx", "memory", "cc", "xmm0", "xmm1", "xmm2");     \
	}

int main(void)
{
	static char area[8192] __attribute__((aligned(64)));
	int signals[] = {SIGILL, SIGSEGV, SIGFPE, SIGBUS, SIGTRAP};
	for (int i = 0; i < 5; i++) {
		signal(signals[i], handler);
	}
	unsigned c1 = leaf(1, 0, 'c'), d1 = leaf(1, 0, 'd'), b7 = leaf(7, 0, 'b'), c7 = leaf(7, 0, 'c');
	unsigned c81 = leaf(0x80000001, 0, 'c'), d81 = leaf(0x80000001, 0, 'd'), xs = leaf(13, 1, 'a');
	CHECK_EQ(d1 >> 25 & 3, 3); // SSE and SSE2 belong to x86-64
	TRY(d1, 4, "rdtsc");
	TRY(d1, 15, "cmovz %%eax, %%ecx");
	TRY(d1, 19, "clflush (%%rdi)");
	TRY(c1, 0, "haddps %%xmm0, %%xmm1");
	TRY(c1, 1, "pclmulqdq $0, %%xmm0, %%xmm1");
	TRY(c1, 9, "pshufb %%xmm0, %%xmm1");
	TRY(c1, 13, "mov (%%rdi), %%rax; xor %%edx, %%edx; lock cmpxchg16b (%%rdi)");
	TRY(c1, 19, "pmulld %%xmm0, %%xmm1");
	TRY(c1, 20, "crc32q %%rax, %%rcx");
	TRY(c1, 22, "movbe (%%rdi), %%rax");
	TRY(c1, 23, "popcnt %%rax, %%rcx");
	TRY(c1, 25, "aesenc %%xmm0, %%xmm1");
	TRY(c1, 30, "rdrand %%rax");
	if (c1 >> 27 & 1) { // OSXSAVE
		TRY(c1, 27, "xor %%ecx, %%ecx; xgetbv");
		TRY(c1, 27, "mov $7, %%eax; xor %%edx, %%edx; xsave (%%rdi); xrstor (%%rdi)");
		TRY(xs, 0, "mov $7, %%eax; xor %%edx, %%edx; xsaveopt (%%rdi)");
		TRY(xs, 1, "mov $7, %%eax; xor %%edx, %%edx; xsavec (%%rdi); xrstor (%%rdi)");
		TRY(xs, 2, "mov $1, %%ecx; xgetbv");
		TRY(c1, 28, "vaddps %%ymm0, %%ymm1, %%ymm2; vzeroupper");
		TRY(c1, 29, "vcvtph2ps %%xmm0, %%ymm1; vzeroupper");
		TRY(c1, 12, "vfmadd231ps %%ymm0, %%ymm1, %%ymm2; vzeroupper");
		TRY(b7, 5, "vpaddd %%ymm0, %%ymm1, %%ymm2; vzeroupper");
		TRY(b7, 16, "vpaddd %%zmm0, %%zmm1, %%zmm2; vzeroupper");
		TRY(c7, 9, "vaesenc %%ymm0, %%ymm1, %%ymm2; vzeroupper");
		TRY(c7, 10, "vpclmulqdq $0, %%ymm0, %%ymm1, %%ymm2; vzeroupper");
	}
	TRY(b7, 3, "andn %%rax, %%rcx, %%rdx");
	TRY(b7, 8, "pdep %%rax, %%rcx, %%rdx");
	TRY(b7, 18, "rdseed %%rax");
	TRY(b7, 19, "adcx %%rax, %%rcx");
	TRY(b7, 23, "clflushopt (%%rdi)");
	TRY(b7, 24, "clwb (%%rdi)");
	TRY(b7, 29, "sha256msg1 %%xmm0, %%xmm1");
	TRY(c7, 8, "gf2p8mulb %%xmm0, %%xmm1");
	TRY(c7, 22, "rdpid %%rax");
	TRY(c7, 27, "movdiri %%rax, (%%rdi)");
	TRY(c81, 0, "lahf");
	TRY(c81, 5, "lzcnt %%rax, %%rcx");
	TRY(c81, 6, "extrq $8, $0, %%xmm0");
	TRY(c81, 8, "prefetchw (%%rdi)");
	TRY(d81, 27, "rdtscp");
	if (getauxval(AT_HWCAP2) >> 1 & 1) { // set by the kernel when CR4 allows it
		CHECK_EQ(b7 & 1, 1);
		TRY(b7, 0, "rdfsbase %%rax; wrfsbase %%rax; rdgsbase %%rax; wrgsbase %%rax");
	}
	return success();
}
