/*
 * counters: the histogram, the sums, the names. Nothing here allocates, and nothing takes a lock.
 */
#include "observe/counters.h"

#include <math.h>

#define SUB_BITS 3
_Static_assert(HISTOGRAM_SUB == 1 << SUB_BITS, "the bucket is found by shifting");

static uint64_t load(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

/* Values below HISTOGRAM_SUB have a bucket each; above, the three bits after the leading one choose. */
static unsigned bucket_of(uint64_t v)
{
	unsigned exponent;
	unsigned bucket;

	if (v < HISTOGRAM_SUB)
		return (unsigned)v;
	exponent = 63u - (unsigned)__builtin_clzll(v);
	bucket = (exponent - SUB_BITS + 1) * HISTOGRAM_SUB + ((unsigned)(v >> (exponent - SUB_BITS)) & (HISTOGRAM_SUB - 1));
	return MIN(bucket, HISTOGRAM_BUCKETS - 1u);
}

/* The greatest value of a bucket (but the last one, which is open). */
static uint64_t bucket_top(unsigned bucket)
{
	unsigned shift;

	if (bucket < HISTOGRAM_SUB)
		return bucket;
	shift = bucket / HISTOGRAM_SUB - 1;
	return ((UINT64_C(1) + HISTOGRAM_SUB + bucket % HISTOGRAM_SUB) << shift) - 1;
}

void histogram_add(struct histogram *h, int64_t ns)
{
	uint64_t v = (uint64_t)ns;

	if (ns < 0) {
		counter_bump(&h->negatives, 1);
		return;
	}
	counter_bump(&h->v[bucket_of(v)], 1);
	counter_bump(&h->n, 1);
	counter_bump(&h->sum_ns, v);
	if (v > load(&h->max_ns))
		atomic_store_explicit(&h->max_ns, v, memory_order_relaxed);
}

int64_t histogram_quantile(const struct histogram *h, double q)
{
	uint64_t max_ns = load(&h->max_ns);
	uint64_t total = 0;
	uint64_t seen = 0;
	uint64_t rank;

	/* Not h->n: another thread may be between its two increments. */
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += load(&h->v[i]);
	if (total == 0)
		return 0;
	rank = (uint64_t)ceil(MIN(MAX(q, 0.0), 1.0) * (double)total);
	rank = MIN(MAX(rank, 1u), total);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		seen += load(&h->v[i]);
		if (seen >= rank)
			return (int64_t)MIN(bucket_top(i), max_ns);
	}
	return (int64_t)max_ns;
}

static void sum_array(_Atomic uint64_t *sum, const _Atomic uint64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		counter_bump(&sum[i], load(&from[i]));
}

static void sum_histogram(struct histogram *sum, const struct histogram *from)
{
	sum_array(sum->v, from->v, HISTOGRAM_BUCKETS);
	counter_bump(&sum->n, load(&from->n));
	counter_bump(&sum->sum_ns, load(&from->sum_ns));
	counter_bump(&sum->negatives, load(&from->negatives));
	atomic_store_explicit(&sum->max_ns, MAX(load(&sum->max_ns), load(&from->max_ns)), memory_order_relaxed);
}

uint64_t counters_faults(const struct counters *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < FAULT_KIND_COUNT; i++)
		n += load(&c->faults[i]);
	return n;
}

void counters_sum(struct counters *sum, const struct counters *from)
{
	sum_array(sum->v, from->v, COUNTER_COUNT);
	sum_array(sum->faults, from->faults, FAULT_KIND_COUNT);
	sum_array(sum->rejects, from->rejects, COUNTERS_REJECTS_MAX);
	sum_array(sum->failures, from->failures, PROXY_ERROR_COUNT);
	sum_array(sum->violations, from->violations, STATUS_VIOLATION_COUNT);
	sum_array(sum->closes, from->closes, CLOSE_REASON_COUNT);
	gauge_add(&sum->active, atomic_load_explicit(&from->active, memory_order_relaxed));
	gauge_add(&sum->held, atomic_load_explicit(&from->held, memory_order_relaxed));
	sum_histogram(&sum->delay_error, &from->delay_error);
}

const char *counter_name(enum counter id)
{
	static const char *const names[COUNTER_COUNT] = {
#define COUNTER(id, name, help) [COUNTER_##id] = name,
#include "observe/counters.def"
#undef COUNTER
	};

	return names[id];
}

const char *counter_help(enum counter id)
{
	static const char *const texts[COUNTER_COUNT] = {
#define COUNTER(id, name, help) [COUNTER_##id] = help,
#include "observe/counters.def"
#undef COUNTER
	};

	return texts[id];
}

const char *close_reason_name(enum close_reason r)
{
	static const char *const names[CLOSE_REASON_COUNT] = {
		[CLOSE_NONE] = "",
#define CLOSE(id, name, text) [CLOSE_##id] = name,
#include "observe/close.def"
#undef CLOSE
	};

	return names[r];
}

const char *close_reason_text(enum close_reason r)
{
	static const char *const texts[CLOSE_REASON_COUNT] = {
		[CLOSE_NONE] = "",
#define CLOSE(id, name, text) [CLOSE_##id] = text,
#include "observe/close.def"
#undef CLOSE
	};

	return texts[r];
}
