/*
 * ring: two counters that only grow, each written by one side. Each side keeps a copy of the other's counter and reads
 * the shared one only where its copy says full or empty, so that in steady state no cache line goes back and forth
 * but those of the records.
 *
 * The places lie in blocks. The producer takes the block that came back last, not the one that came back first, and says in
 * `order` which one it took: what is used are the few blocks that the records on their way fill, which stay in the caches, and
 * not all of the ring in turn.
 */
#include "observe/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define RING_RECORDS_MAX (UINT32_C(1) << 24)
#define BLOCK_RECORDS 64u /* at most */
#define AHEAD_BYTES ((size_t)4 * CACHE_LINE_BYTES) /* of a record: what most of them touch */

struct place {
	_Alignas(CACHE_LINE_BYTES) struct record record;
};

struct witness_place {
	_Alignas(CACHE_LINE_BYTES) struct witness witness;
};

struct ring {
	struct place *v;
	struct record_decisions *decisions; /* one for each of v; NULL: not kept */
	struct witness_place *witnesses; /* the same */
	uint32_t mask; /* records at a time, less one */
	uint32_t block_mask; /* records in a block, less one */
	uint32_t n_blocks; /* one more than the records fill: the oldest and the newest may both be there in part */
	uint32_t order_mask;
	uint32_t *order; /* which block the records lie in, by their number / records in a block */
	enum ring_repeats repeats;

	/* The producer's line. */
	_Alignas(CACHE_LINE_BYTES) _Atomic uint32_t committed;
	uint32_t released_seen;
	uint32_t write_at; /* place of the next record, where its block was taken ... */
	uint32_t block_begin; /* ... for the records from this number on */
	uint32_t returned; /* the blocks of the records before this number have come back */
	uint32_t n_free;
	uint32_t *free; /* blocks; the last came back last */

	/* The consumer's line. */
	_Alignas(CACHE_LINE_BYTES) _Atomic uint32_t released;
	uint32_t committed_seen;
	uint32_t read_at; /* place of the oldest record */
};

static uint32_t power_above(uint32_t n)
{
	uint32_t power = 1;

	while (power < n)
		power *= 2;
	return power;
}

static bool make_places(struct ring *r)
{
	uint32_t n = r->n_blocks * (r->block_mask + 1);

	/* Not cleared: pages are touched when they are used first. */
	r->v = aligned_alloc(CACHE_LINE_BYTES, n * sizeof(*r->v));
	r->order = malloc((r->order_mask + 1) * sizeof(*r->order));
	r->free = malloc(r->n_blocks * sizeof(*r->free));
	if (!r->v || !r->order || !r->free)
		return false;
	while (r->n_free < r->n_blocks) {
		r->free[r->n_free] = r->n_free;
		r->n_free++;
	}
	return true;
}

struct ring *ring_new(uint32_t n_records)
{
	struct ring *r = aligned_alloc(CACHE_LINE_BYTES, sizeof(*r));
	uint32_t n = power_above(n_records), in_block = MIN(n, BLOCK_RECORDS);

	if (!r)
		return NULL;
	assert(n_records <= RING_RECORDS_MAX);
	*r = (struct ring){ .mask = n - 1, .block_mask = in_block - 1, .n_blocks = n / in_block + 1 };
	r->order_mask = power_above(r->n_blocks) - 1;
	r->block_begin = in_block; /* of no record yet */
	if (make_places(r))
		return r;
	ring_free(r);
	return NULL;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	free(r->v);
	free(r->order);
	free(r->free);
	free(r->decisions);
	free(r->witnesses);
	free(r);
}

int ring_keep_details(struct ring *r)
{
	size_t n = (size_t)r->n_blocks * (r->block_mask + 1);

	if (!r->decisions)
		r->decisions = malloc(n * sizeof(*r->decisions));
	if (!r->witnesses)
		r->witnesses = aligned_alloc(CACHE_LINE_BYTES, n * sizeof(*r->witnesses));
	return r->decisions && r->witnesses ? 0 : -ENOMEM;
}

void ring_take_repeats(struct ring *r, enum ring_repeats how)
{
	r->repeats = how;
}

enum ring_repeats ring_repeats(const struct ring *r)
{
	return r->repeats;
}

bool ring_wants_details(const struct ring *r)
{
	return r->decisions != NULL;
}

/* ---- lines that will be wanted soon ---- */

#ifdef __x86_64__
/*
 * To write: for any machine of the kind a compiler asks for a line to read, which is half of it. Those that do not know the
 * instruction pass over it.
 */
#define AHEAD_TO_WRITE __attribute__((target("prfchw")))
#else
#define AHEAD_TO_WRITE
#endif

static inline size_t ahead_bytes(const struct ring *r)
{
	return r->repeats == RING_REPEATS_ALONE ? CACHE_LINE_BYTES : AHEAD_BYTES;
}

/* What it is that most records have besides. */
static inline bool has_beside(const struct ring *r)
{
	return r->repeats == RING_REPEATS_BESIDE;
}

AHEAD_TO_WRITE static void ask_to_write(const struct ring *r, uint32_t at)
{
	for (size_t i = 0; i < ahead_bytes(r); i += CACHE_LINE_BYTES)
		__builtin_prefetch((const char *)&r->v[at] + i, 1);
	if (has_beside(r))
		__builtin_prefetch(&r->v[at].record.beside, 1);
	if (!r->witnesses || r->repeats != RING_REPEATS_NONE)
		return;
	for (size_t i = 0; i < offsetof(struct witness, client); i += CACHE_LINE_BYTES)
		__builtin_prefetch((const char *)&r->witnesses[at] + i, 1);
}

static void ask_to_read(const struct ring *r, uint32_t at)
{
	for (size_t i = 0; i < ahead_bytes(r); i += CACHE_LINE_BYTES)
		__builtin_prefetch((const char *)&r->v[at] + i);
	if (has_beside(r))
		__builtin_prefetch(&r->v[at].record.beside);
	if (!r->witnesses || r->repeats != RING_REPEATS_NONE)
		return;
	for (size_t i = 0; i < offsetof(struct witness, client); i += CACHE_LINE_BYTES)
		__builtin_prefetch((const char *)&r->witnesses[at] + i);
}

/* ---- producer ---- */

/* Where `order` says which block the record of this number lies in. */
static inline uint32_t turn_of(const struct ring *r, uint32_t number)
{
	return number / (r->block_mask + 1) & r->order_mask;
}

static void take_block(struct ring *r, uint32_t begin)
{
	r->released_seen = atomic_load_explicit(&r->released, memory_order_acquire);
	while (r->released_seen - r->returned > r->block_mask) {
		r->free[r->n_free++] = r->order[turn_of(r, r->returned)];
		r->returned += r->block_mask + 1;
	}
	assert(r->n_free > 0);
	r->n_free--;
	r->order[turn_of(r, begin)] = r->free[r->n_free];
	r->write_at = r->free[r->n_free] * (r->block_mask + 1);
	r->block_begin = begin;
}

struct record *ring_begin(struct ring *r)
{
	uint32_t at = atomic_load_explicit(&r->committed, memory_order_relaxed);

	if (at - r->released_seen > r->mask) {
		r->released_seen = atomic_load_explicit(&r->released, memory_order_acquire);
		if (at - r->released_seen > r->mask)
			return NULL;
	}
	if ((at & r->block_mask) == 0 && r->block_begin != at)
		take_block(r, at);
	return &r->v[r->write_at].record;
}

struct record_decisions *ring_decisions(struct ring *r)
{
	return r->decisions ? &r->decisions[r->write_at] : NULL;
}

struct witness *ring_witness(struct ring *r)
{
	return r->witnesses ? &r->witnesses[r->write_at].witness : NULL;
}

void ring_commit(struct ring *r)
{
	uint32_t next = atomic_load_explicit(&r->committed, memory_order_relaxed) + 1;

	atomic_store_explicit(&r->committed, next, memory_order_release);
	r->write_at++;
	if (next & r->block_mask)
		ask_to_write(r, r->write_at);
}

/* ---- consumer ---- */

struct record *ring_peek(struct ring *r)
{
	uint32_t at = atomic_load_explicit(&r->released, memory_order_relaxed);

	if (at == r->committed_seen) {
		r->committed_seen = atomic_load_explicit(&r->committed, memory_order_acquire);
		if (at == r->committed_seen)
			return NULL;
	}
	if ((at & r->block_mask) == 0)
		r->read_at = r->order[turn_of(r, at)] * (r->block_mask + 1);
	if (at + 1 != r->committed_seen && ((at + 1) & r->block_mask))
		ask_to_read(r, r->read_at + 1);
	return &r->v[r->read_at].record;
}

void ring_release(struct ring *r)
{
	uint32_t at = atomic_load_explicit(&r->released, memory_order_relaxed);

	atomic_store_explicit(&r->released, at + 1, memory_order_release);
	r->read_at++;
}
