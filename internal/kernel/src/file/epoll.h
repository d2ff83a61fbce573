/* Sets of files that are watched together: see epoll(7). Private to file/. */
#ifndef FILE_EPOLL_H
#define FILE_EPOLL_H

#include "file/file.h"

/* Sets can watch sets. This many at most can lie inside each other (epoll_ctl(2), ELOOP). */
#define EPOLL_DEPTH 5u

#define EPOLL_BUCKETS 32u

struct epoll_set {
	struct file file;
	struct list ready;                  /* items that may have events, in the order they got them */
	struct list buckets[EPOLL_BUCKETS]; /* all items, by descriptor */
	u32 visit;                          /* the last walk that came here: see file/epoll_depth.c */
	u32 depth;                          /* what that walk found */
};

/* A set's interest in one file under one descriptor. */
struct epoll_item {
	struct waiter waiter; /* on the file's queue */
	struct epoll_set *set;
	struct file *file;
	u32 descriptor;
	u32 events;
	u64 data;
	struct list bucket;
	struct list ready; /* on no list if there is nothing to look at */
};

struct epoll_set *epoll_make(void); /* an empty one, or NULL */
/* The set that a file is, or NULL. */
struct epoll_set *epoll_set_of(struct file *file);
/* The item that a waiter on a file's queue belongs to, or NULL if it is no set's. */
struct epoll_item *epoll_item_of(struct list *waiter_link);

/* epoll_ctl(2), with arguments that are known to be good. 0 or a negative errno. */
int epoll_add(struct epoll_set *set, struct file *file, u32 descriptor, u32 events, u64 data);
int epoll_modify(struct epoll_set *set, struct file *file, u32 descriptor, u32 events, u64 data);
int epoll_remove(struct epoll_set *set, struct file *file, u32 descriptor);
/* Copies up to most events to the program's array (struct epoll_event). How many, or -EFAULT. */
i64 epoll_collect(struct epoll_set *set, u64 address, u32 most);

/* Takes a file that is about to go away out of all sets. */
void epoll_forget(struct file *file);

/* True if inner may be added to outer: that makes no loop and nothing too deep. */
bool epoll_may_nest(struct epoll_set *outer, struct epoll_set *inner);

#endif
