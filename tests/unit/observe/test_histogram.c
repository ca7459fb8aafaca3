/*
 * histogram: counts at each bound are exact, quantiles are close, and sums lose nothing.
 */
#include "observe/histogram.h"

#include <stdlib.h>

#include <criterion/criterion.h>

static const int64_t bounds[] = {
#define BOUND(x, ns, text) INT64_C(ns),
	HISTOGRAM_BOUNDS(BOUND, 0)
#undef BOUND
};

Test(histogram, bounds_ascend_and_say_what_they_are)
{
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS_N; i++) {
		cr_expect_float_eq(strtod(histogram_bound_text(i), NULL), (double)bounds[i] / 1e9, 1e-15, "%s",
			histogram_bound_text(i));
		if (i)
			cr_expect_geq(bounds[i], 2 * bounds[i - 1], "two bounds between a power of two and the next");
	}
}

/* A sample counts for each bound that it does not exceed, to the nanosecond. */
static void expect_exact(int64_t v)
{
	static struct histogram h;
	uint64_t counts[HISTOGRAM_BOUNDS_N];

	memset(&h, 0, sizeof(h));
	histogram_add(&h, v);
	cr_assert_eq(histogram_at_most(&h, counts), 1);
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS_N; i++)
		cr_assert_eq(counts[i], v <= bounds[i], "%ld is %sat most %ld", v, counts[i] ? "" : "not ", bounds[i]);
}

Test(histogram, is_exact_at_its_bounds)
{
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS_N; i++) {
		for (int64_t d = -2; d <= 2; d++)
			expect_exact(bounds[i] + d);
	}
}

Test(histogram, is_exact_at_each_power_of_two_and_its_eighths)
{
	expect_exact(0);
	expect_exact(INT64_MAX);
	for (unsigned e = 3; e < 62; e++) {
		for (unsigned k = 0; k < HISTOGRAM_SUB; k++) {
			int64_t v = (INT64_C(1) << e) + ((INT64_C(1) << (e - 3)) * k);

			expect_exact(v - 1);
			expect_exact(v);
			expect_exact(v + 1);
		}
	}
}

Test(histogram, sums_lose_nothing)
{
	static struct histogram a, b, sum;
	uint64_t counts[HISTOGRAM_BOUNDS_N];

	for (unsigned i = 0; i < HISTOGRAM_BOUNDS_N; i++) {
		histogram_add(&a, bounds[i]);
		histogram_add(&b, bounds[i] + 1);
	}
	histogram_add(&b, -1);
	histogram_sum(&sum, &a);
	histogram_sum(&sum, &b);
	cr_expect_eq(histogram_at_most(&sum, counts), 2 * HISTOGRAM_BOUNDS_N);
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS_N; i++)
		cr_expect_eq(counts[i], 2 * i + 1);
	cr_expect_eq(histogram_count(&sum), 2 * HISTOGRAM_BOUNDS_N);
	cr_expect_eq(sum.sum_ns, a.sum_ns + b.sum_ns);
	cr_expect_eq(sum.max_ns, (uint64_t)bounds[HISTOGRAM_BOUNDS_N - 1] + 1);
	cr_expect_eq(sum.negatives, 1);
}

Test(histogram, is_exact_for_small_values_and_close_for_all)
{
	static const int64_t values[] = {
		0, 1, 7, 8, 9, 15, 16, 17, 100, 1023, 1024, 999999, 1000000, 123456789, INT64_C(1) << 40, INT64_C(1) << 45,
	};

	for (unsigned i = 0; i < ARRAY_LEN(values); i++) {
		static struct histogram h;
		int64_t v = values[i];
		int64_t got;

		memset(&h, 0, sizeof(h));
		histogram_add(&h, v);
		/* A greater sample, so that the bound is the bucket's and not the greatest sample's. */
		histogram_add(&h, INT64_C(1) << 50);
		got = histogram_quantile(&h, 0.5);
		cr_expect_geq(got, v, "%ld is shown as %ld, which is less", v, got);
		cr_expect_leq(got - v, v / 8, "%ld is shown as %ld, which is too much", v, got);
	}
}

Test(histogram, neighbouring_buckets_touch)
{
	static struct histogram h;

	/* The bound of a value is itself in the bucket, and the next value is in the next one. */
	for (int64_t v = 0; v < (INT64_C(1) << 44);) {
		int64_t top;

		memset(&h, 0, sizeof(h));
		histogram_add(&h, v);
		histogram_add(&h, INT64_MAX);
		top = histogram_quantile(&h, 0);
		cr_assert_geq(top, v);
		histogram_add(&h, top);
		cr_assert_eq(histogram_quantile(&h, 0.6), top, "the bound %ld of %ld is in another bucket", top, v);
		v = top + 1;
	}
}

Test(histogram, quantiles)
{
	static struct histogram h;

	cr_expect_eq(histogram_quantile(&h, 0.5), 0);
	for (int64_t v = 1; v <= 1000; v++)
		histogram_add(&h, v);
	cr_expect_leq(histogram_quantile(&h, 0.5), 500 + 500 / 8);
	cr_expect_geq(histogram_quantile(&h, 0.5), 500);
	cr_expect_geq(histogram_quantile(&h, 0.99), 990);
	cr_expect_eq(histogram_quantile(&h, 1), 1000, "never above the greatest sample");
	cr_expect_eq(histogram_quantile(&h, 0), 1);
	cr_expect_eq(histogram_quantile(&h, -3), 1);
	cr_expect_eq(histogram_quantile(&h, 7), 1000);
}

Test(histogram, keeps_negatives_apart)
{
	static struct histogram h;

	histogram_add(&h, -1);
	histogram_add(&h, INT64_MIN);
	cr_expect_eq(h.negatives, 2);
	cr_expect_eq(histogram_count(&h), 0);
	cr_expect_eq(histogram_quantile(&h, 0.5), 0);
	histogram_add(&h, INT64_MAX);
	cr_expect_eq(histogram_quantile(&h, 0.5), INT64_MAX);
}
