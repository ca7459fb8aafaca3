/*
 * contrast: what follows on a request that got a fault, against what follows on one that got none. Faults fall by lot, so the
 * difference is the client's answer to them; what comes either way (polling, other workers) is not. Kept for each kind of
 * request, and summed for the whole. Plain bytes: copied by assignment.
 */
#ifndef BROWNOUT_REHEARSAL_CONTRAST_H
#define BROWNOUT_REHEARSAL_CONTRAST_H

#include "base/base.h"

#define CONTRAST_BUCKETS 40 /* two for each doubling, from a millisecond on */
#define CONTRAST_PENDING 8 /* a power of two */
/* Without another request of the kind for so long, none has followed. */
#define CONTRAST_LONGEST_NS (64 * NS_PER_S)

struct contrast {
	struct {
		uint32_t n; /* requests whose follow-up, or lack of one, is known */
		uint32_t after[CONTRAST_BUCKETS]; /* so many were followed after so long */
	} side[2]; /* [1]: with a fault */
	/* Ended, and not followed yet: a queue, the one that ended first at `pending_at`. */
	uint32_t pending_at, n_pending;
	struct {
		int64_t end_ns;
		bool faulted;
	} pending[CONTRAST_PENDING];
};

/* A request of the kind arrived that is not known to be a retry. */
void contrast_arrival(struct contrast *c, int64_t first_ns);
/* A request ended, none before it later: well and without a fault, or by a fault. Others are not to be told. */
void contrast_ended(struct contrast *c, int64_t end_ns, bool faulted);

/*
 * From which wait on a request of this kind is no sign of a retry, since the like come by themselves so soon after one that went
 * well. INT64_MAX where nothing of the kind was seen.
 */
int64_t contrast_horizon_ns(const struct contrast *c);
/* True where what follows on faults comes in the same rhythm as what follows on successes: polling, without retries. */
bool contrast_is_rhythm(const struct contrast *c);

/* The sum over all kinds. */
struct contrast_sum {
	struct {
		uint64_t n;
		uint64_t after[CONTRAST_BUCKETS];
		uint64_t open[CONTRAST_BUCKETS]; /* had no follow-up when the run ended, so long after them */
	} side[2];
};
void contrast_add(struct contrast_sum *sum, const struct contrast *c, int64_t end_ns);

struct contrast_result {
	bool measured; /* there were enough of both sides */
	bool identifiable;
	uint64_t n_faulted, n_others;
	int64_t window_ns;
	double p_faulted, p_others, retries_per_fault, standard_error;
};
/* By the longest window in which at most half of the requests without a fault are followed by another. */
struct contrast_result contrast_estimate(const struct contrast_sum *sum);

#endif
