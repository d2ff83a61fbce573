// The x87 register stack, control word and rounding are each thread's own and survive switches.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <fenv.h>
#include <pthread.h>

// hold fills the x87 stack, spins and yields, and checks that all eight registers are still there.
static void hold(double base)
{
	double in[8], out[8];
	for (int i = 0; i < 8; i++) {
		in[i] = base + i;
	}
	long spins = 20000;
	__asm__ volatile("fninit\n.irp n,0,1,2,3,4,5,6,7\nfldl \\n*8(%[in])\n.endr\n"
	                 "1: dec %[spins]\njnz 1b\n"
	                 "mov $24, %%eax\nsyscall\n" // sched_yield
	                 ".irp n,7,6,5,4,3,2,1,0\nfstpl \\n*8(%[out])\n.endr\n"
	                 : [spins] "+r"(spins)
	                 : [in] "r"(in), [out] "r"(out)
	                 : "rax", "rcx", "r11", "memory");
	for (int i = 0; i < 8; i++) {
		CHECK(out[i] == base + i);
	}
}

static void *work(void *arg)
{
	static const int modes[4] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
	size_t id = (size_t)arg;
	CHECK_EQ(fegetround(), FE_UPWARD); // of the creating thread
	for (int i = 0; i < 300; i++) {
		hold(100.0 * id);
		int mode = modes[(id + i) % 4];
		CHECK_EQ(fesetround(mode), 0);
		volatile double one = 1, three = 3;
		volatile double third = one / three;
		CHECK_EQ(third > 0.33333333333333333, mode == FE_UPWARD);
		volatile long double lthird = (long double)one / three;
		CHECK_EQ(lthird * 3 < 1 || lthird < 0.333333333333333333342L, mode == FE_DOWNWARD || mode == FE_TOWARDZERO);
		CHECK_EQ(fegetround(), mode);
		unsigned short fcw;
		unsigned mxcsr;
		__asm__ volatile("fnstcw %0; stmxcsr %1" : "=m"(fcw), "=m"(mxcsr));
		CHECK_EQ(fcw & 0xc00, mode);
		CHECK_EQ(mxcsr >> 3 & 0xc00, mode);
	}
	return arg;
}

int main(void)
{
	pthread_t t[4];
	CHECK_EQ(fesetround(FE_UPWARD), 0);
	for (size_t i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, work, (void *)i), 0);
	}
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	CHECK_EQ(fegetround(), FE_UPWARD);
	return success();
}
