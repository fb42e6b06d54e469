#pragma once

/*
 * Intrusive doubly linked lists with a count.  A node that is in no list has
 * next == NULL.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "berth/base/mem.h"

struct list_node {
    struct list_node *next;
    struct list_node *prev;
};

struct list {
    struct list_node head;
    size_t count;
};

static inline void
list_init(struct list *list)
{
    list->head.next = list->head.prev = &list->head;
    list->count = 0;
}

static inline bool
list_is_in(const struct list_node *node)
{
    return node->next != NULL;
}

static inline void
list_insert_before(struct list *list, struct list_node *at, struct list_node *node)
{
    assert(!list_is_in(node));
    node->next = at;
    node->prev = at->prev;
    at->prev->next = node;
    at->prev = node;
    list->count++;
}

/** list_push() - @node becomes the last. */
static inline void
list_push(struct list *list, struct list_node *node)
{
    list_insert_before(list, &list->head, node);
}

/** list_push_front() - @node becomes the first. */
static inline void
list_push_front(struct list *list, struct list_node *node)
{
    list_insert_before(list, list->head.next, node);
}

static inline void
list_remove(struct list *list, struct list_node *node)
{
    assert(list_is_in(node) && list->count > 0);
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = NULL;
    list->count--;
}

#ifdef __clang_analyzer__
/* The analyzer does not follow a ring and takes its head for a member: to it, nodes come from elsewhere. */
struct list_node *list_first(const struct list *list);
struct list_node *list_next(const struct list *list, const struct list_node *node);
struct list_node *list_pop(struct list *list);
struct list_node *list_pop_last(struct list *list);
#else
/** list_first() - or NULL. */
static inline struct list_node *
list_first(const struct list *list)
{
    return list->count ? list->head.next : NULL;
}

/** list_next() - the node after @node, or NULL. */
static inline struct list_node *
list_next(const struct list *list, const struct list_node *node)
{
    return node->next == &list->head ? NULL : node->next;
}

/** list_pop() - the first, taken out; NULL when empty. */
static inline struct list_node *
list_pop(struct list *list)
{
    struct list_node *node = list_first(list);

    if (node)
        list_remove(list, node);
    return node;
}

/** list_pop_last() - the last, taken out; NULL when empty. */
static inline struct list_node *
list_pop_last(struct list *list)
{
    struct list_node *node = list->count ? list->head.prev : NULL;

    if (node)
        list_remove(list, node);
    return node;
}

#endif

/** list_move() - all of @from to the end of @to. */
static inline void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the target stands first, as in memmove(). */
list_move(struct list *to, struct list *from)
{
    struct list_node *node;

    while ((node = list_pop(from)))
        list_push(to, node);
}
