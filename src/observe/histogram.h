/*
 * histogram: times of one worker by size, written by its thread alone and read by others at any time. Its buckets are fine
 * enough for a quantile to be within an eighth, and no bucket lies across one of the bounds of HISTOGRAM_BOUNDS: how many
 * samples are at most as large as one of these is known exactly.
 */
#ifndef BROWNOUT_OBSERVE_HISTOGRAM_H
#define BROWNOUT_OBSERVE_HISTOGRAM_H

#include <stdatomic.h>

#include "base/base.h"

/*
 * BOUND(x, nanoseconds, "the same in seconds, as metrics write it"), ascending, each at least twice the one before: so between a
 * power of two and the next there is one at most. x is handed through.
 */
#define HISTOGRAM_BOUNDS(BOUND, x) \
	BOUND(x, 10000, "1e-05") \
	BOUND(x, 25000, "2.5e-05") \
	BOUND(x, 50000, "5e-05") \
	BOUND(x, 100000, "0.0001") \
	BOUND(x, 250000, "0.00025") \
	BOUND(x, 500000, "0.0005") \
	BOUND(x, 1000000, "0.001") \
	BOUND(x, 2500000, "0.0025") \
	BOUND(x, 5000000, "0.005") \
	BOUND(x, 10000000, "0.01") \
	BOUND(x, 25000000, "0.025") \
	BOUND(x, 50000000, "0.05") \
	BOUND(x, 100000000, "0.1") \
	BOUND(x, 250000000, "0.25") \
	BOUND(x, 500000000, "0.5") \
	BOUND(x, 1000000000, "1.0") \
	BOUND(x, 2500000000, "2.5") \
	BOUND(x, 5000000000, "5.0") \
	BOUND(x, 10000000000, "10.0") \
	BOUND(x, 25000000000, "25.0") \
	BOUND(x, 50000000000, "50.0") \
	BOUND(x, 100000000000, "100.0")
#define HISTOGRAM_COUNT_BOUND(x, ns, text) +1
enum { HISTOGRAM_BOUNDS_N = 0 HISTOGRAM_BOUNDS(HISTOGRAM_COUNT_BOUND, 0) };
#undef HISTOGRAM_COUNT_BOUND

/* Steps of 1/8 of a power of two, from 0 to 2^63, and one more bucket for each bound. */
#define HISTOGRAM_SUB 8
#define HISTOGRAM_BUCKETS (61 * HISTOGRAM_SUB + HISTOGRAM_BOUNDS_N)
struct histogram {
	_Atomic uint64_t v[HISTOGRAM_BUCKETS];
	_Atomic uint64_t sum_ns;
	_Atomic uint64_t max_ns;
	_Atomic uint64_t negatives; /* samples below 0: counted here alone, in nothing else */
};

/* Only the owning thread may add. */
void histogram_add(struct histogram *h, int64_t ns);
uint64_t histogram_count(const struct histogram *h);
/* The greatest value of the bucket that holds quantile q (0 to 1), at most the greatest sample; 0 where there is none. */
int64_t histogram_quantile(const struct histogram *h, double q);
/* How many samples are at most as large as each bound, in their order. Returns how many there are in all. */
uint64_t histogram_at_most(const struct histogram *h, uint64_t counts[HISTOGRAM_BOUNDS_N]);
/* "0.25" */
const char *histogram_bound_text(unsigned bound);

/* sum += from. `sum` belongs to the caller alone. */
void histogram_sum(struct histogram *sum, const struct histogram *from);

#endif
