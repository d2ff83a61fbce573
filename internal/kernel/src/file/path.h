/* Paths: what is at them. There are the pseudo files, the directories on the way to them, and nothing else. */
#ifndef FILE_PATH_H
#define FILE_PATH_H

#include "file/file.h"
#include "file/pseudo.h"

enum path_kind {
	PATH_MISSING = 1,
	PATH_DIRECTORY,
	PATH_PSEUDO,
	PATH_DESCRIPTOR, /* /proc/self/fd/N, a link to an open file */
	PATH_EXECUTABLE, /* /proc/self/exe, a link to a file that isn't there */
};

struct path {
	enum path_kind kind;
	const char *text;            /* absolute, without links; overwritten by the next path_find */
	const struct pseudo *pseudo; /* of PATH_PSEUDO */
	u32 thread;                  /* of PATH_PSEUDO: the one whose directory the path names, else the first */
	struct file *file;           /* of PATH_DESCRIPTOR */
	bool in_directory;           /* of PATH_MISSING: the directory that it would be in is there */
};

/*
 * Reads a path that the program gives, relative to a directory or to
 * AT_FDCWD, and finds out what is there. 0 or a negative errno; a path where
 * nothing is counts as found.
 */
int path_find(u64 directory, u64 address, struct path *path);

/* True for the empty path, which with AT_EMPTY_PATH means the descriptor itself. */
bool path_is_empty(u64 address);

#endif
