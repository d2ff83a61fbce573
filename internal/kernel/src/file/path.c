#include "file/path.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/limits.h>

#include "lib/string.h"
#include "mm/user.h"
#include "sched/thread.h"

#define DESCRIPTORS "/proc/self/fd"
#define EXECUTABLE "/proc/self/exe"
#define THREADS "/proc/self/task"
#define THIS_THREAD "/proc/thread-self"

/* Longer paths are allowed, but nothing is there. */
#define LONGEST 128u

/* Not on the stack: one path is looked at a time, because nothing in the kernel is preempted. */
static char given[PATH_MAX];
static char found[LONGEST];
static u32 found_thread; /* the one whose directory the path went through, else the first */

static const struct {
	const char *link, *target;
} links[] = {
	{.link = "/dev/fd", .target = DESCRIPTORS},          {.link = "/dev/stdin", .target = DESCRIPTORS "/0"},
	{.link = "/dev/stdout", .target = DESCRIPTORS "/1"}, {.link = "/dev/stderr", .target = DESCRIPTORS "/2"},
	{.link = "/proc/2", .target = "/proc/self"},         {.link = THIS_THREAD, .target = "/proc/self"},
};

_Static_assert(PROCESS_ID == 2, "as in links");

/* What follows a prefix that ends where a component ends, else NULL. */
static const char *behind(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strlen(path) < length || memcmp(path, prefix, length) != 0)
		return NULL;
	return path[length] == 0 || path[length] == '/' ? path + length : NULL;
}

/* Puts text in place of what stands in found before rest. False if it doesn't fit. */
static bool replace_front(const char *rest, const char *text)
{
	size_t length = strlen(text), tail = strlen(rest) + 1;

	if (length + tail > sizeof(found))
		return false;
	memmove(found + length, rest, tail);
	memcpy(found, text, length);
	return true;
}

/* Appends a component to what was found so far, or goes up for "..". False if it doesn't fit. */
static bool append(size_t *length, const char *component, size_t size)
{
	if (size == 2 && memcmp(component, "..", 2) == 0) {
		while (*length > 0 && found[--*length] != '/')
			;
		return true;
	}
	if (*length + 1 + size >= sizeof(found))
		return false;
	found[(*length)++] = '/';
	memcpy(found + *length, component, size);
	*length += size;
	return true;
}

/* Reads a number of /proc, which has no leading zeros, and moves *at behind it. UINT32_MAX if there is none. */
static u32 read_number(const char **at)
{
	const char *start = *at;
	u32 number = 0;

	while (**at >= '0' && **at <= '9' && number < UINT32_MAX / 10)
		number = number * 10 + (u32)(*(*at)++ - '0');
	return *at == start || (*start == '0' && *at != start + 1) ? UINT32_MAX : number;
}

/* Takes the directory of a thread out of the path: there is in it what the process has. */
static void take_thread(void)
{
	const char *rest = behind(found, THREADS);
	u32 id;

	if (rest == NULL || *rest++ != '/')
		return;
	id = read_number(&rest);
	if ((*rest != 0 && *rest != '/') || thread_find(id) == NULL)
		return; /* and nothing is there */
	found_thread = id;
	replace_front(rest, "/proc/self");
}

/* Brings the given path into found: absolute, without ".", ".." and links. False if nothing can be there. */
static bool normalise(void)
{
	const char *at = given, *rest;
	size_t length = 0;

	while (*at != 0) {
		size_t size = 0;

		while (at[size] != 0 && at[size] != '/')
			size++;
		if (size > 0 && !(size == 1 && *at == '.') && !append(&length, at, size))
			return false;
		at += size;
		while (*at == '/')
			at++;
	}
	if (length == 0)
		found[length++] = '/';
	found[length] = 0;
	found_thread = behind(found, THIS_THREAD) != NULL ? current->id : PROCESS_ID;
	for (u32 i = 0; i < ARRAY_LENGTH(links); i++) {
		rest = behind(found, links[i].link);
		if (rest != NULL && !replace_front(rest, links[i].target))
			return false;
		if (rest != NULL)
			break;
	}
	take_thread();
	return true;
}

/* Directories are there because something is in them. */
static bool is_directory(const char *text)
{
	const struct pseudo *pseudo;
	u32 i = 0;

	if (strcmp(text, "/") == 0 || strcmp(text, DESCRIPTORS) == 0)
		return true;
	while ((pseudo = pseudo_at(i++)) != NULL)
		if (behind(pseudo->path, text) != NULL && strcmp(pseudo->path, text) != 0)
			return true;
	return false;
}

/* The file that a path below /proc/self/fd names, or NULL. */
static struct file *descriptor_at(const char *text)
{
	const char *digits = behind(text, DESCRIPTORS);
	u32 descriptor;

	if (digits == NULL || *digits++ != '/')
		return NULL;
	descriptor = read_number(&digits);
	return *digits == 0 ? file_get(descriptor) : NULL;
}

/* Of the path that was found, which is cut at its last component. */
static bool parent_is_directory(void)
{
	size_t length = strlen(found);

	while (length > 1 && found[length - 1] != '/')
		length--;
	found[length > 1 ? length - 1 : 1] = 0;
	return is_directory(found);
}

static void identify(struct path *path)
{
	path->text = found;
	path->pseudo = pseudo_find(found);
	path->thread = found_thread;
	path->file = descriptor_at(found);
	if (path->pseudo != NULL)
		path->kind = PATH_PSEUDO;
	else if (path->file != NULL)
		path->kind = PATH_DESCRIPTOR;
	else if (strcmp(found, EXECUTABLE) == 0)
		path->kind = PATH_EXECUTABLE;
	else if (is_directory(found))
		path->kind = PATH_DIRECTORY;
	else
		path->in_directory = parent_is_directory();
}

int path_find(u64 directory, u64 address, struct path *path)
{
	i64 length = copy_string_from_user(given, address, sizeof(given));

	*path = (struct path){.kind = PATH_MISSING, .text = ""};
	if (length < 0)
		return (int)length;
	if (length == 0)
		return -ENOENT;
	if (given[0] != '/' && (i32)directory != AT_FDCWD)
		return file_get(directory) == NULL ? -EBADF : -ENOTDIR; /* no open file is a directory */
	if (!normalise())
		return 0;
	identify(path);
	if (given[length - 1] == '/' && path->kind != PATH_DIRECTORY && path->kind != PATH_MISSING)
		return -ENOTDIR;
	return 0;
}

bool path_is_empty(u64 address) { return address == 0 || (user_readable(address, 1) && *(const char *)address == 0); }
