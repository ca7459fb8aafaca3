/*
 * distribution: quantile functions. What can be said in integers is (fixed, uniform, percentiles, samples); the others
 * go through the C library's erfc, exp and pow. No state.
 */
#include "core/distribution.h"

#include <math.h>

#include "core/random.h"

#define TWO_TO_64 18446744073709551616.0
/* The standard normal quantile at 0.99. */
#define NORMAL_P99 2.3263478740408408

/* The middle of the interval of 2^-64 that the word stands for: never 0, and exact where it is small. */
static double fraction(uint64_t word)
{
	return ((double)word + 0.5) / TWO_TO_64;
}

/*
 * The standard normal quantile. By symmetry only the upper tail is solved: Q(x) = q for q <= 1/2, where erfc keeps its
 * relative precision however far out. Halley's steps (the derivatives of Q are -f and x f, f being the density) from the
 * first terms of the asymptotic expansion; each triples the digits, and four are enough from 1/2 down to 2^-65.
 */
static double normal_quantile(uint64_t word)
{
	bool upper = word >> 63;
	double q = fraction(upper ? ~word : word);
	double t = sqrt(-2 * log(q));
	double x = t - log(t * sqrt(2 * M_PI)) / t;

	for (unsigned step = 0; step < 4; step++) {
		double density = exp(-x * x / 2) / sqrt(2 * M_PI);
		double e = (erfc(x / M_SQRT2) / 2 - q) / density;

		x += e / (1 - x * e / 2);
	}
	return upper ? x : -x;
}

static double lognormal_quantile(const struct fault_delay *d, uint64_t word)
{
	double sigma = d->b_ns > d->a_ns && d->a_ns > 0 ? log((double)d->b_ns / (double)d->a_ns) / NORMAL_P99 : 0;

	return (double)d->a_ns * exp(sigma * normal_quantile(word));
}

/* To whole nanoseconds; what is too large, or no number, is the maximum. */
static int64_t from_double(double ns)
{
	if (!(ns < (double)DISTRIBUTION_MAX_NS))
		return DISTRIBUTION_MAX_NS;
	return ns > 0 ? (int64_t)(ns + 0.5) : 0;
}

/* Linear between the points, from the minimum at quantile 0; level after the last point. */
static int64_t percentiles_quantile(const struct fault_delay *d, uint64_t word)
{
	struct delay_point below = { 0, d->min_ns };

	for (unsigned i = 0; i < d->n_points; i++) {
		const struct delay_point *above = &d->points[i];
		uint64_t width = above->quantile - below.quantile;

		if (word >> 32 < above->quantile) {
			/* Both factors are positive, below 2^63 and 2^64, and the quotient is below the first. */
			uint64_t rise = (uint64_t)(above->ns - below.ns);
			uint64_t run = word - (below.quantile << 32);

			return below.ns + (int64_t)(((__extension__ (unsigned __int128)rise) * run / width) >> 32);
		}
		below = *above;
	}
	return below.ns;
}

static int64_t quantile(const struct fault_delay *d, uint64_t word)
{
	switch (d->kind) {
	case DELAY_NONE:
		return 0;
	case DELAY_FIXED:
		return d->a_ns;
	case DELAY_UNIFORM:
		return random_between(word, d->a_ns, d->b_ns);
	case DELAY_NORMAL:
		return from_double((double)d->a_ns + (double)d->b_ns * normal_quantile(word));
	case DELAY_LOGNORMAL:
		return from_double(lognormal_quantile(d, word));
	case DELAY_PARETO:
		return from_double((double)d->a_ns * pow(fraction(~word), -1 / d->shape));
	case DELAY_PERCENTILES:
		return percentiles_quantile(d, word);
	case DELAY_SAMPLES:
		return d->n_points ? d->points[random_between(word, 0, (int64_t)d->n_points - 1)].ns : 0;
	}
	return 0;
}

int64_t distribution_draw(const struct fault_delay *d, uint64_t word)
{
	int64_t ns = quantile(d, word);

	if (d->max_ns)
		ns = MIN(ns, d->max_ns);
	ns = MAX(ns, d->min_ns);
	return MIN(MAX(ns, 0), DISTRIBUTION_MAX_NS);
}
