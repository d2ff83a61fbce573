/* arch_prctl(2), prctl(2): the thread's own settings. */
#include <asm/prctl.h>
#include <linux/prctl.h>

#include "airlock_abi.h"
#include "arch/cpu.h"
#include "lib/string.h"
#include "mm/user.h"
#include "sys/threads.h"

i64 sys_arch_prctl(const u64 *arg)
{
	u64 base = arg[1];

	switch ((u32)arg[0]) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (base >= AIRLOCK_USER_END)
			return -EPERM;
		if ((u32)arg[0] == ARCH_SET_FS)
			write_fs_base(base);
		else
			write_gs_base(base);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		base = (u32)arg[0] == ARCH_GET_FS ? read_fs_base() : read_gs_base();
		return copy_to_user(arg[1], &base, sizeof(base));
	default:
		return -EINVAL;
	}
}

static i64 set_name(u64 address)
{
	char name[sizeof(current->name)] = {0};
	i64 length = copy_string_from_user(name, address, sizeof(name));

	if (length == -EFAULT)
		return -EFAULT;
	name[sizeof(name) - 1] = 0; /* longer ones are cut, says prctl(2) */
	memcpy(current->name, name, sizeof(name));
	return 0;
}

i64 sys_prctl(const u64 *arg)
{
	switch ((u32)arg[0]) {
	case PR_SET_NAME:
		return set_name(arg[1]);
	case PR_GET_NAME:
		return copy_to_user(arg[1], current->name, sizeof(current->name));
	case PR_SET_VMA: /* names of mappings, for /proc only */
	case PR_SET_DUMPABLE:
	case PR_SET_PDEATHSIG:
	case PR_SET_NO_NEW_PRIVS:
	case PR_SET_TIMERSLACK:
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return 1;
	case PR_GET_DUMPABLE:
		return 0;
	default:
		return -EINVAL;
	}
}
