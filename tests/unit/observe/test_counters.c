/*
 * counters: sums lose nothing, and names are all there.
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
	gauge_add(&a.clients, 3);
	gauge_add(&b.upstream_open, 5);
	gauge_add(&b.upstream_idle, 4);
	histogram_add(&a.request_time, 10);
	histogram_add(&a.upstream_time, 20);
	histogram_add(&b.delay, 30);
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
	cr_expect_eq(sum.clients, 3);
	cr_expect_eq(sum.upstream_open, 5);
	cr_expect_eq(sum.upstream_idle, 4);
	cr_expect_eq(sum.request_time.sum_ns, 10);
	cr_expect_eq(sum.upstream_time.sum_ns, 20);
	cr_expect_eq(sum.delay.sum_ns, 30);
	cr_expect_eq(histogram_count(&sum.delay_error), 2);
	cr_expect_eq(sum.delay_error.sum_ns, 6000);
	cr_expect_eq(sum.delay_error.max_ns, 5000);
	cr_expect_eq(sum.delay_error.negatives, 1);
	cr_expect_eq(histogram_quantile(&sum.delay_error, 1), 5000);
}

Test(counters, all_have_names_and_texts)
{
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		cr_expect(counter_name((enum counter)i)[0], "counter %u has no name", i);
	for (unsigned i = CLOSE_NONE + 1; i < CLOSE_REASON_COUNT; i++) {
		cr_expect(close_reason_name((enum close_reason)i)[0], "close reason %u has no name", i);
		cr_expect(close_reason_text((enum close_reason)i)[0], "close reason %u has no text", i);
	}
	cr_expect_str_eq(close_reason_name(CLOSE_NONE), "");
	cr_expect_str_eq(close_reason_name(CLOSE_CLIENT_LEFT), "client_left");
	cr_expect_str_eq(counter_name(COUNTER_REQUESTS), "requests");
}
