// Corners of system calls that programs meet: advice on shared memory, limits, futexes, identities, barriers.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <grp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { PAGE = 4096, REQUEUE_PRIVATE = 3 | 128, WAKE_PRIVATE = 1 | 128, WAKE_OP_PRIVATE = 5 | 128, PRIVATE = 128 };

static void shared_memory(void)
{
	unsigned char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED && private != MAP_FAILED);
	*shared = *private = 42;
	CHECK_EQ(madvise(shared, PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(*shared, 42);
	CHECK_ERR(madvise(shared, PAGE, MADV_FREE), EINVAL);
	CHECK_EQ(madvise(shared, PAGE, MADV_REMOVE), 0);
	CHECK_EQ(*shared, 0);
	CHECK_ERR(madvise(private, PAGE, MADV_REMOVE), EINVAL);
	CHECK_EQ(madvise(private, PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(*private, 0);
	CHECK_EQ(madvise(private, PAGE, MADV_WIPEONFORK), 0);
	CHECK_EQ(madvise(private, PAGE, MADV_KEEPONFORK), 0);
	CHECK_ERR(msync(shared, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
}

static void limits(void)
{
	// One struct may be the new limit and get the old one.
	struct rlimit both, now;
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &both), 0);
	rlim_t before = both.rlim_cur;
	both.rlim_cur = 200;
	CHECK_EQ(prlimit(0, RLIMIT_NOFILE, &both, &both), 0);
	CHECK_EQ(both.rlim_cur, before);
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
	CHECK_EQ(now.rlim_cur, 200);
}

static atomic_uint from, to;
static atomic_int waiting;

static void *waiter(void *arg)
{
	waiting++;
	CHECK_EQ(syscall(SYS_futex, &from, PRIVATE, 0, NULL, NULL, 0), 0);
	return arg;
}

static void futexes(void)
{
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, waiter, NULL), 0);
	while (waiting < 3)
		sleep_ms(1);
	sleep_ms(40);
	// All that were woken and moved; and counts of 0 wake one.
	CHECK_EQ(syscall(SYS_futex, &from, REQUEUE_PRIVATE, 1, (void *)10, &to, 0), 3);
	CHECK_EQ(syscall(SYS_futex, &to, WAKE_OP_PRIVATE, 0, NULL, &from, 0), 1);
	CHECK_EQ(syscall(SYS_futex, &to, WAKE_PRIVATE, 10, NULL, NULL, 0), 1);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_ERR(syscall(SYS_futex, 0xffff800000000000, WAKE_PRIVATE, 1, NULL, NULL, 0), EFAULT);
}

// A lock whose owner died between unlocking it and waking somebody.
static struct {
	void *list;
	long offset;
	void *pending;
	struct { void *next; unsigned word; } lock;
} robust;

static void *dies(void *arg)
{
	robust.list = &robust.list;
	robust.offset = (char *)&robust.lock.word - (char *)&robust.lock;
	robust.pending = &robust.lock;
	CHECK_EQ(syscall(SYS_set_robust_list, &robust.list, 3 * sizeof(long)), 0);
	while (waiting < 1)
		sleep_ms(1);
	sleep_ms(40);
	syscall(SYS_exit, 0);
	return arg;
}

static void robust_list(void)
{
	pthread_t thread;
	struct timespec limit = {.tv_sec = 10};
	waiting = 0;
	CHECK_EQ(pthread_create(&thread, NULL, dies, NULL), 0);
	waiting = 1;
	CHECK_EQ(syscall(SYS_futex, &robust.lock.word, 0, 0, &limit, NULL, 0), 0);
}

static void identity(void)
{
	if (getuid() == 0) { // as in a sandbox always
		CHECK_EQ(setresuid(-1, 0, 0), 0);
		CHECK_EQ(setresgid(0, -1, 0), 0);
		CHECK_EQ(setreuid(-1, 0), 0);
		CHECK_EQ(seteuid(0), 0);
		CHECK_EQ(setegid(0), 0);
		CHECK_EQ(setgroups(0, NULL), 0);
	}
}

static void barriers(void)
{
	long known = syscall(SYS_membarrier, 0, 0, 0);
	CHECK(known > 0 && (known & 0x1f) == 0x1f);
	CHECK_ERR(syscall(SYS_membarrier, 8, 0, 0), EPERM);
	CHECK_EQ(syscall(SYS_membarrier, 16, 0, 0), 0); // MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
	CHECK_EQ(syscall(SYS_membarrier, 8, 0, 0), 0);  // MEMBARRIER_CMD_PRIVATE_EXPEDITED
	CHECK_ERR(syscall(SYS_membarrier, 8, 1 << 20, 0), EINVAL);
	CHECK_ERR(syscall(SYS_membarrier, 24, 0, 0), EINVAL);
}

// What a struct clone_args of a later version has more must be zero.
static void clone3_of_later(void)
{
	unsigned long args[32] = {0x10000}; // CLONE_THREAD alone can't be
	CHECK_ERR(syscall(SYS_clone3, args, 88), EINVAL);
	CHECK_ERR(syscall(SYS_clone3, args, sizeof args), EINVAL);
	args[31] = 1;
	CHECK_ERR(syscall(SYS_clone3, args, sizeof args), E2BIG);
	CHECK_ERR(syscall(SYS_clone3, args, 5000), E2BIG);
	CHECK_ERR(syscall(SYS_clone3, args, 8), EINVAL);
}

int main(void)
{
	clone3_of_later();
	shared_memory();
	limits();
	identity();
	barriers();
	futexes();
	robust_list();
	return success();
}
