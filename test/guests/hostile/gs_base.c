// Odd FS and GS bases: the kernel keeps them and never follows them.
// want: exit 0
// stdout: SUCCESS
#include "hostile.h"
#include <pthread.h>

// with_base sets FS and GS, makes a system call, and returns the GS that it finds afterwards.
static uint64_t with_base(uint64_t base, long nr, long a, long b, long *rc)
{
	uint64_t fs, after;
	__asm__ volatile("rdfsbase %[fs]\nwrfsbase %[base]\nwrgsbase %[base]\n"
	                 "syscall\n"
	                 "rdgsbase %[after]\nwrfsbase %[fs]\n"
	                 : [fs] "=&r"(fs), [after] "=&r"(after), "+a"(nr)
	                 : [base] "r"(base), "D"(a), "S"(b)
	                 : "rcx", "r11", "memory");
	*rc = nr;
	return after;
}

static void *work(void *arg)
{
	uint64_t own = 0x1000 * (uint64_t)(uintptr_t)arg;
	long rc;
	for (int i = 0; i < 500; i++) {
		CHECK_EQ(with_base(own, SYS_sched_yield, 0, 0, &rc), own);
		CHECK_EQ(rc, 0);
	}
	return arg;
}

int main(void)
{
	uint64_t bases[] = {0, 1, KERNEL, DIRECT_MAP, 0x7fffffffffff, 0xffff800000000000, (uint64_t)-1, (uintptr_t)main};
	long rc;
	for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
		CHECK_EQ(with_base(bases[i], SYS_getpid, 0, 0, &rc), bases[i]);
		CHECK_EQ(rc, getpid());
		struct timespec ts = {0, 100000};
		CHECK_EQ(with_base(bases[i], SYS_nanosleep, (long)&ts, 0, &rc), bases[i]);
		CHECK_EQ(rc, 0);
	}
	pthread_t t[4];
	for (uintptr_t i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, work, (void *)(i + 1)), 0);
	}
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	uint64_t set = 0x123456000, got = 0;
	CHECK_EQ(syscall(SYS_arch_prctl, 0x1001, set), 0); // ARCH_SET_GS
	CHECK_EQ(syscall(SYS_arch_prctl, 0x1004, &got), 0); // ARCH_GET_GS
	CHECK_EQ(got, set);
	CHECK_EQ(syscall(SYS_arch_prctl, 0x1003, &got), 0); // ARCH_GET_FS
	CHECK(got != 0);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x1001, 0x8000000000000000), EPERM);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x1002, 0xffff800000000000), EPERM);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
	return success();
}
