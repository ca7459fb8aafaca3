/*
 * keytable: shards of an lru, each with its lock.
 */
#include "core/keytable.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/lru.h"

#define SHARD_BITS 6
#define SHARDS (1u << SHARD_BITS)

struct node {
	struct lru_node lru;
	uint64_t count;
};

struct shard {
	_Alignas(CACHE_LINE_BYTES) pthread_mutex_t lock;
	struct lru table;
};

struct keytable {
	struct shard shards[SHARDS];
	_Atomic uint64_t evictions;
};

struct keytable *keytable_new(uint32_t max_keys)
{
	struct keytable *t = aligned_alloc(_Alignof(struct keytable), sizeof(*t));

	if (!t)
		return NULL;
	memset(t, 0, sizeof(*t));
	for (unsigned i = 0; i < SHARDS; i++) {
		lru_init(&t->shards[i].table, sizeof(struct node), max_keys / SHARDS + (max_keys % SHARDS != 0));
		(void)pthread_mutex_init(&t->shards[i].lock, NULL); /* cannot fail with default attributes */
	}
	return t;
}

void keytable_free(struct keytable *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < SHARDS; i++) {
		lru_deinit(&t->shards[i].table);
		(void)pthread_mutex_destroy(&t->shards[i].lock);
	}
	free(t);
}

/* With the lock held. */
static uint64_t shard_count(struct keytable *t, struct shard *s, uint64_t hash, uint64_t rule, uint64_t key)
{
	struct node *node = (struct node *)(void *)lru_find(&s->table, hash, rule, key);
	bool evicted;

	if (node)
		return ++node->count;
	node = (struct node *)(void *)lru_add(&s->table, hash, rule, key, &evicted);
	if (!node || evicted)
		atomic_fetch_add_explicit(&t->evictions, 1, memory_order_relaxed);
	if (node)
		node->count = 1;
	return 1;
}

uint64_t keytable_count(struct keytable *t, uint64_t rule_name_hash, uint64_t key_hash)
{
	uint64_t hash = lru_hash(rule_name_hash, key_hash);
	struct shard *s = &t->shards[hash >> (64 - SHARD_BITS)];
	uint64_t count;

	(void)pthread_mutex_lock(&s->lock);
	count = shard_count(t, s, hash, rule_name_hash, key_hash);
	(void)pthread_mutex_unlock(&s->lock);
	return count;
}

uint64_t keytable_evictions(const struct keytable *t)
{
	return atomic_load_explicit(&t->evictions, memory_order_relaxed);
}

uint32_t keytable_size(struct keytable *t)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < SHARDS; i++) {
		(void)pthread_mutex_lock(&t->shards[i].lock);
		n += t->shards[i].table.n;
		(void)pthread_mutex_unlock(&t->shards[i].lock);
	}
	return n;
}
