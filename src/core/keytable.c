/*
 * keytable: a hash table per shard, chained through indices into one array of nodes, with a list in order of use. Nodes
 * are taken one after the other until the array is full, then the one used longest ago is used anew; so nothing is freed
 * before the end and a node's place never changes. The array doubles up to the shard's bound.
 */
#include "core/keytable.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SHARD_BITS 6
#define SHARDS (1u << SHARD_BITS)
#define NODES_FIRST 16u
#define NONE UINT32_MAX

struct node {
	uint64_t rule;
	uint64_t key;
	uint64_t count;
	uint32_t chain; /* next node of the bucket */
	uint32_t newer; /* in order of use */
	uint32_t older;
};

struct shard {
	_Alignas(CACHE_LINE_BYTES) pthread_mutex_t lock;
	struct node *nodes; /* cap of them, n in use */
	uint32_t *buckets; /* cap of them, a power of two */
	uint32_t n;
	uint32_t cap;
	uint32_t newest;
	uint32_t oldest;
};

struct keytable {
	struct shard shards[SHARDS];
	uint32_t nodes_max; /* per shard */
	_Atomic uint64_t evictions;
};

struct keytable *keytable_new(uint32_t max_keys)
{
	struct keytable *t = aligned_alloc(_Alignof(struct keytable), sizeof(*t));

	if (!t)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->nodes_max = max_keys / SHARDS + (max_keys % SHARDS != 0);
	if (t->nodes_max == 0)
		t->nodes_max = 1;
	for (unsigned i = 0; i < SHARDS; i++) {
		t->shards[i].newest = t->shards[i].oldest = NONE;
		(void)pthread_mutex_init(&t->shards[i].lock, NULL); /* cannot fail with default attributes */
	}
	return t;
}

static void shard_clear(struct shard *s)
{
	free(s->nodes);
	free(s->buckets);
	s->nodes = NULL;
	s->buckets = NULL;
	s->n = s->cap = 0;
	s->newest = s->oldest = NONE;
}

void keytable_free(struct keytable *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < SHARDS; i++) {
		shard_clear(&t->shards[i]);
		(void)pthread_mutex_destroy(&t->shards[i].lock);
	}
	free(t);
}

/* ---- one shard, with its lock held ------------------------------------------------------------------------------- */

/* Both are good hashes already; the product keeps (a, b) and (b, a) apart and spreads to the high bits. */
static uint64_t node_hash(uint64_t rule, uint64_t key)
{
	uint64_t h = (rule ^ (key << 32 | key >> 32)) * UINT64_C(0x9e3779b97f4a7c15);

	return h ^ h >> 32;
}

static uint32_t *shard_bucket(struct shard *s, uint64_t hash)
{
	return &s->buckets[hash & (s->cap - 1)];
}

static void shard_link(struct shard *s, uint32_t i)
{
	s->nodes[i].older = s->newest;
	s->nodes[i].newer = NONE;
	if (s->newest != NONE)
		s->nodes[s->newest].newer = i;
	else
		s->oldest = i;
	s->newest = i;
}

static void shard_unlink(struct shard *s, uint32_t i)
{
	struct node *node = &s->nodes[i];

	if (node->newer != NONE)
		s->nodes[node->newer].older = node->older;
	else
		s->newest = node->older;
	if (node->older != NONE)
		s->nodes[node->older].newer = node->newer;
	else
		s->oldest = node->newer;
}

static void shard_chain(struct shard *s, uint32_t i)
{
	uint32_t *bucket = shard_bucket(s, node_hash(s->nodes[i].rule, s->nodes[i].key));

	s->nodes[i].chain = *bucket;
	*bucket = i;
}

static void shard_unchain(struct shard *s, uint32_t i)
{
	uint32_t *at = shard_bucket(s, node_hash(s->nodes[i].rule, s->nodes[i].key));

	while (*at != i)
		at = &s->nodes[*at].chain;
	*at = s->nodes[i].chain;
}

/* Twice the room. False where memory is out; the shard is as it was. */
static bool shard_grow(struct shard *s)
{
	uint32_t cap = s->cap ? s->cap * 2 : NODES_FIRST;
	uint32_t *buckets = malloc(cap * sizeof(*buckets));
	struct node *nodes = buckets ? realloc(s->nodes, cap * sizeof(*nodes)) : NULL;

	if (!nodes) {
		free(buckets);
		return false;
	}
	memset(buckets, 0xff, cap * sizeof(*buckets)); /* NONE */
	free(s->buckets);
	s->buckets = buckets;
	s->nodes = nodes;
	s->cap = cap;
	for (uint32_t i = 0; i < s->n; i++)
		shard_chain(s, i);
	return true;
}

static uint32_t shard_find(struct shard *s, uint64_t hash, uint64_t rule, uint64_t key)
{
	uint32_t i = s->cap ? *shard_bucket(s, hash) : NONE;

	while (i != NONE && (s->nodes[i].key != key || s->nodes[i].rule != rule))
		i = s->nodes[i].chain;
	return i;
}

/* A node for a new key: a fresh one, else the one used longest ago, in no list. NONE where there is not one to be had. */
static uint32_t shard_take(struct keytable *t, struct shard *s)
{
	uint32_t i;

	if (s->n < t->nodes_max && (s->n < s->cap || shard_grow(s)))
		return s->n++;
	atomic_fetch_add_explicit(&t->evictions, 1, memory_order_relaxed);
	i = s->oldest;
	if (i != NONE) {
		shard_unlink(s, i);
		shard_unchain(s, i);
	}
	return i;
}

static uint64_t shard_count(struct keytable *t, struct shard *s, uint64_t hash, uint64_t rule, uint64_t key)
{
	uint32_t i = shard_find(s, hash, rule, key);

	if (i != NONE) {
		if (i != s->newest) {
			shard_unlink(s, i);
			shard_link(s, i);
		}
		return ++s->nodes[i].count;
	}
	i = shard_take(t, s);
	if (i != NONE) {
		s->nodes[i].rule = rule;
		s->nodes[i].key = key;
		s->nodes[i].count = 1;
		shard_chain(s, i);
		shard_link(s, i);
	}
	return 1;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

uint64_t keytable_count(struct keytable *t, uint64_t rule_name_hash, uint64_t key_hash)
{
	uint64_t hash = node_hash(rule_name_hash, key_hash);
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
		n += t->shards[i].n;
		(void)pthread_mutex_unlock(&t->shards[i].lock);
	}
	return n;
}

void keytable_clear(struct keytable *t)
{
	for (unsigned i = 0; i < SHARDS; i++) {
		(void)pthread_mutex_lock(&t->shards[i].lock);
		shard_clear(&t->shards[i]);
		(void)pthread_mutex_unlock(&t->shards[i].lock);
	}
}
