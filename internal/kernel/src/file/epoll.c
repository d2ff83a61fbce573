/*
 * What a set of epoll(7) watches, and how it learns of changes: each item has
 * a waiter on its file's queue, whose wake puts the item on the set's list of
 * those that may be ready. So epoll_wait looks at these only.
 */
#include "file/epoll.h"

#include <asm/errno.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>

#include "mm/slab.h"
#include "mm/user.h"

/* How an item behaves, as opposed to what it waits for. After its event a one-shot item has only these left. */
#define MODES (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)

static struct list *bucket_of(struct epoll_set *set, u32 descriptor)
{
	return &set->buckets[descriptor % EPOLL_BUCKETS];
}

/* The events that an item has now. */
static u32 events_of(const struct epoll_item *item)
{
	u32 wanted = item->events & ~MODES;

	return wanted == 0 ? 0 : file_poll(item->file) & wanted;
}

static void wake(struct waiter *waiter)
{
	struct epoll_item *item = CONTAINER_OF(waiter, struct epoll_item, waiter);

	if (events_of(item) == 0)
		return;
	if (list_empty(&item->ready))
		list_add_tail(&item->set->ready, &item->ready);
	waitqueue_wake(&item->set->file.queue);
}

struct epoll_item *epoll_item_of(struct list *waiter_link)
{
	struct waiter *waiter = LIST_ENTRY(waiter_link, struct waiter, link);

	return waiter->wake == wake ? CONTAINER_OF(waiter, struct epoll_item, waiter) : NULL;
}

/* A file that was closed and opened anew under the same descriptor is another one: both are the key. */
static struct epoll_item *find(struct epoll_set *set, const struct file *file, u32 descriptor)
{
	LIST_FOR_EACH (link, bucket_of(set, descriptor)) {
		struct epoll_item *item = LIST_ENTRY(link, struct epoll_item, bucket);

		if (item->file == file && item->descriptor == descriptor)
			return item;
	}
	return NULL;
}

static void set_interest(struct epoll_item *item, u32 events, u64 data)
{
	item->events = events | EPOLLERR | EPOLLHUP; /* always reported */
	item->data = data;
	wake(&item->waiter); /* it may be ready already */
}

int epoll_add(struct epoll_set *set, struct file *file, u32 descriptor, u32 events, u64 data)
{
	struct epoll_set *inner = epoll_set_of(file);
	struct epoll_item *item;

	if (find(set, file, descriptor) != NULL)
		return -EEXIST;
	if (inner != NULL && !epoll_may_nest(set, inner))
		return -ELOOP;
	item = slab_alloc(sizeof(*item));
	if (item == NULL)
		return -ENOMEM;
	item->set = set;
	item->file = file;
	item->descriptor = descriptor;
	item->waiter.wake = wake;
	list_init(&item->waiter.of_thread);
	list_init(&item->ready);
	list_add_tail(bucket_of(set, descriptor), &item->bucket);
	list_add_tail(&file->queue.waiters, &item->waiter.link);
	set_interest(item, events, data);
	return 0;
}

int epoll_modify(struct epoll_set *set, struct file *file, u32 descriptor, u32 events, u64 data)
{
	struct epoll_item *item = find(set, file, descriptor);

	if (item == NULL)
		return -ENOENT;
	if ((item->events | events) & EPOLLEXCLUSIVE)
		return -EINVAL;
	set_interest(item, events, data);
	return 0;
}

static void free_item(struct epoll_item *item)
{
	list_remove(&item->bucket);
	list_remove(&item->ready);
	list_remove(&item->waiter.link);
	slab_free(item, sizeof(*item));
}

int epoll_remove(struct epoll_set *set, struct file *file, u32 descriptor)
{
	struct epoll_item *item = find(set, file, descriptor);

	if (item == NULL)
		return -ENOENT;
	free_item(item);
	return 0;
}

void epoll_forget(struct file *file)
{
	LIST_FOR_EACH (link, &file->queue.waiters) {
		struct epoll_item *item = epoll_item_of(link);

		if (item != NULL)
			free_item(item);
	}
}

/* A set is readable if epoll_wait would return an event. Items that are ready no more drop out on the way. */
static u32 poll_set(struct file *file)
{
	struct epoll_set *set = epoll_set_of(file);

	LIST_FOR_EACH (link, &set->ready) {
		if (events_of(LIST_ENTRY(link, struct epoll_item, ready)) != 0)
			return EPOLLIN | EPOLLRDNORM;
		list_remove(link);
	}
	return 0;
}

static void release_set(struct file *file)
{
	struct epoll_set *set = epoll_set_of(file);

	for (u32 i = 0; i < EPOLL_BUCKETS; i++)
		LIST_FOR_EACH (link, &set->buckets[i])
			free_item(LIST_ENTRY(link, struct epoll_item, bucket));
	slab_free(set, sizeof(*set));
}

static const struct file_operations set_operations = {
	.name = "anon_inode:[eventpoll]",
	.mode = 0600,
	.poll = poll_set,
	.release = release_set,
};

struct epoll_set *epoll_set_of(struct file *file)
{
	return file->operations == &set_operations ? CONTAINER_OF(file, struct epoll_set, file) : NULL;
}

struct epoll_set *epoll_make(void)
{
	struct epoll_set *set = slab_alloc(sizeof(*set));

	if (set == NULL)
		return NULL;
	file_init(&set->file, &set_operations, O_RDWR);
	list_init(&set->ready);
	for (u32 i = 0; i < EPOLL_BUCKETS; i++)
		list_init(&set->buckets[i]);
	return set;
}

/* After its event was reported, an item is looked at again next time only if it is level-triggered. */
static bool stays_ready(struct epoll_item *item)
{
	if (item->events & EPOLLONESHOT)
		item->events &= MODES;
	return (item->events & (EPOLLONESHOT | EPOLLET)) == 0;
}

i64 epoll_collect(struct epoll_set *set, u64 address, u32 most)
{
	struct list again = LIST_INIT(again);
	i64 result = 0;

	while (result < most && !list_empty(&set->ready)) {
		struct epoll_item *item = LIST_ENTRY(set->ready.next, struct epoll_item, ready);
		struct epoll_event event = {.events = events_of(item), .data = item->data};

		if (event.events != 0 &&
		    copy_to_user(address + (u64)result * sizeof(event), &event, sizeof(event)) < 0) {
			result = result > 0 ? result : -EFAULT;
			break;
		}
		list_remove(&item->ready);
		if (event.events == 0)
			continue;
		result++;
		if (stays_ready(item))
			list_add_tail(&again, &item->ready);
	}
	/* Behind the others, so that none starves when there are more than fit. */
	while (!list_empty(&again)) {
		struct list *link = again.next;

		list_remove(link);
		list_add_tail(&set->ready, link);
	}
	return result;
}
