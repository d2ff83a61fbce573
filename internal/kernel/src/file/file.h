/*
 * Open files: the console, pipes, event counters, timers, epoll sets and the
 * few pseudo files that runtimes read. There is no file system.
 */
#ifndef FILE_FILE_H
#define FILE_FILE_H

#include "lib/list.h"
#include "lib/types.h"
#include "sched/wait.h"

#define FILE_LIMIT 1024u /* descriptors of the process (RLIMIT_NOFILE) */

struct file;
struct transfer;

/*
 * What a kind of file can do. No operation ever blocks: read and write move
 * what they can at once and return the bytes moved, 0 at the end of the file,
 * or an error; -EAGAIN when nothing can be moved now. Waiting is the business
 * of file/rw.c.
 *
 * NULL members mean: EINVAL (read, write), ENOTTY (available), no positions
 * (size), always ready and not for epoll (poll), nothing to do (release).
 */
struct file_operations {
	const char *name; /* as /proc/self/fd shows it: "pipe:", "anon_inode:[eventfd]" */
	u32 mode;         /* st_mode */
	u32 device;       /* st_rdev */
	bool write_all;   /* a write that may block goes on until everything is written */
	i64 (*read)(struct file *file, struct transfer *transfer);
	i64 (*write)(struct file *file, struct transfer *transfer);
	u32 (*poll)(struct file *file);      /* EPOLLIN and so on, as of now */
	u32 (*available)(struct file *file); /* bytes that wait to be read (FIONREAD) */
	u64 (*size)(struct file *file);      /* of a file that has positions: see lseek(2) */
	void (*release)(struct file *file);  /* nothing refers to the file any more */
};

/* Objects embed it. */
struct file {
	const struct file_operations *operations;
	u32 references;         /* descriptors, and the caller that makes or copies one */
	u32 flags;              /* O_ACCMODE, O_NONBLOCK, O_APPEND */
	u32 inode;              /* st_ino */
	u64 position;           /* of the next read, in files that have positions */
	struct waitqueue queue; /* woken whenever poll's answer may have changed */
};

void files_init(void); /* opens 0, 1 and 2 on the console */

struct file *file_get(u64 descriptor); /* borrowed, NULL if not open */
/* A new file, with one reference that is the caller's until file_install takes it over. */
void file_init(struct file *file, const struct file_operations *operations, u32 flags);
void file_release(struct file *file); /* drops one reference */

/* The lowest free descriptor that is not below lowest becomes the file. It, or -EMFILE. */
int file_install(struct file *file, u32 lowest, bool close_on_exec);
/* The same for a file that was just made, which is released if that fails. */
i64 file_publish(struct file *file, bool close_on_exec);
/* The same for a file that has a descriptor already. */
int file_duplicate(struct file *file, u32 lowest, bool close_on_exec);
int file_close(u64 descriptor);                        /* 0 or -EBADF */
void file_set_close_on_exec(u64 descriptor, bool set); /* of an open descriptor */

/* Makes the current thread wait until the file changes: CALL_BLOCKED, or what ends the call. */
i64 file_wait(struct file *file, u64 deadline);
/* EPOLLIN and so on of any file, as of now. */
u32 file_poll(struct file *file);

/* file/console.c */
extern struct file console_files[3]; /* standard input, output and error */
void console_init(void);
void console_flush(void);       /* hands what was written to the host */
bool console_pending(void);     /* true if there is something to flush */
void console_input_event(void); /* the host has bytes for stdin */

#endif
