/*
 * counters: sums lose nothing, names are all there, and the histogram's bounds are what its header promises.
 */
#include "observe/counters.h"

#include <criterion/criterion.h>

Test(counters, sum_adds_every_kind)
{
	static struct counters a, b, sum;

	for (unsigned i = 0; i < COUNTER_COUNT; i++) {
		counter_add(&a, (enum counter)i, i + 1);
		counter_add(&b, (enum counter)i, 100);
	}
	counter_bump(&a.rejects[3], 7);
	counter_bump(&b.failures[PROXY_ERROR_DNS_ERROR], 5);
	counter_bump(&a.violations[1], 2);
	counter_bump(&b.closes[CLOSE_COMPLETE], 9);
	gauge_add(&a.active, 4);
	gauge_add(&b.active, -1);
	gauge_add(&b.held, 2);
	histogram_add(&a.delay_error, 1000);
	histogram_add(&b.delay_error, 5000);
	histogram_add(&b.delay_error, -1);
	counters_sum(&sum, &a);
	counters_sum(&sum, &b);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		cr_expect_eq(sum.v[i], i + 101, "%s: %lu", counter_name((enum counter)i), sum.v[i]);
	cr_expect_eq(sum.rejects[3], 7);
	cr_expect_eq(sum.failures[PROXY_ERROR_DNS_ERROR], 5);
	cr_expect_eq(sum.violations[1], 2);
	cr_expect_eq(sum.closes[CLOSE_COMPLETE], 9);
	cr_expect_eq(sum.active, 3);
	cr_expect_eq(sum.held, 2);
	cr_expect_eq(sum.delay_error.n, 2);
	cr_expect_eq(sum.delay_error.sum_ns, 6000);
	cr_expect_eq(sum.delay_error.max_ns, 5000);
	cr_expect_eq(sum.delay_error.negatives, 1);
	cr_expect_eq(histogram_quantile(&sum.delay_error, 1), 5000);
}

Test(counters, all_have_names_and_texts)
{
	for (unsigned i = 0; i < COUNTER_COUNT; i++) {
		cr_expect(counter_name((enum counter)i)[0], "counter %u has no name", i);
		cr_expect(counter_help((enum counter)i)[0], "counter %u has no text", i);
	}
	for (unsigned i = CLOSE_NONE + 1; i < CLOSE_REASON_COUNT; i++) {
		cr_expect(close_reason_name((enum close_reason)i)[0], "close reason %u has no name", i);
		cr_expect(close_reason_text((enum close_reason)i)[0], "close reason %u has no text", i);
	}
	cr_expect_str_eq(close_reason_name(CLOSE_NONE), "");
	cr_expect_str_eq(close_reason_name(CLOSE_CLIENT_LEFT), "client_left");
	cr_expect_str_eq(counter_name(COUNTER_REQUESTS), "requests");
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
	cr_expect_eq(h.n, 0);
	cr_expect_eq(histogram_quantile(&h, 0.5), 0);
	histogram_add(&h, INT64_MAX);
	cr_expect_eq(histogram_quantile(&h, 0.5), INT64_MAX);
}
