// What a thread leaves behind: the word of set_tid_address is zeroed and woken, thread ids differ.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>

static atomic_int clear_word = 1234;
static pid_t tids[20];
static atomic_int next;
static pthread_barrier_t all;

static void *work(void *arg)
{
	tids[next++] = syscall(SYS_gettid);
	CHECK_EQ(getpid(), *(pid_t *)arg);
	pthread_barrier_wait(&all);
	return arg;
}

static void *leave_word(void *arg)
{
	// From here the C library no longer hears of this thread's end, so it ends by itself.
	CHECK_EQ(syscall(SYS_set_tid_address, &clear_word), syscall(SYS_gettid));
	pthread_barrier_wait(&all);
	sleep_ms(10);
	syscall(SYS_exit, 0);
	return arg;
}

int main(void)
{
	pthread_t t[20];
	pid_t pid = getpid();
	CHECK_EQ(syscall(SYS_gettid), pid);
	CHECK_EQ(pthread_barrier_init(&all, NULL, 20), 0);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, work, &pid), 0);
	}
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
		CHECK(tids[i] > 0 && tids[i] != pid);
		for (int k = 0; k < i; k++) {
			CHECK(tids[i] != tids[k]);
		}
	}
	CHECK_EQ(pthread_barrier_destroy(&all), 0);
	CHECK_EQ(pthread_barrier_init(&all, NULL, 2), 0);
	CHECK_EQ(pthread_create(&t[0], NULL, leave_word, NULL), 0);
	pthread_barrier_wait(&all);
	while (clear_word != 0) {
		long rc = syscall(SYS_futex, &clear_word, 0, 1234, NULL, NULL, 0);
		CHECK(rc == 0 || errno == EAGAIN);
	}
	CHECK_ERR(syscall(SYS_tgkill, pid, tids[0], 0), ESRCH);
	CHECK_ERR(syscall(SYS_tgkill, pid, -1, 0), EINVAL);
	CHECK_ERR(syscall(SYS_tkill, 0, 0), EINVAL);
	CHECK_ERR(kill(0x3ffffff0, 0), ESRCH);
	void *head;
	size_t length;
	CHECK_EQ(syscall(SYS_get_robust_list, 0, &head, &length), 0);
	CHECK_EQ(length, 24);
	CHECK_ERR(syscall(SYS_set_robust_list, head, 23), EINVAL);
	return success();
}
