#include "file/pseudo.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "lib/string.h"
#include "mm/slab.h"
#include "sched/thread.h"
#include "sys/system.h"

/* An open text or device. */
struct pseudo_file {
	struct file file;
	const struct pseudo *pseudo;
	u32 thread;
};

static struct pseudo_file *pseudo_file_of(struct file *file) { return CONTAINER_OF(file, struct pseudo_file, file); }

void pseudo_release(struct file *file) { slab_free(pseudo_file_of(file), sizeof(struct pseudo_file)); }

static i64 text_read(struct file *file, struct transfer *transfer)
{
	const struct pseudo *pseudo = pseudo_file_of(file)->pseudo;
	struct text text;

	text_begin(&text, transfer, pseudo_file_of(file)->thread);
	if (pseudo->content != NULL)
		text_put(&text, pseudo->content);
	else
		pseudo->generate(&text);
	return text_end(&text);
}

/* As in Linux's /proc: there is more to read than the size says. */
static u64 text_size(struct file *file)
{
	(void)file;
	return 0;
}

static const struct file_operations text_operations = {
	.mode = S_IFREG | 0444,
	.read = text_read,
	.size = text_size,
	.release = pseudo_release,
};

/* pthread_setname_np(3) of another thread writes its name. Longer ones are cut, says proc_pid_comm(5). */
static i64 comm_write(struct file *file, struct transfer *transfer)
{
	char name[sizeof(current->name) - 1];
	i64 size = (i64)transfer->left, moved = transfer_from_program(transfer, name, sizeof(name));

	if (moved < 0)
		return moved;
	proc_set_comm(pseudo_file_of(file)->thread, name, (u64)moved);
	return size;
}

static const struct file_operations comm_operations = {
	.mode = S_IFREG | 0644,
	.read = text_read,
	.write = comm_write,
	.size = text_size,
	.release = pseudo_release,
};

/*
 * Left out on purpose: hpage_pmd_size and its neighbours, by which runtimes
 * decide how to use large pages, and /proc/self/cgroup and mountinfo, by which
 * they look for CPU limits. All take ENOENT for "there is nothing of that".
 */
static const struct pseudo table[] = {
	{.path = "/dev/full", .operations = &full_operations},
	{.path = "/dev/null", .operations = &null_operations},
	{.path = "/dev/random", .operations = &random_operations},
	{.path = "/dev/urandom", .operations = &urandom_operations},
	{.path = "/dev/zero", .operations = &zero_operations},
	{.path = "/proc/cpuinfo", .operations = &text_operations, .generate = proc_cpuinfo},
	{.path = "/proc/loadavg", .operations = &text_operations, .generate = proc_loadavg},
	{.path = "/proc/meminfo", .operations = &text_operations, .generate = proc_meminfo},
	{.path = "/proc/self/cmdline", .operations = &text_operations, .generate = proc_cmdline},
	{.path = "/proc/self/comm", .operations = &comm_operations, .generate = proc_comm},
	{.path = "/proc/self/maps", .operations = &text_operations, .generate = proc_maps},
	{.path = "/proc/self/stat", .operations = &text_operations, .generate = proc_stat},
	{.path = "/proc/self/statm", .operations = &text_operations, .generate = proc_statm},
	{.path = "/proc/self/status", .operations = &text_operations, .generate = proc_status},
	{.path = "/proc/stat", .operations = &text_operations, .generate = proc_system_stat},
	{.path = "/proc/sys/kernel/osrelease", .operations = &text_operations, .content = KERNEL_RELEASE "\n"},
	{.path = "/proc/sys/vm/max_map_count", .operations = &text_operations, .content = "65530\n"},
	{.path = "/proc/sys/vm/overcommit_memory", .operations = &text_operations, .content = "1\n"},
	{.path = "/proc/uptime", .operations = &text_operations, .generate = proc_uptime},
	{.path = "/sys/devices/system/cpu/online", .operations = &text_operations, .content = "0\n"},
	{.path = "/sys/devices/system/cpu/possible", .operations = &text_operations, .content = "0\n"},
};

const struct pseudo *pseudo_at(u32 index) { return index < ARRAY_LENGTH(table) ? &table[index] : NULL; }

const struct pseudo *pseudo_find(const char *path)
{
	for (u32 i = 0; i < ARRAY_LENGTH(table); i++)
		if (strcmp(table[i].path, path) == 0)
			return &table[i];
	return NULL;
}

/* Far from the numbers that file_init gives. */
u32 pseudo_inode(const struct pseudo *pseudo) { return 0x80000000u + (u32)(pseudo - table); }

const char *pseudo_path(struct file *file)
{
	return file->operations->release == pseudo_release ? pseudo_file_of(file)->pseudo->path : NULL;
}

i64 pseudo_open(const struct pseudo *pseudo, u32 thread, u32 flags)
{
	struct pseudo_file *opened;

	if (pseudo->operations == &text_operations && (flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	opened = slab_alloc(sizeof(*opened));
	if (opened == NULL)
		return -ENOMEM;
	file_init(&opened->file, pseudo->operations, flags & (O_ACCMODE | O_NONBLOCK | O_APPEND));
	opened->file.inode = pseudo_inode(pseudo);
	opened->pseudo = pseudo;
	opened->thread = thread;
	return file_publish(&opened->file, flags & O_CLOEXEC);
}
