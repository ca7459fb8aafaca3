/*
 * histogram: which bucket a sample goes to, and back. The number of a sample's bucket is the number of its step, three bits
 * behind the leading one, plus the number of bounds below the sample: so a bound parts the step that it lies in. (A step that
 * ends at a bound leaves the number behind it unused.)
 */
#include "observe/histogram.h"

#include <math.h>

#include "observe/counters.h"

#define SUB_BITS 3
_Static_assert(HISTOGRAM_SUB == 1 << SUB_BITS, "the step is found by shifting");

static const uint64_t bounds_ns[HISTOGRAM_BOUNDS_N + 1] = {
#define BOUND(x, ns, text) UINT64_C(ns),
	HISTOGRAM_BOUNDS(BOUND, 0)
#undef BOUND
	UINT64_MAX, /* so that there is always a next one */
};

/* By the number of leading zeros of a value: how many bounds are below the power of two that it begins with. */
#define IS_BELOW(zeros, ns, text) +(UINT64_C(ns) < UINT64_C(1) << (63 - (zeros)))
#define BELOW(zeros) HISTOGRAM_BOUNDS(IS_BELOW, zeros),
#define BELOW_4(z) BELOW(z) BELOW((z) + 1) BELOW((z) + 2) BELOW((z) + 3)
#define BELOW_16(z) BELOW_4(z) BELOW_4((z) + 4) BELOW_4((z) + 8) BELOW_4((z) + 12)
static const uint8_t bounds_below[64] = { BELOW_16(0) BELOW_16(16) BELOW_16(32) BELOW_16(48) };

/* Values below HISTOGRAM_SUB have a step each; above, the three bits after the leading one choose. */
static inline unsigned bucket_of(uint64_t v)
{
	unsigned zeros = (unsigned)__builtin_clzll(v | HISTOGRAM_SUB);
	unsigned shift = 63 - SUB_BITS - zeros;
	unsigned below = bounds_below[zeros];

	return shift * HISTOGRAM_SUB + (unsigned)(v >> shift) + below + (v > bounds_ns[below]);
}

/* The greatest value of a step. */
static uint64_t step_top(unsigned step)
{
	unsigned shift;

	if (step < HISTOGRAM_SUB)
		return step;
	shift = step / HISTOGRAM_SUB - 1;
	return ((UINT64_C(1) + HISTOGRAM_SUB + step % HISTOGRAM_SUB) << shift) - 1;
}

/* The greatest value of a bucket that can be in use. */
static uint64_t bucket_top(unsigned bucket)
{
	for (unsigned below = 0; below <= MIN(bucket, (unsigned)HISTOGRAM_BOUNDS_N); below++) {
		uint64_t top = MIN(step_top(bucket - below), bounds_ns[below]);

		if (bucket_of(top) == bucket)
			return top;
	}
	return UINT64_MAX;
}

void histogram_add(struct histogram *h, int64_t ns)
{
	uint64_t v = (uint64_t)ns;

	if (ns < 0) {
		counter_bump(&h->negatives, 1);
		return;
	}
	counter_bump(&h->v[bucket_of(v)], 1);
	counter_bump(&h->sum_ns, v);
	if (v > counter_load(&h->max_ns))
		atomic_store_explicit(&h->max_ns, v, memory_order_relaxed);
}

uint64_t histogram_count(const struct histogram *h)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += counter_load(&h->v[i]);
	return n;
}

int64_t histogram_quantile(const struct histogram *h, double q)
{
	uint64_t max_ns = counter_load(&h->max_ns);
	uint64_t total = histogram_count(h);
	uint64_t seen = 0;
	uint64_t rank;

	if (total == 0)
		return 0;
	rank = (uint64_t)ceil(MIN(MAX(q, 0.0), 1.0) * (double)total);
	rank = MIN(MAX(rank, 1u), total);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += counter_load(&h->v[i]);
		if (seen >= rank)
			return (int64_t)MIN(bucket_top(i), max_ns);
	}
	return (int64_t)max_ns;
}

uint64_t histogram_at_most(const struct histogram *h, uint64_t counts[HISTOGRAM_BOUNDS_N])
{
	uint64_t seen = 0;
	unsigned i = 0;

	for (unsigned bound = 0; bound < HISTOGRAM_BOUNDS_N; bound++) {
		for (; i <= bucket_of(bounds_ns[bound]); i++)
			seen += counter_load(&h->v[i]);
		counts[bound] = seen;
	}
	for (; i < HISTOGRAM_BUCKETS; i++)
		seen += counter_load(&h->v[i]);
	return seen;
}

const char *histogram_bound_text(unsigned bound)
{
	static const char *const texts[HISTOGRAM_BOUNDS_N] = {
#define BOUND(x, ns, text) text,
		HISTOGRAM_BOUNDS(BOUND, 0)
#undef BOUND
	};

	return texts[bound];
}

void histogram_sum(struct histogram *sum, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		counter_bump(&sum->v[i], counter_load(&from->v[i]));
	counter_bump(&sum->sum_ns, counter_load(&from->sum_ns));
	counter_bump(&sum->negatives, counter_load(&from->negatives));
	atomic_store_explicit(&sum->max_ns, MAX(counter_load(&sum->max_ns), counter_load(&from->max_ns)), memory_order_relaxed);
}
