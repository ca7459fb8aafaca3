/*
 * traffic: a pair keeps its slot, the table ends in a slot for all others, and counts of workers add up.
 */
#include "observe/traffic.h"

#include <stdio.h>

#include <criterion/criterion.h>

static unsigned slot_of(struct traffic *t, const char *listener, const char *upstream)
{
	return traffic_slot(t, (struct traffic_pair){ span_of_string(listener), span_of_string(upstream) });
}

Test(traffic, a_pair_keeps_its_slot)
{
	struct traffic *t = traffic_new();
	unsigned a, b;

	cr_assert_not_null(t);
	cr_expect_eq(traffic_n(t), 1, "the slot of the others is there from the start");
	a = slot_of(t, "public", "api");
	b = slot_of(t, "public", "");
	cr_expect_neq(a, TRAFFIC_OTHER);
	cr_expect_neq(b, TRAFFIC_OTHER);
	cr_expect_neq(a, b);
	cr_expect_eq(traffic_n(t), 3);
	/* Names are compared one by one: these run into the same bytes. */
	cr_expect_neq(slot_of(t, "publica", "pi"), a);
	cr_expect_eq(slot_of(t, "public", "api"), a);
	cr_expect_eq(slot_of(t, "public", ""), b);
	cr_expect(span_eq(traffic_pair(t, a).listener, SPAN("public")));
	cr_expect(span_eq(traffic_pair(t, a).upstream, SPAN("api")));
	cr_expect_eq(traffic_pair(t, b).upstream.n, 0);
	traffic_free(t);
	traffic_free(NULL);
}

Test(traffic, names_are_copied)
{
	struct traffic *t = traffic_new();
	char listener[] = "public", upstream[] = "api";
	unsigned slot = slot_of(t, listener, upstream);

	memset(listener, 'x', sizeof(listener) - 1);
	memset(upstream, 'x', sizeof(upstream) - 1);
	cr_expect_eq(slot_of(t, "public", "api"), slot);
	traffic_free(t);
}

Test(traffic, what_finds_no_room_is_counted_together)
{
	struct traffic *t = traffic_new();
	unsigned first = slot_of(t, "l", "first");
	char name[16];

	for (unsigned i = 2; i < TRAFFIC_SLOTS; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		cr_assert_eq(slot_of(t, "l", name), i);
	}
	cr_expect_eq(traffic_n(t), TRAFFIC_SLOTS);
	cr_expect_eq(slot_of(t, "l", "one too many"), TRAFFIC_OTHER);
	cr_expect_eq(slot_of(t, "m", "u2"), TRAFFIC_OTHER);
	cr_expect_eq(slot_of(t, "l", "first"), first, "those that are there stay");
	cr_expect_eq(traffic_n(t), TRAFFIC_SLOTS);
	traffic_free(t);
}

Test(traffic, counts_by_class_and_sums)
{
	static struct traffic_counts a, b, sum;

	traffic_add(&a, 1, 2);
	traffic_add(&a, 1, 2);
	traffic_add(&a, 1, 0);
	traffic_add(&b, 1, 2);
	traffic_add(&b, TRAFFIC_SLOTS - 1, 5);
	traffic_sum(&sum, &a);
	traffic_sum(&sum, &b);
	cr_expect_eq(sum.v[1][2], 3);
	cr_expect_eq(sum.v[1][0], 1);
	cr_expect_eq(sum.v[TRAFFIC_SLOTS - 1][5], 1);
	cr_expect_eq(traffic_of_class(&sum, 2), 3);
	cr_expect_eq(traffic_of_class(&sum, 5), 1);
	cr_expect_eq(traffic_of_class(&sum, 4), 0);
	cr_expect_str_eq(traffic_class_name(0), "none");
	cr_expect_str_eq(traffic_class_name(5), "5xx");
}
