/*
 * heap: sifting. Parent of i is (i - 1) / 4, its children are 4i + 1 to 4i + 4. A node is written once where it
 * comes to rest; those it passes move one step.
 */
#include "base/heap.h"

#include <errno.h>
#include <stdlib.h>

#define HEAP_ARITY 4
#define HEAP_CAP_MIN 64

void heap_init(struct heap *h)
{
	*h = (struct heap){ .v = NULL };
}

void heap_deinit(struct heap *h)
{
	free(h->v);
	*h = (struct heap){ .v = NULL };
}

static void put_at(struct heap *h, uint32_t pos, struct heap_node *node)
{
	h->v[pos] = node;
	node->pos = pos;
}

static void sift_up(struct heap *h, uint32_t pos, struct heap_node *node)
{
	while (pos > 0) {
		uint32_t parent = (pos - 1) / HEAP_ARITY;

		if (h->v[parent]->key <= node->key)
			break;
		put_at(h, pos, h->v[parent]);
		pos = parent;
	}
	put_at(h, pos, node);
}

/* The child of pos with the least key; h->n or more where pos has none. */
static uint32_t least_child(const struct heap *h, uint32_t pos)
{
	uint64_t first = (uint64_t)pos * HEAP_ARITY + 1;
	uint32_t least;

	if (first >= h->n)
		return h->n;
	least = (uint32_t)first;
	for (uint64_t i = first + 1; i < h->n && i < first + HEAP_ARITY; i++) {
		if (h->v[i]->key < h->v[least]->key)
			least = (uint32_t)i;
	}
	return least;
}

static void sift_down(struct heap *h, uint32_t pos, struct heap_node *node)
{
	for (;;) {
		uint32_t child = least_child(h, pos);

		if (child >= h->n || h->v[child]->key >= node->key)
			break;
		put_at(h, pos, h->v[child]);
		pos = child;
	}
	put_at(h, pos, node);
}

/* node has a new key or a new place: to where it belongs. */
static void settle(struct heap *h, uint32_t pos, struct heap_node *node)
{
	if (pos > 0 && h->v[(pos - 1) / HEAP_ARITY]->key > node->key)
		sift_up(h, pos, node);
	else
		sift_down(h, pos, node);
}

int heap_insert(struct heap *h, struct heap_node *node, int64_t key)
{
	if (h->n == h->cap) {
		uint32_t cap = h->cap ? h->cap * 2 : HEAP_CAP_MIN;
		struct heap_node **v;

		/* HEAP_OUT must not become a place. */
		if (h->cap > UINT32_MAX / 4)
			return -ENOMEM;
		v = realloc(h->v, cap * sizeof(struct heap_node *));
		if (!v)
			return -ENOMEM;
		h->v = v;
		h->cap = cap;
	}
	node->key = key;
	sift_up(h, h->n++, node);
	return 0;
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	uint32_t pos = node->pos;
	struct heap_node *last = h->v[--h->n];

	if (last != node)
		settle(h, pos, last);
	node->pos = HEAP_OUT;
}

void heap_set_key(struct heap *h, struct heap_node *node, int64_t key)
{
	node->key = key;
	settle(h, node->pos, node);
}
