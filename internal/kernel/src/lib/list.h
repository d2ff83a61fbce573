/*
 * A circular doubly linked list that lives inside what it links. A list head
 * and an element that is on no list point at themselves.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next, *previous;
};

#define LIST_INIT(name) {&(name), &(name)}
#define LIST_ENTRY(link, type, member) CONTAINER_OF(link, type, member)

/* The body may remove the element that it is at, and no other. */
#define LIST_FOR_EACH(position, head)                                                                                  \
	for (struct list *position = (head)->next, *position##_next = position->next; position != (head);              \
	     position = position##_next, position##_next = position->next)

static inline void list_init(struct list *list) { list->next = list->previous = list; }
static inline bool list_empty(const struct list *head) { return head->next == head; }

static inline void list_add_tail(struct list *head, struct list *element)
{
	element->previous = head->previous;
	element->next = head;
	head->previous->next = element;
	head->previous = element;
}

static inline void list_add_head(struct list *head, struct list *element) { list_add_tail(head->next, element); }

/* Leaves the element on no list; harmless if it is on none. */
static inline void list_remove(struct list *element)
{
	element->previous->next = element->next;
	element->next->previous = element->previous;
	list_init(element);
}

#endif
