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

/* Sets a limit from one address and stores the old one at another, which may be the same. Both may be 0. */
static i64 change_limit(u64 resource, u64 from, u64 to)
{
	struct rlimit64 limit, old;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	old = limit = limits[resource];
	if (from != 0 && copy_from_user(&limit, from, sizeof(limit)) < 0)
		return -EFAULT;
	if (limit.rlim_cur > limit.rlim_max)
		return -EINVAL;
	if (limit.rlim_max > old.rlim_max)
		return -EPERM;
	limits[resource] = limit;
	return to == 0 ? 0 : copy_to_user(to, &old, sizeof(old));
}

/* Address 0 is no way to say "none" here. */
i64 sys_getrlimit(const u64 *arg) { return arg[1] == 0 ? -EFAULT : change_limit(arg[0], 0, arg[1]); }

i64 sys_setrlimit(const u64 *arg) { return arg[1] == 0 ? -EFAULT : change_limit(arg[0], arg[1], 0); }

i64 sys_prlimit64(const u64 *arg)
{
	if (arg[0] != 0 && arg[0] != PROCESS_ID)
		return -ESRCH;
	return change_limit(arg[1], arg[2], arg[3]);
}

i64 sys_personality(const u64 *arg) { return (u32)arg[0] == 0xffffffff || (u32)arg[0] == PER_LINUX ? 0 : -EINVAL; }

/* getuid and its kin, getppid, sync, munlockall: nothing to tell and nothing to do. */
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

static bool zero_or_same(u64 id) { return (u32)id == 0 || (u32)id == UINT32_MAX; }

/* setreuid and setregid, setresuid and setresgid: -1 leaves an identity as it is. */
i64 sys_set_two_ids(const u64 *arg) { return zero_or_same(arg[0]) && zero_or_same(arg[1]) ? 0 : -EPERM; }

i64 sys_set_three_ids(const u64 *arg) { return zero_or_same(arg[2]) ? sys_set_two_ids(arg) : -EPERM; }

/* setgroups: the list is empty. */
i64 sys_setgroups(const u64 *arg) { return (u32)arg[0] == 0 ? 0 : -EPERM; }

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
