/*
 * ring: two counters that only grow, each written by one side. Each side keeps a copy of the other's counter and reads
 * the shared one only where its copy says full or empty, so that in steady state no cache line goes back and forth
 * but those of the records.
 */
#include "observe/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define RING_RECORDS_MAX (UINT32_C(1) << 24)

struct ring {
	struct record *v;
	struct record_decisions *decisions; /* one for each of v; NULL: not kept */
	struct witness *witnesses; /* the same */
	uint32_t mask;
	bool takes_repeats;

	/* The producer's line. */
	_Alignas(CACHE_LINE_BYTES) _Atomic uint32_t committed;
	uint32_t released_seen;

	/* The consumer's line. */
	_Alignas(CACHE_LINE_BYTES) _Atomic uint32_t released;
	uint32_t committed_seen;
};

struct ring *ring_new(uint32_t n_records)
{
	struct ring *r = aligned_alloc(CACHE_LINE_BYTES, sizeof(*r));
	uint32_t n = 1;

	if (!r)
		return NULL;
	assert(n_records <= RING_RECORDS_MAX);
	while (n < n_records)
		n *= 2;
	*r = (struct ring){ .mask = n - 1 };
	/* Not cleared: pages are touched when they are used first. */
	r->v = malloc(n * sizeof(*r->v));
	if (!r->v) {
		free(r);
		return NULL;
	}
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	free(r->v);
	free(r->decisions);
	free(r->witnesses);
	free(r);
}

int ring_keep_details(struct ring *r)
{
	if (!r->decisions)
		r->decisions = malloc((r->mask + 1U) * sizeof(*r->decisions));
	if (!r->witnesses)
		r->witnesses = malloc((r->mask + 1U) * sizeof(*r->witnesses));
	return r->decisions && r->witnesses ? 0 : -ENOMEM;
}

void ring_take_repeats(struct ring *r)
{
	r->takes_repeats = true;
}

bool ring_takes_repeats(const struct ring *r)
{
	return r->takes_repeats;
}

bool ring_wants_details(const struct ring *r)
{
	return r->decisions != NULL;
}

struct record_decisions *ring_decisions(struct ring *r)
{
	uint32_t at = atomic_load_explicit(&r->committed, memory_order_relaxed);

	return r->decisions ? &r->decisions[at & r->mask] : NULL;
}

struct witness *ring_witness(struct ring *r)
{
	uint32_t at = atomic_load_explicit(&r->committed, memory_order_relaxed);

	return r->witnesses ? &r->witnesses[at & r->mask] : NULL;
}

struct record *ring_begin(struct ring *r)
{
	uint32_t at = atomic_load_explicit(&r->committed, memory_order_relaxed);

	if (at - r->released_seen > r->mask) {
		r->released_seen = atomic_load_explicit(&r->released, memory_order_acquire);
		if (at - r->released_seen > r->mask)
			return NULL;
	}
	return &r->v[at & r->mask];
}

void ring_commit(struct ring *r)
{
	uint32_t at = atomic_load_explicit(&r->committed, memory_order_relaxed);

	atomic_store_explicit(&r->committed, at + 1, memory_order_release);
}

struct record *ring_peek(struct ring *r)
{
	uint32_t at = atomic_load_explicit(&r->released, memory_order_relaxed);

	if (at == r->committed_seen) {
		r->committed_seen = atomic_load_explicit(&r->committed, memory_order_acquire);
		if (at == r->committed_seen)
			return NULL;
	}
	return &r->v[at & r->mask];
}

void ring_release(struct ring *r)
{
	uint32_t at = atomic_load_explicit(&r->released, memory_order_relaxed);

	atomic_store_explicit(&r->released, at + 1, memory_order_release);
}
