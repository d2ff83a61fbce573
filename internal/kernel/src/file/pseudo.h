/*
 * The few files that have paths: devices without hardware, and texts about the
 * system and the process, which runtimes and libcs read.
 */
#ifndef FILE_PSEUDO_H
#define FILE_PSEUDO_H

#include "file/file.h"
#include "file/text.h"

struct pseudo {
	const char *path;
	const struct file_operations *operations;
	const char *content;                 /* of a text that never changes */
	void (*generate)(struct text *text); /* of one that does */
};

/* What the program sees as its own executable: a name, nothing that could be opened. */
#define PSEUDO_EXECUTABLE "/guest"

/* The table of them all; NULL behind the last. */
const struct pseudo *pseudo_at(u32 index);
const struct pseudo *pseudo_find(const char *path);
/* Opens one for a thread, whose texts it then has. A descriptor or a negative errno. */
i64 pseudo_open(const struct pseudo *pseudo, u32 thread, u32 flags);
u32 pseudo_inode(const struct pseudo *pseudo);
/* For the operations of all that pseudo_open opens. */
void pseudo_release(struct file *file);
/* The path that a file was opened by, or NULL if it had none. */
const char *pseudo_path(struct file *file);

/* device.c */
extern const struct file_operations null_operations, zero_operations, full_operations;
extern const struct file_operations random_operations, urandom_operations;

/* proc.c */
void proc_cmdline(struct text *text);
void proc_comm(struct text *text);
void proc_set_comm(u32 thread, const char *name, u64 length);
void proc_cpuinfo(struct text *text);
void proc_maps(struct text *text);
void proc_meminfo(struct text *text);
void proc_stat(struct text *text);
void proc_statm(struct text *text);
void proc_status(struct text *text);

/* proc_system.c */
void proc_loadavg(struct text *text);
void proc_system_stat(struct text *text);
void proc_uptime(struct text *text);

#endif
