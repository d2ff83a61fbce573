#include "lib/timerheap.h"

/* Joins two heaps, each NULL or a root without siblings: the later root becomes the first child of the earlier. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	if (a == NULL)
		return b;
	if (b == NULL)
		return a;
	if (b->deadline < a->deadline) {
		struct timer *swap = a;
		a = b;
		b = swap;
	}
	b->sibling = a->child;
	if (b->sibling != NULL)
		b->sibling->previous = b;
	b->previous = a;
	a->child = b;
	return a;
}

/* Cuts the first of a list of siblings off and returns it; *list moves on to the rest. */
static struct timer *cut_first(struct timer **list)
{
	struct timer *first = *list;

	if (first == NULL)
		return NULL;
	*list = first->sibling;
	first->sibling = first->previous = NULL;
	return first;
}

/*
 * Makes one heap of a list of siblings: left to right in pairs, then right to
 * left into one. This order is what keeps the amortised cost logarithmic.
 */
static struct timer *meld_siblings(struct timer *list)
{
	struct timer *pairs = NULL; /* a stack, linked by sibling */
	struct timer *root = NULL;

	while (list != NULL) {
		struct timer *a = cut_first(&list);
		struct timer *b = cut_first(&list);
		struct timer *pair = meld(a, b);

		pair->sibling = pairs;
		pairs = pair;
	}
	while (pairs != NULL) {
		struct timer *pair = pairs;

		pairs = pair->sibling;
		pair->sibling = NULL;
		root = meld(root, pair);
	}
	return root;
}

/* Takes a timer that is not the root, with all below it, out of the tree. */
static void detach(struct timer *timer)
{
	if (timer->previous->child == timer)
		timer->previous->child = timer->sibling;
	else
		timer->previous->sibling = timer->sibling;
	if (timer->sibling != NULL)
		timer->sibling->previous = timer->previous;
	timer->sibling = timer->previous = NULL;
}

void timerheap_arm(struct timerheap *heap, struct timer *timer, u64 deadline)
{
	timerheap_cancel(heap, timer);
	timer->deadline = deadline;
	timer->armed = true;
	timer->child = timer->sibling = timer->previous = NULL;
	heap->root = meld(heap->root, timer);
}

void timerheap_cancel(struct timerheap *heap, struct timer *timer)
{
	struct timer *children;

	if (!timer->armed)
		return;
	timer->armed = false;
	if (timer == heap->root)
		heap->root = NULL;
	else
		detach(timer);
	children = meld_siblings(timer->child);
	timer->child = NULL;
	heap->root = meld(heap->root, children);
}

u64 timerheap_next(const struct timerheap *heap) { return heap->root != NULL ? heap->root->deadline : NEVER; }

struct timer *timerheap_pop(struct timerheap *heap, u64 now)
{
	struct timer *first = heap->root;

	if (first == NULL || first->deadline > now)
		return NULL;
	timerheap_cancel(heap, first);
	return first;
}
