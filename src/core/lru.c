/*
 * lru: chained through indices into one array of nodes. Nodes are taken one after the other until the array is full, then
 * the oldest is taken again; so nothing is freed before the end.
 */
#include "core/lru.h"

#include <stdlib.h>
#include <string.h>

#define NODES_FIRST 16u
#define NONE UINT32_MAX

void lru_init(struct lru *l, uint32_t node_bytes, uint32_t max)
{
	*l = (struct lru){ .node_bytes = node_bytes, .max = MAX(max, 1u), .newest = NONE, .oldest = NONE };
}

void lru_deinit(struct lru *l)
{
	free(l->nodes);
	free(l->buckets);
	lru_init(l, l->node_bytes, l->max);
}

/* Both are good hashes already; the product keeps (a, b) and (b, a) apart and spreads to the high bits. */
uint64_t lru_hash(uint64_t rule, uint64_t key)
{
	uint64_t h = (rule ^ (key << 32 | key >> 32)) * UINT64_C(0x9e3779b97f4a7c15);

	return h ^ h >> 32;
}

static struct lru_node *node_at(const struct lru *l, uint32_t i)
{
	return (struct lru_node *)(void *)(l->nodes + (size_t)i * l->node_bytes);
}

static uint32_t index_of(const struct lru *l, const struct lru_node *node)
{
	return (uint32_t)((size_t)((const char *)node - l->nodes) / l->node_bytes);
}

static uint32_t *bucket_of(const struct lru *l, uint64_t hash)
{
	return &l->buckets[hash & (l->cap - 1)];
}

/* ---- order of use ------------------------------------------------------------------------------------------------ */

static void link_newest(struct lru *l, uint32_t i)
{
	struct lru_node *node = node_at(l, i);

	node->older = l->newest;
	node->newer = NONE;
	if (l->newest != NONE)
		node_at(l, l->newest)->newer = i;
	else
		l->oldest = i;
	l->newest = i;
}

static void unlink_node(struct lru *l, const struct lru_node *node)
{
	if (node->newer != NONE)
		node_at(l, node->newer)->older = node->older;
	else
		l->newest = node->older;
	if (node->older != NONE)
		node_at(l, node->older)->newer = node->newer;
	else
		l->oldest = node->newer;
}

void lru_pin(struct lru *l, struct lru_node *node)
{
	if (node->pinned)
		return;
	unlink_node(l, node);
	node->pinned = true;
}

void lru_unpin(struct lru *l, struct lru_node *node)
{
	if (!node->pinned)
		return;
	node->pinned = false;
	link_newest(l, index_of(l, node));
}

struct lru_node *lru_oldest(const struct lru *l)
{
	return l->oldest == NONE ? NULL : node_at(l, l->oldest);
}

struct lru_node *lru_newer(const struct lru *l, const struct lru_node *node)
{
	return node->newer == NONE ? NULL : node_at(l, node->newer);
}

struct lru_node *lru_at(const struct lru *l, uint32_t i)
{
	return i < l->n ? node_at(l, i) : NULL;
}

/* ---- by key ------------------------------------------------------------------------------------------------------ */

static void chain_node(struct lru *l, uint32_t i)
{
	struct lru_node *node = node_at(l, i);
	uint32_t *bucket = bucket_of(l, lru_hash(node->rule, node->key));

	node->chain = *bucket;
	*bucket = i;
}

static void unchain_node(struct lru *l, uint32_t i)
{
	const struct lru_node *node = node_at(l, i);
	uint32_t *at = bucket_of(l, lru_hash(node->rule, node->key));

	while (*at != i)
		at = &node_at(l, *at)->chain;
	*at = node->chain;
}

/* Twice the room. False where memory is out; the table is as it was. */
static bool grow(struct lru *l)
{
	uint32_t cap = l->cap ? l->cap * 2 : NODES_FIRST;
	uint32_t *buckets = malloc(cap * sizeof(*buckets));
	char *nodes = buckets ? realloc(l->nodes, (size_t)cap * l->node_bytes) : NULL;

	if (!nodes) {
		free(buckets);
		return false;
	}
	memset(buckets, 0xff, cap * sizeof(*buckets)); /* NONE */
	free(l->buckets);
	l->buckets = buckets;
	l->nodes = nodes;
	l->cap = cap;
	for (uint32_t i = 0; i < l->n; i++)
		chain_node(l, i);
	return true;
}

struct lru_node *lru_find(struct lru *l, uint64_t hash, uint64_t rule, uint64_t key)
{
	uint32_t i = l->cap ? *bucket_of(l, hash) : NONE;
	struct lru_node *node = NULL;

	while (i != NONE) {
		node = node_at(l, i);
		if (node->key == key && node->rule == rule)
			break;
		i = node->chain;
	}
	if (i == NONE)
		return NULL;
	if (!node->pinned && i != l->newest) {
		unlink_node(l, node);
		link_newest(l, i);
	}
	return node;
}

struct lru_node *lru_add(struct lru *l, uint64_t hash, uint64_t rule, uint64_t key, bool *evicted)
{
	struct lru_node *node;
	uint32_t i;

	*evicted = false;
	if (l->n < l->max && (l->n < l->cap || grow(l))) {
		i = l->n++;
		memset(node_at(l, i), 0, l->node_bytes);
	} else {
		i = l->oldest;
		if (i == NONE)
			return NULL;
		*evicted = true;
		unlink_node(l, node_at(l, i));
		unchain_node(l, i);
	}
	node = node_at(l, i);
	node->rule = rule;
	node->key = key;
	node->chain = *bucket_of(l, hash);
	*bucket_of(l, hash) = i;
	link_newest(l, i);
	return node;
}
