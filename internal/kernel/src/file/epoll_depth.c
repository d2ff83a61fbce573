/*
 * How deep sets of epoll(7) lie inside each other. Two things rest on the
 * bound: wakeups go from a set to the sets around it, and asking whether a set
 * is ready asks the sets in it, both by recursion.
 */
#include "file/epoll.h"

/* Each walk has a number, so that it looks only once at a set that it can reach in many ways. */
static u32 visits;

/* How many sets lie inside each other in this one, itself included. 0 if outer is among them. */
static u32 depth_inside(struct epoll_set *set, const struct epoll_set *outer)
{
	u32 deepest = 0;

	if (set == outer)
		return 0;
	if (set->visit == visits)
		return set->depth;
	for (u32 i = 0; i < EPOLL_BUCKETS; i++) {
		LIST_FOR_EACH (link, &set->buckets[i]) {
			struct epoll_set *inner = epoll_set_of(LIST_ENTRY(link, struct epoll_item, bucket)->file);
			u32 depth;

			if (inner == NULL)
				continue;
			depth = depth_inside(inner, outer);
			if (depth == 0)
				return 0;
			deepest = MAX(deepest, depth);
		}
	}
	set->visit = visits;
	set->depth = deepest + 1;
	return set->depth;
}

/* How many sets lie around each other at this one, itself included. */
static u32 depth_outside(struct epoll_set *set)
{
	u32 deepest = 0;

	if (set->visit == visits)
		return set->depth;
	LIST_FOR_EACH (link, &set->file.queue.waiters) {
		struct epoll_item *item = epoll_item_of(link);

		if (item != NULL)
			deepest = MAX(deepest, depth_outside(item->set));
	}
	set->visit = visits;
	set->depth = deepest + 1;
	return set->depth;
}

bool epoll_may_nest(struct epoll_set *outer, struct epoll_set *inner)
{
	u32 inside, outside;

	visits++;
	inside = depth_inside(inner, outer);
	visits++;
	outside = depth_outside(outer);
	return inside > 0 && inside + outside <= EPOLL_DEPTH;
}
