/* What a program asks about the system it runs on, and who it is there: root of a machine with nothing else. */
#include "sys/system.h"

#include <linux/personality.h>
#include <linux/resource.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

#include "file/file.h"
#include "mm/pool.h"
#include "mm/space.h"
#include "mm/user.h"
#include "sched/clock.h"

i64 sys_uname(const u64 *arg)
{
	static const struct new_utsname name = {
		.sysname = "Linux",
		.nodename = "airlock",
		.release = KERNEL_RELEASE,
		.version = "#1",
		.machine = "x86_64",
		.domainname = "(none)",
	};

	return copy_to_user(arg[0], &name, sizeof(name));
}

i64 sys_sysinfo(const u64 *arg)
{
	const struct sysinfo info = {
		.uptime = (i64)(clock_monotonic() / NS_PER_SECOND),
		.totalram = kernel_pool.total_pages * PAGE_SIZE,
		.freeram = pool_available(&kernel_pool) * PAGE_SIZE,
		.procs = (u16)thread_count,
		.mem_unit = 1,
	};

	return copy_to_user(arg[0], &info, sizeof(info));
}

#define LIMIT_NONE (~0ull)

/* getrlimit(2). Of these only RLIMIT_NOFILE is enforced; what really limits is the sandbox. */
static struct rlimit64 limits[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = {LIMIT_NONE, LIMIT_NONE},
	[RLIMIT_FSIZE] = {LIMIT_NONE, LIMIT_NONE},
	[RLIMIT_DATA] = {LIMIT_NONE, LIMIT_NONE},
	[RLIMIT_STACK] = {STACK_SIZE, LIMIT_NONE},
	[RLIMIT_CORE] = {0, LIMIT_NONE},
	[RLIMIT_RSS] = {LIMIT_NONE, LIMIT_NONE},
	[RLIMIT_NPROC] = {THREAD_LIMIT, THREAD_LIMIT},
	[RLIMIT_NOFILE] = {FILE_LIMIT, FILE_LIMIT},
	[RLIMIT_MEMLOCK] = {LIMIT_NONE, LIMIT_NONE},
	[RLIMIT_AS] = {LIMIT_NONE, LIMIT_NONE},
	[RLIMIT_LOCKS] = {LIMIT_NONE, LIMIT_NONE},
	[RLIMIT_SIGPENDING] = {4096, 4096},
	[RLIMIT_MSGQUEUE] = {0, 0},
	[RLIMIT_NICE] = {0, 0},
	[RLIMIT_RTPRIO] = {0, 0},
	[RLIMIT_RTTIME] = {LIMIT_NONE, LIMIT_NONE},
};

u64 resource_limit(u32 resource) { return limits[resource].rlim_cur; }

static i64 set_limit(u64 resource, u64 address)
{
	struct rlimit64 limit;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	if (copy_from_user(&limit, address, sizeof(limit)) < 0)
		return -EFAULT;
	if (limit.rlim_cur > limit.rlim_max)
		return -EINVAL;
	if (limit.rlim_max > limits[resource].rlim_max)
		return -EPERM;
	limits[resource] = limit;
	return 0;
}

static i64 get_limit(u64 resource, u64 address)
{
	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	return copy_to_user(address, &limits[resource], sizeof(limits[resource]));
}

i64 sys_getrlimit(const u64 *arg) { return get_limit(arg[0], arg[1]); }

i64 sys_setrlimit(const u64 *arg) { return set_limit(arg[0], arg[1]); }

i64 sys_prlimit64(const u64 *arg)
{
	i64 result = 0;

	if (arg[0] != 0 && arg[0] != PROCESS_ID)
		return -ESRCH;
	if (arg[1] >= RLIM_NLIMITS)
		return -EINVAL;
	if (arg[3] != 0)
		result = get_limit(arg[1], arg[3]);
	if (result == 0 && arg[2] != 0)
		result = set_limit(arg[1], arg[2]);
	return result;
}

i64 sys_personality(const u64 *arg) { return (u32)arg[0] == 0xffffffff || (u32)arg[0] == PER_LINUX ? 0 : -EINVAL; }

/* getuid and its kin, umask, sync, setpriority: nothing to tell and nothing to do. */
i64 sys_zero(const u64 *arg)
{
	(void)arg;
	return 0;
}

/* getpgrp, getsid, getpgid: of the one process. */
i64 sys_one_process(const u64 *arg)
{
	(void)arg;
	return PROCESS_ID;
}

/* setuid and its kin: there is no user but 0. */
i64 sys_set_zero_id(const u64 *arg) { return (u32)arg[0] == 0 ? 0 : -EPERM; }

/* getresuid, getresgid */
i64 sys_getres_ids(const u64 *arg)
{
	const u32 zero = 0;

	for (u32 i = 0; i < 3; i++)
		if (copy_to_user(arg[i], &zero, sizeof(zero)) < 0)
			return -EFAULT;
	return 0;
}

i64 sys_getgroups(const u64 *arg)
{
	(void)arg;
	return 0;
}

i64 sys_no_child(const u64 *arg)
{
	(void)arg;
	return -ECHILD;
}

i64 sys_not_permitted(const u64 *arg)
{
	(void)arg;
	return -EPERM;
}

/* Calls that are known and left out on purpose: fork, execve, rseq, io_uring and so on. */
i64 sys_not_there(const u64 *arg)
{
	(void)arg;
	return -ENOSYS;
}
