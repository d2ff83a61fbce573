/* System calls that send signals. There is one process: it can only signal itself. */
#include "mm/user.h"
#include "signal/codes.h"
#include "signal/state.h"
#include "signal/syscalls.h"

/* A signal number as the calls take it: 0 only asks whether the target exists. */
static bool valid(u64 number) { return (u32)number <= SIGNAL_MAX; }

static struct siginfo sent_by_us(u64 number, i32 code)
{
	return (struct siginfo){
		.number = (i32)number,
		.code = code,
		.sender.pid = PROCESS_ID,
	};
}

/* kill(2) takes the id of any thread for the process. */
static bool is_our_process(i32 id) { return id > 0 && ((u32)id == PROCESS_ID || thread_find((u32)id) != NULL); }

i64 sys_kill(const u64 *arg)
{
	i32 id = (i32)arg[0];
	const struct siginfo info = sent_by_us(arg[1], CODE_USER);

	/* 0 and -PROCESS_ID mean the process group. -1 means every process but the caller, and there is none. */
	if (id != 0 && id != -(i32)PROCESS_ID && !is_our_process(id))
		return -ESRCH;
	if (!valid(arg[1]))
		return -EINVAL;
	return info.number == 0 ? 0 : signal_send_process(&info);
}

static i64 send_to_thread(i32 id, const struct siginfo *info)
{
	struct thread *thread = thread_find((u32)id);

	if (thread == NULL)
		return -ESRCH;
	if (!valid((u32)info->number))
		return -EINVAL;
	return info->number == 0 ? 0 : signal_send_thread(thread, info);
}

i64 sys_tkill(const u64 *arg)
{
	const struct siginfo info = sent_by_us(arg[1], CODE_TKILL);

	return (i32)arg[0] <= 0 ? -EINVAL : send_to_thread((i32)arg[0], &info);
}

i64 sys_tgkill(const u64 *arg)
{
	const struct siginfo info = sent_by_us(arg[2], CODE_TKILL);

	if ((i32)arg[0] <= 0 || (i32)arg[1] <= 0)
		return -EINVAL;
	return (u32)arg[0] == PROCESS_ID ? send_to_thread((i32)arg[1], &info) : -ESRCH;
}

/*
 * Reads the siginfo of a call that brings its own. rt_sigqueueinfo(2): only to
 * itself may a thread pretend that the signal comes from kill or the kernel.
 */
static i64 read_info(u64 address, u64 number, i32 target, struct siginfo *info)
{
	if (copy_from_user(info, address, sizeof(*info)) < 0)
		return -EFAULT;
	info->number = (i32)number;
	if ((info->code >= 0 || info->code == CODE_TKILL) && (u32)target != current->id)
		return -EPERM;
	return 0;
}

i64 sys_rt_sigqueueinfo(const u64 *arg)
{
	struct siginfo info;
	i64 result = read_info(arg[2], arg[1], (i32)arg[0], &info);

	if (result < 0)
		return result;
	if (!is_our_process((i32)arg[0]))
		return -ESRCH;
	if (!valid(arg[1]))
		return -EINVAL;
	return info.number == 0 ? 0 : signal_send_process(&info);
}

i64 sys_rt_tgsigqueueinfo(const u64 *arg)
{
	struct siginfo info;
	i64 result;

	if ((i32)arg[0] <= 0 || (i32)arg[1] <= 0)
		return -EINVAL;
	result = read_info(arg[3], arg[2], (i32)arg[1], &info);
	if (result < 0)
		return result;
	return (u32)arg[0] == PROCESS_ID ? send_to_thread((i32)arg[1], &info) : -ESRCH;
}
