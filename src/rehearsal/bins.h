/*
 * bins: what happened in each stretch of the run, from its beginning to its end, in a fixed number of bins: where the run
 * outgrows them two become one, and each is twice as wide. Plain bytes: copied by assignment.
 */
#ifndef BROWNOUT_REHEARSAL_BINS_H
#define BROWNOUT_REHEARSAL_BINS_H

#include "base/base.h"

#define BINS_MAX 8192
#define BINS_WIDTH_NS (100 * NS_PER_MS) /* of each at first: enough for 13 minutes */

enum bin_count {
	BIN_ARRIVALS,
	BIN_FIRSTS, /* first attempts */
	BIN_RETRIES,
	BIN_OK, /* by the time of the arrival, as all of them */
	BIN_FAILED,
	BIN_FAULTED,
	BIN_COUNTS
};

struct bin {
	uint32_t v[BIN_COUNTS];
	uint32_t connections; /* the most that were open at a time, as far as is known */
};

struct bins {
	int64_t origin_ns; /* where bin 0 begins */
	int64_t width_ns; /* 0: nothing was added yet */
	uint32_t n; /* in use */
	uint32_t last; /* that was added to last, which mostly is the next one as well ... */
	int64_t last_ns; /* ... where it begins */
	struct bin v[BINS_MAX];
};

/* The bin of this time, which may be before all others as well; a pointer to it holds until the next one is asked for. */
struct bin *bins_find(struct bins *b, int64_t at_ns);

/* The same; mostly that is the one that was asked for last. */
static inline struct bin *bins_of(struct bins *b, int64_t at_ns)
{
	if (b->last < b->n && (uint64_t)(at_ns - b->last_ns) < (uint64_t)b->width_ns)
		return &b->v[b->last];
	return bins_find(b, at_ns);
}

/* Adds n to what happened at this time. */
static inline void bins_add(struct bins *b, int64_t at_ns, enum bin_count count, uint32_t n)
{
	bins_of(b, at_ns)->v[count] += n;
}

/* The bin of a time, held within those that there are; 0 where there is none. */
uint32_t bins_at(const struct bins *b, int64_t at_ns);
int64_t bins_start_ns(const struct bins *b, uint32_t i);
/* Sum over the bins [from, to). */
uint64_t bins_sum(const struct bins *b, enum bin_count count, uint32_t from, uint32_t to);
/* The most connections at a time in the bins [from, to). */
uint32_t bins_connections(const struct bins *b, uint32_t from, uint32_t to);
/* How many bins make up this time, at least 1. */
uint32_t bins_of_ns(const struct bins *b, int64_t ns);

#endif
