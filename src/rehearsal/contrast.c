/*
 * contrast: histograms of the time to the next request of the same kind, on a logarithmic scale.
 */
#include "rehearsal/contrast.h"

#include <math.h>

#define SIDE_MIN 5 /* fewer requests without a fault say nothing about what comes by itself */
#define ESTIMATE_MIN 20
#define LEFT_MIN 5
#define SHARE_BY_ITSELF 20 /* one of so many suffices */
#define OTHERS_MAX 0.5 /* share that may be followed anyway, for a window to be used ... */
#define OTHERS_HOPELESS 0.8 /* ... and in the shortest one, for a retry to be told at all */

static unsigned bucket_of(int64_t ns)
{
	int b = ns <= NS_PER_MS ? 0 : (int)floor(2 * log2((double)ns / (double)NS_PER_MS));

	return (unsigned)MIN(MAX(b, 0), CONTRAST_BUCKETS - 1);
}

/* Where a bucket begins: the first one with nothing. */
static int64_t bucket_start_ns(unsigned b)
{
	return b == 0 ? 0 : (int64_t)(exp2((double)b / 2) * (double)NS_PER_MS);
}

static unsigned pending_place(const struct contrast *c, unsigned i)
{
	return (c->pending_at + i) % CONTRAST_PENDING;
}

static void drop_first(struct contrast *c)
{
	c->pending_at = pending_place(c, 1);
	c->n_pending--;
}

void contrast_arrival(struct contrast *c, int64_t first_ns)
{
	while (c->n_pending && c->pending[c->pending_at].end_ns <= first_ns) {
		int64_t after_ns = first_ns - c->pending[c->pending_at].end_ns;
		bool faulted = c->pending[c->pending_at].faulted;

		c->side[faulted].n++;
		if (after_ns < CONTRAST_LONGEST_NS)
			c->side[faulted].after[bucket_of(after_ns)]++;
		drop_first(c);
	}
}

void contrast_ended(struct contrast *c, int64_t end_ns, bool faulted)
{
	unsigned at;

	if (c->n_pending == CONTRAST_PENDING)
		drop_first(c); /* too many at a time: a part of them is sample enough */
	at = pending_place(c, c->n_pending++);
	c->pending[at].end_ns = end_ns;
	c->pending[at].faulted = faulted;
}

int64_t contrast_horizon_ns(const struct contrast *c)
{
	uint64_t seen = 0;

	if (c->side[0].n < SIDE_MIN)
		return INT64_MAX;
	for (unsigned b = 0; b < CONTRAST_BUCKETS; b++) {
		seen += c->side[0].after[b];
		if (seen && seen * SHARE_BY_ITSELF >= c->side[0].n)
			return bucket_start_ns(b);
	}
	return INT64_MAX;
}

static unsigned median_bucket(const uint32_t *after, uint32_t n)
{
	uint64_t seen = 0;

	for (unsigned b = 0; b < CONTRAST_BUCKETS; b++) {
		seen += after[b];
		if (seen * 2 >= n)
			return b;
	}
	return CONTRAST_BUCKETS;
}

bool contrast_is_rhythm(const struct contrast *c)
{
	unsigned others = median_bucket(c->side[0].after, c->side[0].n);
	unsigned faulted = median_bucket(c->side[1].after, c->side[1].n);

	if (c->side[0].n < SIDE_MIN || others == CONTRAST_BUCKETS)
		return false;
	return faulted + 1 >= others && faulted <= others + 1;
}

void contrast_add(struct contrast_sum *sum, const struct contrast *c, int64_t end_ns)
{
	for (unsigned side = 0; side < 2; side++) {
		sum->side[side].n += c->side[side].n;
		for (unsigned b = 0; b < CONTRAST_BUCKETS; b++)
			sum->side[side].after[b] += c->side[side].after[b];
	}
	for (unsigned i = 0; i < c->n_pending; i++) {
		unsigned at = pending_place(c, i);

		sum->side[c->pending[at].faulted].open[bucket_of(end_ns - c->pending[at].end_ns)]++;
	}
}

/*
 * Share of a side that is followed within the first `buckets`, by Kaplan and Meier: whose run ended before it was followed counts
 * for as long as it was seen. *left: how many were seen for so long without one.
 */
static double share_followed(const struct contrast_sum *sum, unsigned side, unsigned buckets, uint64_t *left)
{
	double without = 1;

	*left = sum->side[side].n;
	for (unsigned b = 0; b < CONTRAST_BUCKETS; b++)
		*left += sum->side[side].open[b];
	for (unsigned b = 0; b < buckets && *left; b++) {
		without *= 1 - (double)sum->side[side].after[b] / (double)*left;
		*left -= sum->side[side].after[b] + sum->side[side].open[b];
	}
	return 1 - without;
}

struct contrast_result contrast_estimate(const struct contrast_sum *sum)
{
	struct contrast_result r = { 0 };
	uint64_t left0, left1;

	(void)share_followed(sum, 0, 0, &r.n_others);
	(void)share_followed(sum, 1, 0, &r.n_faulted);
	r.identifiable = share_followed(sum, 0, 1, &left0) <= OTHERS_HOPELESS;
	r.measured = r.n_others >= ESTIMATE_MIN && r.n_faulted >= ESTIMATE_MIN;
	for (unsigned buckets = 1; r.measured && buckets <= CONTRAST_BUCKETS; buckets++) {
		double p0 = share_followed(sum, 0, buckets, &left0), p1 = share_followed(sum, 1, buckets, &left1);

		if (buckets > 1 && p0 > OTHERS_MAX)
			break;
		r.window_ns = bucket_start_ns(buckets);
		r.p_others = p0;
		r.p_faulted = p1;
		if (left0 < LEFT_MIN || left1 < LEFT_MIN)
			break; /* too few are left to say more */
	}
	if (!r.measured || r.p_others >= 1)
		return r;
	r.retries_per_fault = (r.p_faulted - r.p_others) / (1 - r.p_others);
	r.standard_error = sqrt(r.p_faulted * (1 - r.p_faulted) / (double)r.n_faulted +
				r.p_others * (1 - r.p_others) / (double)r.n_others) / (1 - r.p_others);
	return r;
}
