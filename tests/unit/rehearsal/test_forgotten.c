/*
 * What was forgotten for want of room: what it may hide is no pass, what was seen all the same is a failure, and what it cannot
 * change stands.
 */
#include <stdio.h>

#include "check_rig.h"

#define REQUESTS 500
#define ROOM 64

static void begin(void)
{
	start();
	r.options.max_chains = ROOM;
}

TestSuite(forgotten, .init = begin, .fini = end);

static enum check_status status_of(enum expect_key key)
{
	return (enum check_status)rig_measure(&r, key)->status;
}

static struct judge_exchange request(unsigned i, double at_s, unsigned status)
{
	static char targets[REQUESTS][16];
	struct judge_exchange e = rig_exchange(at_s, at_s + 0.001, status);

	(void)snprintf(targets[i], sizeof(targets[i]), "/%u", i);
	e.target = span_of_string(targets[i]);
	return e;
}

/* n that fail, each of another kind; then each of them once more, which goes well. */
static void failures(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rig_add(&r, request(i, i * 0.01, 503));
	for (unsigned i = 0; i < n; i++)
		rig_add(&r, request(i, 6 + i * 0.01, 200));
}

static void finish(void)
{
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
}

Test(forgotten, attempts_are_no_pass)
{
	failures(REQUESTS);
	finish();
	cr_assert_geq(r.verdict.totals.evicted, REQUESTS - ROOM);
	cr_assert_eq(status_of(EXPECT_ATTEMPTS_MAX), CHECK_INCONCLUSIVE);
	cr_assert(rig_measure(&r, EXPECT_ATTEMPTS_MAX)->at_least);
	cr_assert(strstr(rig_check(&r, CHECK_ATTEMPTS)->text, "forgotten for want of room"), "%s",
		rig_check(&r, CHECK_ATTEMPTS)->text);
}

Test(forgotten, nothing_is_while_there_is_room)
{
	limit(EXPECT_GIVE_UP_MUST, EXPECT_AT_LEAST, 1);
	limit(EXPECT_AMPLIFICATION_MAX, EXPECT_AT_MOST, 2);
	failures(ROOM);
	finish();
	cr_assert_eq(r.verdict.totals.evicted, 0);
	cr_assert_eq(status_of(EXPECT_ATTEMPTS_MAX), CHECK_PASS);
	cr_assert_eq(status_of(EXPECT_AMPLIFICATION_MAX), CHECK_PASS);
}

Test(forgotten, what_was_seen_fails_all_the_same)
{
	for (unsigned i = 0; i < 6; i++) {
		struct judge_exchange e = request(0, i * 0.001, 503);

		e.logical_id = 7;
		rig_add(&r, e);
	}
	failures(REQUESTS);
	finish();
	cr_assert_eq(status_of(EXPECT_ATTEMPTS_MAX), CHECK_FAIL);
}

/* The worst that it can come to is known: each of them was the same as another. */
static void expect_at_most(enum expect_key key, double most, enum check_status wanted)
{
	r.expect.budget_floor_per_s = 0;
	limit(key, EXPECT_AT_MOST, most);
	for (unsigned i = 0; i < 100; i++)
		rig_add(&r, request(i, i * 0.01, 503));
	finish();
	cr_assert_geq(r.verdict.totals.evicted, 30);
	cr_assert_leq(r.verdict.totals.evicted, 40);
	cr_assert_eq(status_of(key), wanted);
}

Test(forgotten, amplification_that_may_be_too_much)
{
	expect_at_most(EXPECT_AMPLIFICATION_MAX, 1.4, CHECK_INCONCLUSIVE);
}

Test(forgotten, amplification_that_cannot_be_too_much)
{
	expect_at_most(EXPECT_AMPLIFICATION_MAX, 2, CHECK_PASS);
}

Test(forgotten, a_budget_that_may_be_overdrawn)
{
	expect_at_most(EXPECT_RETRY_BUDGET_RATIO, 0.2, CHECK_INCONCLUSIVE);
}

Test(forgotten, a_budget_that_cannot_be_overdrawn)
{
	expect_at_most(EXPECT_RETRY_BUDGET_RATIO, 3, CHECK_PASS);
}

/* Waits that are kept, and others of which it is not known. */
static void waits(unsigned n, double least)
{
	limit(EXPECT_RETRY_AFTER_HONOURED, EXPECT_AT_LEAST, least);
	for (unsigned i = 0; i < n; i++) {
		struct judge_exchange e = request(i, i * 0.01, 503);

		e.wait_ns = S(5);
		e.hint = HINT_RETRY_AFTER;
		rig_add(&r, e);
	}
	for (unsigned i = n - 50; i < n; i++)
		rig_add(&r, request(i, 5.1 + i * 0.01, 200));
	finish();
}

Test(forgotten, waits_that_may_be_broken)
{
	waits(100, 1);
	cr_assert_eq(rig_measure(&r, EXPECT_RETRY_AFTER_HONOURED)->value, 1);
	cr_assert_eq(status_of(EXPECT_RETRY_AFTER_HONOURED), CHECK_INCONCLUSIVE);
}

Test(forgotten, waits_of_which_enough_are_kept)
{
	waits(70, 0.7);
	cr_assert_geq(r.verdict.totals.evicted, 6);
	cr_assert_eq(status_of(EXPECT_RETRY_AFTER_HONOURED), CHECK_PASS);
}

/* Executed, the answer lost, and forgotten: it may be executed again. */
static void charge(unsigned upstream)
{
	for (unsigned i = 0; i < REQUESTS; i++) {
		struct judge_exchange e = request(i, i * 0.01, 503);

		e.method = SPAN("POST");
		e.body_hash = 1;
		e.forwarded = upstream != 0;
		e.upstream_status = (uint16_t)(i == REQUESTS - 1 ? 201 : upstream);
		rig_add(&r, e);
	}
	finish();
}

Test(forgotten, what_may_have_been_executed_twice)
{
	charge(201);
	cr_assert_eq(status_of(EXPECT_DUPLICATES_MAX), CHECK_INCONCLUSIVE);
}

Test(forgotten, what_was_never_executed_cannot_have_been_twice)
{
	charge(0);
	cr_assert_eq(status_of(EXPECT_DUPLICATES_MAX), CHECK_PASS);
}

/* It is counted in full whatever belongs together. */
Test(forgotten, checks_that_need_no_links_stand)
{
	limit(EXPECT_TIMEOUT_MAX, EXPECT_AT_MOST, 3e9);
	failures(REQUESTS);
	for (unsigned i = 0; i < 5; i++) {
		struct judge_exchange e = rig_exchange(20 + i * 3, 22 + i * 3, 0);

		e.abort_ns = e.end_ns;
		rig_add(&r, e);
	}
	finish();
	cr_assert_eq(status_of(EXPECT_TIMEOUT_MAX), CHECK_PASS);
	cr_assert_not(rig_measure(&r, EXPECT_TIMEOUT_MAX)->at_least);
}

/* More hosts than are remembered, each told to be left alone. */
Test(forgotten, quotas_that_may_be_broken)
{
	static char hosts[5000][8];

	limit(EXPECT_QUOTA_MAX, EXPECT_AT_MOST, 0);
	for (unsigned i = 0; i < ARRAY_LEN(hosts); i++) {
		struct judge_exchange e = rig_exchange(i * 0.001, i * 0.001, 200);

		(void)snprintf(hosts[i], sizeof(hosts[i]), "%u", i);
		e.host = span_of_string(hosts[i]);
		e.quota_ns = S(60);
		rig_add(&r, e);
	}
	finish();
	cr_assert_eq(status_of(EXPECT_QUOTA_MAX), CHECK_INCONCLUSIVE);
}
