/*
 * Durations against the quantiles of their distributions: at words whose fraction is known, and as a whole by the
 * Kolmogorov-Smirnov distance of a sample from a fixed seed.
 */
#include "core/distribution.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "core/random.h"

#define N 20000
/* The 99.9 % quantile of the distance for a sample of N. */
#define KS_BOUND (1.95 / sqrt(N))

/* The word whose fraction is p. */
static uint64_t word_of(double p)
{
	return (uint64_t)(p * 18446744073709551616.0);
}

static int64_t draw_at(const struct fault_delay *d, double p)
{
	return distribution_draw(d, word_of(p));
}

static void assert_near(int64_t seen, double expected, double relative)
{
	cr_assert_float_eq((double)seen, expected, expected * relative + 1, "%ld, not %.1f", seen, expected);
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The largest distance between the shares of the sample and those of the distribution. */
static double ks_distance(const struct fault_delay *d, double (*cdf)(const struct fault_delay *d, double ns))
{
	static int64_t v[N];
	double distance = 0;

	for (uint64_t i = 0; i < N; i++)
		v[i] = distribution_draw(d, random_word(42, 1, 2, i, 1));
	qsort(v, N, sizeof(v[0]), compare);
	for (unsigned i = 0; i < N; i++) {
		double at = cdf(d, (double)v[i]);

		distance = fmax(distance, fmax(fabs(at - (double)i / N), fabs(at - (double)(i + 1) / N)));
	}
	return distance;
}

/* ---- quantiles ----------------------------------------------------------------------------------------------------- */

Test(distribution, fixed_and_none)
{
	struct fault_delay d = { .kind = DELAY_FIXED, .a_ns = 250 * NS_PER_MS };
	struct fault_delay none = { .kind = DELAY_NONE, .a_ns = 5 };

	cr_assert_eq(distribution_draw(&d, 0), 250 * NS_PER_MS);
	cr_assert_eq(distribution_draw(&d, UINT64_MAX), 250 * NS_PER_MS);
	cr_assert_eq(distribution_draw(&none, 7), 0);
}

Test(distribution, uniform_has_both_ends)
{
	struct fault_delay d = { .kind = DELAY_UNIFORM, .a_ns = 100, .b_ns = 300 };

	cr_assert_eq(distribution_draw(&d, 0), 100);
	cr_assert_eq(distribution_draw(&d, UINT64_MAX), 300);
	cr_assert_eq(draw_at(&d, 0.5), 200);
}

Test(distribution, normal_quantiles)
{
	static const struct {
		double p;
		double z; /* from tables to twelve digits */
	} table[] = {
		{ 0.5, 0 },
		{ 0.6, 0.253347103136 },
		{ 0.75, 0.674489750196 },
		{ 0.9, 1.281551565545 },
		{ 0.975, 1.959963984540 },
		{ 0.99, 2.326347874041 },
		{ 0.999, 3.090232306168 },
		{ 0.999999, 4.753424308823 },
	};
	/* A deviation so large that a nanosecond is the eleventh digit. */
	const struct fault_delay d = { .kind = DELAY_NORMAL, .a_ns = 10000 * NS_PER_S, .b_ns = 1000 * NS_PER_S };

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		double above = (10000 + 1000 * table[i].z) * 1e9, below = (10000 - 1000 * table[i].z) * 1e9;

		assert_near(draw_at(&d, table[i].p), above, 1e-11);
		assert_near(draw_at(&d, 1 - table[i].p), below, 1e-10);
	}
}

Test(distribution, normal_tails_are_symmetric_and_finite)
{
	const struct fault_delay d = { .kind = DELAY_NORMAL, .a_ns = 10000 * NS_PER_S, .b_ns = 1000 * NS_PER_S };
	int64_t low = distribution_draw(&d, 0), high = distribution_draw(&d, UINT64_MAX);

	/* 2^-65 lies 9.155 deviations out. */
	cr_assert_float_eq((double)high / 1e9, 10000 + 1000 * 9.1548, 1);
	assert_near(high - d.a_ns, (double)(d.a_ns - low), 1e-12);
	for (unsigned bits = 0; bits < 64; bits++) {
		uint64_t word = UINT64_MAX >> bits;

		cr_assert_leq(distribution_draw(&d, word >> 1), distribution_draw(&d, word), "%u", bits);
	}
}

Test(distribution, normal_never_goes_below_zero)
{
	const struct fault_delay d = { .kind = DELAY_NORMAL, .a_ns = 100, .b_ns = 1000 };

	cr_assert_eq(draw_at(&d, 0.1), 0);
	cr_assert_eq(distribution_draw(&d, 0), 0);
	cr_assert_gt(draw_at(&d, 0.9), 0);
}

Test(distribution, lognormal_is_told_by_median_and_p99)
{
	const struct fault_delay d = { .kind = DELAY_LOGNORMAL, .a_ns = 100 * NS_PER_MS, .b_ns = 2 * NS_PER_S };
	const struct fault_delay level = { .kind = DELAY_LOGNORMAL, .a_ns = 100, .b_ns = 100 };

	assert_near(draw_at(&d, 0.5), 1e8, 1e-9);
	assert_near(draw_at(&d, 0.99), 2e9, 1e-9);
	assert_near(draw_at(&d, 0.01), 5e6, 1e-9); /* 100 ms / 20 */
	cr_assert_eq(draw_at(&level, 0.999), 100);
}

Test(distribution, pareto_quantiles)
{
	const struct fault_delay d = { .kind = DELAY_PARETO, .a_ns = 50 * NS_PER_MS, .shape = 1.5 };

	assert_near(distribution_draw(&d, 0), 5e7, 1e-12);
	assert_near(draw_at(&d, 0.5), 5e7 * pow(2, 1 / 1.5), 1e-9);
	assert_near(draw_at(&d, 0.99), 5e7 * pow(100, 1 / 1.5), 1e-9);
}

Test(distribution, nothing_is_longer_than_the_maximum)
{
	static const struct fault_delay table[] = {
		{ .kind = DELAY_FIXED, .a_ns = INT64_MAX },
		{ .kind = DELAY_NORMAL, .a_ns = INT64_MAX, .b_ns = INT64_MAX },
		{ .kind = DELAY_LOGNORMAL, .a_ns = 1, .b_ns = INT64_MAX },
		{ .kind = DELAY_PARETO, .a_ns = NS_PER_S, .shape = 1e-9 },
		{ .kind = DELAY_PARETO, .a_ns = NS_PER_S, .shape = 0 },
		{ .kind = DELAY_FIXED, .min_ns = INT64_MAX },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++)
		cr_expect_eq(distribution_draw(&table[i], UINT64_MAX), DISTRIBUTION_MAX_NS, "row %u", i);
}

Test(distribution, min_and_max_hold)
{
	struct fault_delay d = { .kind = DELAY_UNIFORM, .a_ns = 0, .b_ns = 1000, .min_ns = 200, .max_ns = 700 };

	cr_assert_eq(draw_at(&d, 0.1), 200);
	cr_assert_eq(draw_at(&d, 0.5), 500);
	cr_assert_eq(draw_at(&d, 0.9), 700);
}

/* ---- percentiles and samples --------------------------------------------------------------------------------------- */

#define QUANTILE(percent) ((uint64_t)((percent) / 100.0 * 4294967296.0))

Test(distribution, percentiles_are_linear_between_points)
{
	struct delay_point points[] = {
		{ QUANTILE(50), 100 * NS_PER_MS },
		{ QUANTILE(75), 500 * NS_PER_MS },
		{ QUANTILE(100), 900 * NS_PER_MS },
	};
	struct fault_delay d = { .kind = DELAY_PERCENTILES, .points = points, .n_points = 3 };

	cr_assert_eq(distribution_draw(&d, 0), 0);
	cr_assert_eq(draw_at(&d, 0.25), 50 * NS_PER_MS);
	cr_assert_eq(draw_at(&d, 0.5), 100 * NS_PER_MS);
	cr_assert_eq(draw_at(&d, 0.625), 300 * NS_PER_MS);
	cr_assert_eq(draw_at(&d, 0.75), 500 * NS_PER_MS);
	cr_assert_eq(draw_at(&d, 0.875), 700 * NS_PER_MS);
	cr_assert_eq(distribution_draw(&d, UINT64_MAX), 900 * NS_PER_MS - 1);
	d.min_ns = 20 * NS_PER_MS;
	cr_assert_eq(draw_at(&d, 0.25), 60 * NS_PER_MS, "the minimum is where the first line begins");
	d.n_points = 2;
	cr_assert_eq(draw_at(&d, 0.99), 500 * NS_PER_MS, "level after the last point");
}

Test(distribution, percentiles_take_the_largest_values)
{
	struct delay_point points[] = { { QUANTILE(0), 5 }, { QUANTILE(50), 5 }, { QUANTILE(50), 9 },
		{ QUANTILE(100), INT64_MAX } };
	struct fault_delay d = { .kind = DELAY_PERCENTILES, .points = points, .n_points = 4 };

	cr_assert_eq(distribution_draw(&d, 0), 5);
	cr_assert_eq(draw_at(&d, 0.5), 9, "a step");
	cr_assert_eq(distribution_draw(&d, UINT64_MAX), DISTRIBUTION_MAX_NS);
}

Test(distribution, samples_are_equally_likely)
{
	struct delay_point points[] = { { 0, 10 }, { 0, 20 }, { 0, 30 }, { 0, 40 } };
	struct fault_delay d = { .kind = DELAY_SAMPLES, .points = points, .n_points = 4 };
	struct fault_delay none = { .kind = DELAY_SAMPLES };
	unsigned seen[4] = { 0 };
	double sum = 0;

	for (uint64_t i = 0; i < N; i++)
		seen[distribution_draw(&d, random_word(42, 0, 0, i, 1)) / 10 - 1]++;
	for (unsigned i = 0; i < 4; i++)
		sum += (seen[i] - N / 4.0) * (seen[i] - N / 4.0) / (N / 4.0);
	cr_assert_lt(sum, 21.1, "99.99 %% quantile of chi-square with 3 degrees of freedom");
	cr_assert_eq(distribution_draw(&none, 5), 0);
}

/* ---- shapes -------------------------------------------------------------------------------------------------------- */

static double normal_cdf(const struct fault_delay *d, double ns)
{
	return erfc(-(ns - (double)d->a_ns) / (double)d->b_ns / sqrt(2)) / 2;
}

static double lognormal_cdf(const struct fault_delay *d, double ns)
{
	return erfc(-log(ns / (double)d->a_ns) / log((double)d->b_ns / (double)d->a_ns) * 2.326347874041 / sqrt(2)) / 2;
}

static double pareto_cdf(const struct fault_delay *d, double ns)
{
	return 1 - pow((double)d->a_ns / ns, d->shape);
}

static double uniform_cdf(const struct fault_delay *d, double ns)
{
	return (ns - (double)d->a_ns) / (double)(d->b_ns - d->a_ns);
}

Test(distribution, samples_have_the_shape)
{
	static const struct {
		struct fault_delay delay;
		double (*cdf)(const struct fault_delay *d, double ns);
	} table[] = {
		{ { .kind = DELAY_UNIFORM, .a_ns = NS_PER_MS, .b_ns = NS_PER_S }, uniform_cdf },
		{ { .kind = DELAY_NORMAL, .a_ns = NS_PER_S, .b_ns = 100 * NS_PER_MS }, normal_cdf },
		{ { .kind = DELAY_LOGNORMAL, .a_ns = 100 * NS_PER_MS, .b_ns = 2 * NS_PER_S }, lognormal_cdf },
		{ { .kind = DELAY_PARETO, .a_ns = 100 * NS_PER_MS, .shape = 2 }, pareto_cdf },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		double distance = ks_distance(&table[i].delay, table[i].cdf);

		cr_expect_lt(distance, KS_BOUND, "row %u: %f", i, distance);
	}
}

static double wide_cdf(const struct fault_delay *d, double ns)
{
	return erfc(-(ns - (double)d->a_ns) / (1.1 * (double)d->b_ns) / sqrt(2)) / 2;
}

/* The bound above must be able to fail: a deviation a tenth too large is seen. */
Test(distribution, another_shape_is_told_apart)
{
	const struct fault_delay d = { .kind = DELAY_NORMAL, .a_ns = NS_PER_S, .b_ns = 100 * NS_PER_MS };

	cr_assert_gt(ks_distance(&d, wide_cdf), KS_BOUND);
}
