/*
 * limiter: shards of an lru, each with its lock; each algorithm is a few integers per key, changed under that lock, so that
 * what it says is exact at any concurrency. Owns the rings of stamps of sliding windows. Never reads a clock.
 */
#include "core/limiter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/lru.h"

/* Products of a count and a duration do not fit in 64 bits. */
#pragma GCC diagnostic ignored "-Wpedantic"
#define WIDE unsigned __int128

#define SHARD_BITS 6
#define SHARDS (1u << SHARD_BITS)
#define STAMPS_FIRST 8u
/* Apart from the quota of the same rule and key. */
#define TOLD_SALT UINT64_C(0x746f6c64746f6c64)

/* The times of the requests in a sliding window, oldest first. */
struct stamps {
	uint32_t cap; /* a power of two */
	uint32_t head;
	uint32_t n;
	int64_t v[];
};

enum quota_kind { QUOTA_NEW, QUOTA_BUCKET, QUOTA_WINDOW, QUOTA_SLIDING, QUOTA_CONCURRENCY, QUOTA_TOLD };

struct quota {
	struct lru_node lru;
	uint32_t kind; /* enum quota_kind */
	uint32_t choice; /* TOLD */
	int64_t at_ns; /* BUCKET: when debt was reckoned; WINDOW: its start; TOLD: until */
	union {
		WIDE debt; /* BUCKET: what it takes to be full, in tokens times window_ns */
		uint64_t used; /* WINDOW, CONCURRENCY */
		struct stamps *stamps; /* SLIDING; owned, NULL before the first */
	};
};

struct shard {
	_Alignas(CACHE_LINE_BYTES) pthread_mutex_t lock;
	struct lru table;
};

struct limiter {
	struct shard shards[SHARDS];
	_Atomic uint64_t evictions;
	_Atomic uint64_t stamps; /* room for so many in all rings */
};

static struct quota *quota_of(struct lru_node *node)
{
	return (struct quota *)(void *)node; /* it begins with it; NULL stays NULL */
}

struct limiter *limiter_new(uint32_t max_keys)
{
	struct limiter *l = aligned_alloc(_Alignof(struct limiter), sizeof(*l));

	if (!l)
		return NULL;
	memset(l, 0, sizeof(*l));
	for (unsigned i = 0; i < SHARDS; i++) {
		lru_init(&l->shards[i].table, sizeof(struct quota), max_keys / SHARDS + (max_keys % SHARDS != 0));
		(void)pthread_mutex_init(&l->shards[i].lock, NULL); /* cannot fail with default attributes */
	}
	return l;
}

/* Forgets what a quota holds. */
static void quota_clear(struct limiter *l, struct quota *q)
{
	if (q->kind == QUOTA_SLIDING && q->stamps) {
		atomic_fetch_sub_explicit(&l->stamps, q->stamps->cap, memory_order_relaxed);
		free(q->stamps);
	}
	q->kind = QUOTA_NEW;
	q->choice = 0;
	q->at_ns = 0;
	q->debt = 0;
	q->stamps = NULL;
}

void limiter_free(struct limiter *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < SHARDS; i++) {
		struct quota *q;

		for (uint32_t k = 0; (q = quota_of(lru_at(&l->shards[i].table, k))); k++)
			quota_clear(l, q);
		lru_deinit(&l->shards[i].table);
		(void)pthread_mutex_destroy(&l->shards[i].lock);
	}
	free(l);
}

/* ---- keys, with the lock of their shard held --------------------------------------------------------------------- */

static void count_eviction(struct limiter *l)
{
	atomic_fetch_add_explicit(&l->evictions, 1, memory_order_relaxed);
}

/* The quota of this kind of the key, a new one where need be; one of another kind (of rules loaded before) begins anew. */
static struct quota *quota_get(struct limiter *l, struct shard *s, uint64_t hash, uint64_t rule, uint64_t key,
	enum quota_kind kind, int64_t now_ns)
{
	struct quota *q = quota_of(lru_find(&s->table, hash, rule, key));
	bool evicted = false;

	if (!q) {
		q = quota_of(lru_add(&s->table, hash, rule, key, &evicted));
		if (!q || evicted)
			count_eviction(l);
		if (!q)
			return NULL;
	}
	if (evicted || q->kind != (uint32_t)kind) {
		lru_unpin(&s->table, &q->lru);
		quota_clear(l, q);
		q->kind = (uint32_t)kind;
		q->at_ns = now_ns;
	}
	return q;
}

static struct shard *shard_of(struct limiter *l, uint64_t hash)
{
	return &l->shards[hash >> (64 - SHARD_BITS)];
}

/* ---- algorithms -------------------------------------------------------------------------------------------------- */

static uint64_t cost_of(const struct fault_limit *spec)
{
	return MAX(spec->cost, UINT64_C(1));
}

static int64_t window_of(const struct fault_limit *spec)
{
	return MAX(spec->window_ns, INT64_C(1));
}

/* What lies ready at most. */
static uint64_t capacity_of(const struct fault_limit *spec)
{
	return spec->algorithm == LIMIT_TOKEN_BUCKET && spec->burst ? spec->burst : spec->limit;
}

/* The time in which debt flows back at `limit` per window, rounded up: who waits so long comes not too early. */
static int64_t flow_ns(WIDE debt, uint64_t limit)
{
	WIDE ns = (debt + limit - 1) / limit;

	return ns < (WIDE)LIMITER_WAIT_MAX_NS ? (int64_t)ns : LIMITER_WAIT_MAX_NS;
}

/*
 * The generic cell rate algorithm, in units in which nothing is rounded: a token is window_ns units, and each nanosecond
 * gives `limit` of them back.
 */
static struct limit_verdict take_bucket(struct quota *q, const struct fault_limit *spec, int64_t now_ns)
{
	WIDE full = (WIDE)capacity_of(spec) * (uint64_t)window_of(spec);
	WIDE price = (WIDE)cost_of(spec) * (uint64_t)window_of(spec);
	struct limit_verdict v = { .limit = spec->limit };

	if (now_ns > q->at_ns) {
		WIDE flown = (WIDE)(uint64_t)(now_ns - q->at_ns) * spec->limit;

		q->debt -= MIN(flown, q->debt);
		q->at_ns = now_ns;
	}
	if (price > full) {
		v.refused = true;
		v.retry_ns = LIMITER_WAIT_MAX_NS;
	} else if (q->debt > full - price) {
		v.refused = true;
		v.retry_ns = flow_ns(q->debt - (full - price), spec->limit);
	} else {
		q->debt += price;
	}
	v.remaining = (uint64_t)((full - MIN(q->debt, full)) / (uint64_t)window_of(spec));
	v.reset_ns = flow_ns(q->debt, spec->limit);
	return v;
}

static struct limit_verdict take_window(struct quota *q, const struct fault_limit *spec, int64_t now_ns)
{
	int64_t window = window_of(spec);
	int64_t into = now_ns > q->at_ns ? now_ns - q->at_ns : 0;
	struct limit_verdict v = { .limit = spec->limit };

	if (into >= window) {
		q->at_ns += into / window * window;
		q->used = 0;
		into %= window;
	}
	v.reset_ns = MIN(window - into, LIMITER_WAIT_MAX_NS);
	if (cost_of(spec) > spec->limit - MIN(q->used, spec->limit)) {
		v.refused = true;
		v.retry_ns = cost_of(spec) > spec->limit ? LIMITER_WAIT_MAX_NS : v.reset_ns;
	} else {
		q->used += cost_of(spec);
	}
	v.remaining = spec->limit - MIN(q->used, spec->limit);
	return v;
}

static struct limit_verdict take_place(struct shard *s, struct quota *q, const struct fault_limit *spec)
{
	struct limit_verdict v = { .limit = spec->limit };

	if (cost_of(spec) > spec->limit - MIN(q->used, spec->limit)) {
		v.refused = true;
		v.retry_ns = LIMITER_CONCURRENCY_WAIT_NS;
	} else {
		/* Its places must not be forgotten while they are taken. */
		lru_pin(&s->table, &q->lru);
		q->used += cost_of(spec);
	}
	v.remaining = spec->limit - MIN(q->used, spec->limit);
	return v;
}

/* ---- sliding windows --------------------------------------------------------------------------------------------- */

/* Room for `more` stamps in the budget of all, if need be by forgetting keys used longest ago; false: there is none. */
static bool reserve_stamps(struct limiter *l, struct shard *s, const struct quota *keep, uint32_t more)
{
	struct lru_node *node = lru_oldest(&s->table);

	while (atomic_fetch_add_explicit(&l->stamps, more, memory_order_relaxed) + more > LIMITER_STAMPS_MAX) {
		bool found = false;

		atomic_fetch_sub_explicit(&l->stamps, more, memory_order_relaxed);
		for (; node && !found; node = lru_newer(&s->table, node)) {
			struct quota *q = quota_of(node);

			found = q != keep && q->kind == QUOTA_SLIDING && q->stamps;
			if (found)
				quota_clear(l, q);
		}
		count_eviction(l);
		if (!found)
			return false;
	}
	return true;
}

/* Room for one more stamp, up to max. */
static bool stamps_grow(struct limiter *l, struct shard *s, struct quota *q)
{
	struct stamps *old = q->stamps;
	uint32_t had = old ? old->cap : 0;
	uint32_t cap = had ? had * 2 : STAMPS_FIRST;
	struct stamps *grown;

	if (!reserve_stamps(l, s, q, cap - had))
		return false;
	grown = malloc(sizeof(*grown) + cap * sizeof(grown->v[0]));
	if (!grown) {
		atomic_fetch_sub_explicit(&l->stamps, cap - had, memory_order_relaxed);
		return false;
	}
	grown->cap = cap;
	grown->head = 0;
	grown->n = had;
	for (uint32_t i = 0; i < had; i++)
		grown->v[i] = old->v[(old->head + i) & (had - 1)];
	free(old);
	q->stamps = grown;
	return true;
}

static int64_t stamp_at(const struct stamps *t, uint32_t i)
{
	return t->v[(t->head + i) & (t->cap - 1)];
}

static void stamps_expire(struct stamps *t, int64_t window, int64_t now_ns)
{
	while (t->n && now_ns - t->v[t->head] >= window) {
		t->head = (t->head + 1) & (t->cap - 1);
		t->n--;
	}
}

static struct limit_verdict take_sliding(struct limiter *l, struct shard *s, struct quota *q, const struct fault_limit *spec,
	int64_t now_ns)
{
	uint64_t cost = cost_of(spec);
	uint32_t max = (uint32_t)MIN(spec->limit / cost, (uint64_t)LIMIT_SLIDING_MAX);
	int64_t window = window_of(spec);
	struct limit_verdict v = { .limit = spec->limit };
	uint32_t n = 0;

	if (q->stamps && q->stamps->n) {
		now_ns = MAX(now_ns, stamp_at(q->stamps, q->stamps->n - 1));
		stamps_expire(q->stamps, window, now_ns);
		n = q->stamps->n;
	}
	if (n >= max || ((!q->stamps || n == q->stamps->cap) && !stamps_grow(l, s, q))) {
		v.refused = true;
		v.retry_ns = max == 0 ? LIMITER_WAIT_MAX_NS : window - (n ? now_ns - stamp_at(q->stamps, 0) : 0);
	} else {
		q->stamps->v[(q->stamps->head + n) & (q->stamps->cap - 1)] = now_ns;
		q->stamps->n = ++n;
	}
	v.remaining = spec->limit - n * cost;
	v.reset_ns = n ? window - (now_ns - stamp_at(q->stamps, n - 1)) : 0;
	v.retry_ns = MIN(v.retry_ns, LIMITER_WAIT_MAX_NS);
	v.reset_ns = MIN(v.reset_ns, LIMITER_WAIT_MAX_NS);
	return v;
}

/* ---- quotas ------------------------------------------------------------------------------------------------------ */

static struct limit_verdict take(struct limiter *l, struct shard *s, uint64_t hash, const struct fault_limit *spec,
	uint64_t rule, uint64_t key, int64_t now_ns)
{
	static const enum quota_kind kinds[] = {
		[LIMIT_TOKEN_BUCKET] = QUOTA_BUCKET,
		[LIMIT_FIXED_WINDOW] = QUOTA_WINDOW,
		[LIMIT_SLIDING_WINDOW] = QUOTA_SLIDING,
		[LIMIT_CONCURRENCY] = QUOTA_CONCURRENCY,
	};
	struct quota *q = quota_get(l, s, hash, rule, key, kinds[spec->algorithm], now_ns);

	if (q) {
		switch (spec->algorithm) {
		case LIMIT_TOKEN_BUCKET:
			return take_bucket(q, spec, now_ns);
		case LIMIT_FIXED_WINDOW:
			return take_window(q, spec, now_ns);
		case LIMIT_SLIDING_WINDOW:
			return take_sliding(l, s, q, spec, now_ns);
		case LIMIT_CONCURRENCY:
			return take_place(s, q, spec);
		}
	}
	return (struct limit_verdict){ .refused = true, .limit = spec->limit, .retry_ns = LIMITER_CONCURRENCY_WAIT_NS };
}

static bool is_worth_a_warning(const struct fault_limit *spec, const struct limit_verdict *v)
{
	uint64_t capacity = capacity_of(spec);
	uint64_t used = capacity - MIN(v->remaining, capacity);

	return spec->warn_at && (WIDE)used * 100 >= (WIDE)capacity * spec->warn_at;
}

struct limit_verdict limiter_take(struct limiter *l, const struct fault_limit *spec, uint64_t rule_hash, uint64_t key_hash,
	int64_t now_ns)
{
	uint64_t hash = lru_hash(rule_hash, key_hash);
	struct shard *s = shard_of(l, hash);
	struct limit_verdict v;

	if (spec->limit == 0)
		return (struct limit_verdict){ 0 };
	(void)pthread_mutex_lock(&s->lock);
	v = take(l, s, hash, spec, rule_hash, key_hash, now_ns);
	(void)pthread_mutex_unlock(&s->lock);
	v.warn = is_worth_a_warning(spec, &v);
	return v;
}

void limiter_release(struct limiter *l, const struct fault_limit *spec, uint64_t rule_hash, uint64_t key_hash)
{
	uint64_t hash = lru_hash(rule_hash, key_hash);
	struct shard *s = shard_of(l, hash);
	struct quota *q;

	if (spec->algorithm != LIMIT_CONCURRENCY || spec->limit == 0)
		return;
	(void)pthread_mutex_lock(&s->lock);
	q = quota_of(lru_find(&s->table, hash, rule_hash, key_hash));
	if (q && q->kind == QUOTA_CONCURRENCY) {
		q->used -= MIN(cost_of(spec), q->used);
		if (q->used == 0)
			lru_unpin(&s->table, &q->lru);
	}
	(void)pthread_mutex_unlock(&s->lock);
}

/* ---- told waits -------------------------------------------------------------------------------------------------- */

void limiter_tell(struct limiter *l, uint64_t rule_hash, uint64_t key_hash, int64_t until_ns, unsigned choice)
{
	uint64_t rule = rule_hash ^ TOLD_SALT;
	uint64_t hash = lru_hash(rule, key_hash);
	struct shard *s = shard_of(l, hash);
	struct quota *q;

	(void)pthread_mutex_lock(&s->lock);
	q = quota_get(l, s, hash, rule, key_hash, QUOTA_TOLD, until_ns);
	if (q) {
		q->at_ns = until_ns;
		q->choice = choice;
	}
	(void)pthread_mutex_unlock(&s->lock);
}

int64_t limiter_told(struct limiter *l, uint64_t rule_hash, uint64_t key_hash, int64_t now_ns, unsigned *choice)
{
	uint64_t rule = rule_hash ^ TOLD_SALT;
	uint64_t hash = lru_hash(rule, key_hash);
	struct shard *s = shard_of(l, hash);
	const struct quota *q;
	int64_t until_ns = 0;

	*choice = 0;
	(void)pthread_mutex_lock(&s->lock);
	q = quota_of(lru_find(&s->table, hash, rule, key_hash));
	if (q && q->kind == QUOTA_TOLD && q->at_ns > now_ns) {
		until_ns = q->at_ns;
		*choice = q->choice;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return until_ns;
}

uint64_t limiter_evictions(const struct limiter *l)
{
	return atomic_load_explicit(&l->evictions, memory_order_relaxed);
}
