// Scheduling policies and nice values are kept, for each thread, and bad ones refused.
// Raw calls: musl's functions fail.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { none = 2000000 };

static void *in_thread(void *arg)
{
	(void)arg;
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 3); // inherited
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 7), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 7);
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH);
	CHECK_EQ(setpriority(PRIO_PROCESS, getpid(), 4), 0);
	return NULL;
}

static void nice_values(void)
{
	pthread_t thread;
	errno = 0;
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 0);
	CHECK_EQ(nice(3), 3);
	CHECK_EQ(pthread_create(&thread, NULL, in_thread, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 4);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 100), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
	CHECK_ERR(getpriority(PRIO_PROCESS, none), ESRCH);
	CHECK_ERR(setpriority(PRIO_PROCESS, none, 1), ESRCH);
	CHECK_ERR(getpriority(3, 0), EINVAL);
	CHECK_ERR(setpriority(-1, 0, 1), EINVAL);
}

static void policies(void)
{
	struct sched_param param = {0};
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	CHECK_EQ(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &param), 0);
	CHECK_EQ(syscall(SYS_sched_getscheduler, getpid()), SCHED_BATCH);
	CHECK_ERR(syscall(SYS_sched_getscheduler, none), ESRCH);
	CHECK_ERR(syscall(SYS_sched_getscheduler, -1), EINVAL);
	CHECK_ERR(syscall(SYS_sched_setscheduler, none, SCHED_OTHER, &param), ESRCH);
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, 77, &param), EINVAL);
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param), EINVAL); // it needs a priority
	param.sched_priority = 1;
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &param), EINVAL);
	CHECK_ERR(syscall(SYS_sched_setparam, 0, &param), EINVAL);
	param.sched_priority = 0;
	CHECK_EQ(syscall(SYS_sched_setparam, 0, &param), 0);
	param.sched_priority = 5;
	CHECK_EQ(syscall(SYS_sched_getparam, 0, &param), 0);
	CHECK_EQ(param.sched_priority, 0);
	CHECK_ERR(syscall(SYS_sched_getparam, none, &param), ESRCH);
	CHECK_ERR(syscall(SYS_sched_getparam, 0, 8), EFAULT);

	int each[] = {SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, 6 /* SCHED_DEADLINE */};
	for (int i = 0; i < 6; i++) {
		int real_time = each[i] == SCHED_FIFO || each[i] == SCHED_RR;
		CHECK_EQ(sched_get_priority_max(each[i]), real_time ? 99 : 0);
		CHECK_EQ(sched_get_priority_min(each[i]), real_time ? 1 : 0);
	}
	CHECK_ERR(sched_get_priority_max(4), EINVAL);
	CHECK_ERR(sched_get_priority_min(-1), EINVAL);
	struct timespec interval;
	CHECK_ERR(sched_rr_get_interval(none, &interval), ESRCH);
}

int main(void)
{
	policies();
	nice_values();
	return success();
}
