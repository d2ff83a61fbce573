/* clone(2), exit(2), set_tid_address(2). There is one process: fork(2) and its kin are not there. */
#include "sys/threads.h"

#include <linux/sched.h>

#include "airlock_abi.h"
#include "arch/cpu.h"
#include "lib/string.h"
#include "mm/user.h"
#include "sched/sched.h"
#include "trace.h"

/* What must be shared for a clone to be a thread. */
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

struct clone_request {
	u64 flags, stack, parent_tid, child_tid, tls;
};

static i64 clone_check(const struct clone_request *request)
{
	if (!(request->flags & CLONE_THREAD))
		return -ENOSYS; /* a process */
	if ((request->flags & (CLONE_VM | CLONE_SIGHAND)) != (CLONE_VM | CLONE_SIGHAND))
		return -EINVAL;
	if ((request->flags & THREAD_FLAGS) != THREAD_FLAGS)
		return -ENOSYS; /* threads with files of their own */
	if ((request->flags & CLONE_PARENT_SETTID) && !user_writable(request->parent_tid, sizeof(u32)))
		return -EFAULT;
	if ((request->flags & CLONE_CHILD_SETTID) && !user_writable(request->child_tid, sizeof(u32)))
		return -EFAULT;
	if ((request->flags & CLONE_SETTLS) && request->tls >= AIRLOCK_USER_END)
		return -EPERM;
	return 0;
}

static i64 clone_thread(const struct clone_request *request)
{
	struct thread *thread;
	i64 result = clone_check(request);

	if (result < 0)
		return result;
	/* A thread may have changed its segment bases without the kernel. */
	current->fs_base = read_fs_base();
	current->gs_base = read_gs_base();
	thread = thread_create(current);
	if (thread == NULL)
		return -EAGAIN;
	thread->registers.rax = 0;
	if (request->stack != 0)
		thread->registers.rsp = request->stack;
	if (request->flags & CLONE_SETTLS)
		thread->fs_base = request->tls;
	if (request->flags & CLONE_CHILD_CLEARTID)
		thread->clear_child_tid = request->child_tid;
	if (request->flags & CLONE_PARENT_SETTID)
		*(u32 *)request->parent_tid = thread->id;
	if (request->flags & CLONE_CHILD_SETTID)
		*(u32 *)request->child_tid = thread->id;
	result = thread->id;
	thread_start(thread);
	return result;
}

i64 sys_clone(const u64 *arg)
{
	return clone_thread(&(struct clone_request){
		.flags = arg[0],
		.stack = arg[1],
		.parent_tid = arg[2],
		.child_tid = arg[3],
		.tls = arg[4],
	});
}

/* Of a later version of the struct, what this one doesn't have must be zero: it is then not asked for. */
static i64 read_clone_args(struct clone_args *args, u64 address, u64 size)
{
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (copy_from_user(args, address, MIN(size, sizeof(*args))) < 0)
		return -EFAULT;
	for (u64 at = sizeof(*args); at < size; at++) {
		u8 byte;

		if (copy_from_user(&byte, address + at, sizeof(byte)) < 0)
			return -EFAULT;
		if (byte != 0)
			return -E2BIG;
	}
	return 0;
}

i64 sys_clone3(const u64 *arg)
{
	struct clone_args args = {0};
	i64 result = read_clone_args(&args, arg[0], arg[1]);

	if (result < 0)
		return result;
	if ((args.stack == 0) != (args.stack_size == 0) || (args.flags & CSIGNAL) != 0 || args.set_tid_size != 0)
		return -EINVAL;
	return clone_thread(&(struct clone_request){
		.flags = args.flags,
		.stack = args.stack + args.stack_size,
		.parent_tid = args.parent_tid,
		.child_tid = args.child_tid,
		.tls = args.tls,
	});
}

i64 sys_exit(const u64 *arg)
{
	trace_noreturn();
	thread_exit((u32)arg[0]);
}

i64 sys_exit_group(const u64 *arg)
{
	trace_noreturn();
	process_exit((u32)arg[0]);
}

i64 sys_set_tid_address(const u64 *arg)
{
	current->clear_child_tid = arg[0];
	return current->id;
}

i64 sys_gettid(const u64 *arg)
{
	(void)arg;
	return current->id;
}

i64 sys_getpid(const u64 *arg)
{
	(void)arg;
	return PROCESS_ID;
}
