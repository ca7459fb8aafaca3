/*
 * counters: plain numbers of one worker, written by its thread alone and read by others at any time. Relaxed loads and
 * stores: adding costs what an ordinary increment costs, and no count is ever lost.
 */
#ifndef BROWNOUT_OBSERVE_COUNTERS_H
#define BROWNOUT_OBSERVE_COUNTERS_H

#include "core/fault_set.h"
#include "core/proxy_error.h"
#include "core/status.h"
#include "observe/histogram.h"

enum counter {
#define COUNTER(id, name, help) COUNTER_##id,
#include "observe/counters.def"
#undef COUNTER
	COUNTER_COUNT
};

enum close_reason {
	CLOSE_NONE,
#define CLOSE(id, name, text) CLOSE_##id,
#include "observe/close.def"
#undef CLOSE
	CLOSE_REASON_COUNT
};

#define COUNTERS_REJECTS_MAX 64 /* rows of http/errors.def */

struct counters {
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t v[COUNTER_COUNT];
	_Atomic uint64_t faults[FAULT_KIND_COUNT]; /* that acted, by kind */
	_Atomic uint64_t rejects[COUNTERS_REJECTS_MAX]; /* by http error */
	_Atomic uint64_t failures[PROXY_ERROR_COUNT]; /* of the upstream, by type */
	_Atomic uint64_t violations[STATUS_VIOLATION_COUNT];
	_Atomic uint64_t closes[CLOSE_REASON_COUNT];
	_Atomic int64_t active; /* exchanges open now */
	_Atomic int64_t held; /* exchanges waiting for a delay now */
	_Atomic int64_t clients; /* connections of clients open now */
	_Atomic int64_t upstream_open; /* connections to upstreams open now ... */
	_Atomic int64_t upstream_idle; /* ... of these, kept for a next request */
	struct histogram request_time; /* first byte of a request to the end of its answer; tunnels are not in it */
	struct histogram upstream_time; /* request handed to the upstream's socket to its answer's head */
	struct histogram delay; /* intended, of the delays that were waited for to their end ... */
	struct histogram delay_error; /* ... and actual minus intended */
};

static inline uint64_t counter_load(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

/* Only the owning thread may add. */
static inline void counter_bump(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, counter_load(c) + n, memory_order_relaxed);
}

static inline void counter_add(struct counters *c, enum counter id, uint64_t n)
{
	counter_bump(&c->v[id], n);
}

static inline void gauge_add(_Atomic int64_t *g, int64_t n)
{
	atomic_store_explicit(g, atomic_load_explicit(g, memory_order_relaxed) + n, memory_order_relaxed);
}

/* Faults of all kinds that acted. */
uint64_t counters_faults(const struct counters *c);

/* sum += from, for totals over the workers. `sum` belongs to the caller alone. */
void counters_sum(struct counters *sum, const struct counters *from);

const char *counter_name(enum counter id);
const char *close_reason_name(enum close_reason r);
const char *close_reason_text(enum close_reason r);

#endif
