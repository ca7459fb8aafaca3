/*
 * heap: an intrusive 4-ary min-heap on int64_t keys (four children share a cache line of pointers; half the depth of
 * a binary heap). The nodes belong to the caller; the heap owns only its array. Used for deadlines.
 */
#ifndef BROWNOUT_BASE_HEAP_H
#define BROWNOUT_BASE_HEAP_H

#include "base/base.h"

#define HEAP_OUT UINT32_MAX

struct heap_node {
	int64_t key;
	uint32_t pos; /* place in the array, HEAP_OUT where in none */
};

struct heap {
	struct heap_node **v;
	uint32_t n;
	uint32_t cap;
};

static inline void heap_node_init(struct heap_node *node)
{
	node->key = 0;
	node->pos = HEAP_OUT;
}

static inline bool heap_has(const struct heap_node *node)
{
	return node->pos != HEAP_OUT;
}

void heap_init(struct heap *h);
/* The heap must be empty of nodes that are still used. */
void heap_deinit(struct heap *h);

/* NULL where empty. */
static inline struct heap_node *heap_top(const struct heap *h)
{
	return h->n ? h->v[0] : NULL;
}

/* node must be in no heap. -ENOMEM where the array cannot grow; then nothing changed. */
int heap_insert(struct heap *h, struct heap_node *node, int64_t key) MUST_USE;
/* node must be in this heap. */
void heap_remove(struct heap *h, struct heap_node *node);
void heap_set_key(struct heap *h, struct heap_node *node, int64_t key);

#endif
