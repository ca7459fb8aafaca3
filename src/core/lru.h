/*
 * lru: a bounded hash table of nodes by rule and key, with a list in order of use: where it is full the node used longest
 * ago is used anew. One table is one shard of something larger: who has it holds a lock around every call. The caller's
 * struct begins with struct lru_node; nodes lie in one array that doubles up to the bound, so a pointer holds until the next
 * lru_add only.
 */
#ifndef BROWNOUT_CORE_LRU_H
#define BROWNOUT_CORE_LRU_H

#include "base/base.h"

struct lru_node {
	uint64_t rule;
	uint64_t key;
	uint32_t chain; /* next node of the bucket */
	uint32_t newer; /* in order of use */
	uint32_t older;
	bool pinned; /* in no order: cannot be used anew */
};

struct lru {
	char *nodes; /* cap of them, n in use */
	uint32_t *buckets; /* cap of them, a power of two */
	uint32_t node_bytes;
	uint32_t n;
	uint32_t cap;
	uint32_t max;
	uint32_t newest;
	uint32_t oldest;
};

/* node_bytes: of the caller's struct, a multiple of its alignment. max: at least 1. */
void lru_init(struct lru *l, uint32_t node_bytes, uint32_t max);
void lru_deinit(struct lru *l);

uint64_t lru_hash(uint64_t rule, uint64_t key);

/* The node, now the newest; NULL where there is none. */
struct lru_node *lru_find(struct lru *l, uint64_t hash, uint64_t rule, uint64_t key);
/*
 * A node for a key that is not in the table. What the caller keeps in it is zero, or, with *evicted, as the key that it
 * belonged to has left it. NULL where all are pinned, or memory is out and there is none to evict.
 */
struct lru_node *lru_add(struct lru *l, uint64_t hash, uint64_t rule, uint64_t key, bool *evicted) MUST_USE;

/* Out of the order of use, and back to it as the newest. */
void lru_pin(struct lru *l, struct lru_node *node);
void lru_unpin(struct lru *l, struct lru_node *node);

/* For walking from the oldest on, and all of them by number; NULL at the end. */
struct lru_node *lru_oldest(const struct lru *l);
struct lru_node *lru_newer(const struct lru *l, const struct lru_node *node);
struct lru_node *lru_at(const struct lru *l, uint32_t i);

#endif
