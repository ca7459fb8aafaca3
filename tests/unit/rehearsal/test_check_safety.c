/*
 * What was done twice, in vain, in copies, or against what a status asks for: M8 to M11, M19.
 */
#include "check_rig.h"

/* A POST; upstream: what it said, 0: it was not asked. told: 0: the answer was lost. */
static struct judge_exchange post(double at_s, unsigned upstream, unsigned told, uint64_t key)
{
	struct judge_exchange e = rig_exchange(at_s, at_s + 0.01, told);

	e.method = SPAN("POST");
	e.upstream_status = (uint16_t)upstream;
	e.forwarded = upstream != 0;
	e.idempotency_key = key;
	e.body_hash = 7;
	e.keeps = told != 0;
	return e;
}

/* ---- duplicates, unsafe_retries ---- */

TestSuite(unsafe, .init = start, .fini = end);

Test(unsafe, executed_twice)
{
	rig_add(&r, post(0, 201, 503, 0));
	rig_add(&r, post(0.5, 201, 201, 0));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_DUPLICATES), CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_DUPLICATES_MAX)->value, 1);
	cr_assert_eq(rig_check(&r, CHECK_DUPLICATES)->evidence[0].id, 1);
	cr_assert_eq(rig_check(&r, CHECK_DUPLICATES)->evidence[0].next_id, 2);
	cr_assert_eq(status(CHECK_UNSAFE_RETRIES), CHECK_WARN);
}

/* Each payment has a body of its own, so that the next one is no excuse for the one that is sent twice. */
Test(unsafe, many_that_differ_in_their_bodies_hide_none)
{
	for (unsigned i = 0; i < 60; i++) {
		struct judge_exchange e = post(i * 0.5, 201, i % 10 == 9 ? 503 : 201, 0);

		e.fingerprint = 1;
		e.body_hash = 100 + i;
		rig_add(&r, e);
		if (i % 10 != 9)
			continue;
		e = post(i * 0.5 + 0.3, 201, 201, 0);
		e.fingerprint = 1;
		e.body_hash = 100 + i;
		rig_add(&r, e);
	}
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_DUPLICATES), CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_DUPLICATES_MAX)->value, 6);
	cr_assert_eq(r.verdict.totals.logical, 60);
}

Test(unsafe, executed_twice_among_many_attempts)
{
	for (unsigned i = 0; i < 13; i++)
		rig_add(&r, post(i, i == 8 || i == 10 ? 201 : 0, 503, 0));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_DUPLICATES), CHECK_FAIL);
	cr_assert_eq(rig_check(&r, CHECK_DUPLICATES)->evidence[0].id, 9);
	cr_assert_eq(rig_check(&r, CHECK_DUPLICATES)->evidence[0].next_id, 11);
}

/* Which of them was answered before its body was read is a matter of chance. */
Test(unsafe, a_body_that_was_not_read_may_be_the_same)
{
	static const uint64_t bodies[][3] = { { 0, 7, 7 }, { 7, 0, 7 }, { 7, 7, 0 }, { 0, 0, 7 }, { 7, 0, 0 } };

	for (unsigned i = 0; i < ARRAY_LEN(bodies); i++) {
		for (unsigned k = 0; k < 3; k++) {
			struct judge_exchange e = post(i * 200 + k, k == 2 ? 201 : 0, k == 2 ? 201 : 503, 0);

			e.fingerprint = 1;
			e.body_hash = bodies[i][k];
			rig_add(&r, e);
		}
	}
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(r.verdict.totals.logical, ARRAY_LEN(bodies));
	cr_assert_eq(r.verdict.totals.retries, 2 * ARRAY_LEN(bodies));
}

Test(unsafe, with_one_key_it_is_the_upstreams_matter)
{
	rig_add(&r, post(0, 201, 503, 5));
	rig_add(&r, post(0.5, 201, 201, 5));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_DUPLICATES), CHECK_PASS);
	cr_assert_eq(status(CHECK_UNSAFE_RETRIES), CHECK_PASS);
	cr_assert_eq(rig_check(&r, CHECK_DUPLICATES)->confidence, CONFIDENCE_ID);
}

Test(unsafe, a_client_that_stops_is_good)
{
	rig_add(&r, post(0, 201, 503, 0));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_DUPLICATES), CHECK_PASS);
	cr_assert_eq(status(CHECK_UNSAFE_RETRIES), CHECK_NOT_APPLICABLE);
}

Test(unsafe, nothing_had_reached_the_upstream)
{
	rig_add(&r, post(0, 0, 503, 0));
	rig_add(&r, post(0.5, 201, 201, 0));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_DUPLICATES), CHECK_NOT_APPLICABLE);
	cr_assert_eq(status(CHECK_UNSAFE_RETRIES), CHECK_PASS);
	cr_assert(strstr(rig_check(&r, CHECK_UNSAFE_RETRIES)->text, "; harmless, as nothing had reached the upstream: 1"));
}

/* Forwarded, and nobody knows what became of it. */
Test(unsafe, may_have_been_executed)
{
	struct judge_exchange e = post(0, 0, 504, 0);

	e.forwarded = true;
	rig_add(&r, e);
	rig_add(&r, post(0.5, 201, 201, 0));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_DUPLICATES), CHECK_NOT_APPLICABLE);
	cr_assert_eq(status(CHECK_UNSAFE_RETRIES), CHECK_WARN);
}

Test(unsafe, what_the_upstream_refused_was_not_executed)
{
	const char *text;

	rig_add(&r, post(0, 429, 429, 0));
	rig_add(&r, post(0.5, 201, 201, 0));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_UNSAFE_RETRIES), CHECK_PASS);
	text = rig_check(&r, CHECK_UNSAFE_RETRIES)->text;
	cr_assert(strstr(text, "; harmless, as the upstream had refused the one before: 1"), "%s", text);
	cr_assert_null(strstr(text, "nothing had reached"), "%s", text);
}

Test(unsafe, put_may_be_repeated)
{
	struct judge_exchange a = post(0, 201, 503, 0), b = post(0.5, 201, 201, 0);

	a.method = b.method = SPAN("PUT");
	rig_add(&r, a);
	rig_add(&r, b);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_DUPLICATES), CHECK_NOT_APPLICABLE);
	cr_assert_eq(status(CHECK_UNSAFE_RETRIES), CHECK_NOT_APPLICABLE);
}

/* Two that look alike but have other bodies are two. */
Test(unsafe, another_body_is_another_request)
{
	struct judge_exchange b = post(0.5, 201, 201, 0);

	b.body_hash = 8;
	rig_add(&r, post(0, 201, 503, 0));
	rig_add(&r, b);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_DUPLICATES), CHECK_PASS);
	cr_assert_eq(r.verdict.totals.logical, 2);
}

/* ---- idempotency_key ---- */

TestSuite(key, .init = start, .fini = end);

static void key_limits(void)
{
	limit(EXPECT_KEY_STABLE, EXPECT_AT_LEAST, 1);
	limit(EXPECT_KEY_REUSED, EXPECT_AT_MOST, 0);
}

Test(key, stable)
{
	key_limits();
	rig_add(&r, post(0, 0, 503, 5));
	rig_add(&r, post(0.5, 201, 201, 5));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_IDEMPOTENCY_KEY), CHECK_PASS, "%s", rig_check(&r, CHECK_IDEMPOTENCY_KEY)->text);
}

Test(key, a_new_one_for_each_attempt)
{
	key_limits();
	rig_add(&r, post(0, 0, 503, 5));
	rig_add(&r, post(0.5, 201, 201, 6));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_KEY_STABLE)->status, CHECK_FAIL);
}

Test(key, lost_on_the_way)
{
	key_limits();
	rig_add(&r, post(0, 0, 503, 5));
	rig_add(&r, post(0.5, 201, 201, 0));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_KEY_STABLE)->status, CHECK_FAIL);
}

/* Whoever keeps its keys means another request by another key. */
Test(key, the_next_request_has_its_own)
{
	key_limits();
	rig_add(&r, post(0, 0, 503, 5));
	rig_add(&r, post(0.5, 0, 503, 5));
	rig_add(&r, post(1, 201, 201, 6));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_KEY_STABLE)->status, CHECK_PASS);
	cr_assert_eq(r.verdict.totals.logical, 2);
}

Test(key, reused_with_another_body)
{
	struct judge_exchange b = post(0.5, 201, 201, 5);

	key_limits();
	b.body_hash = 8;
	rig_add(&r, post(0, 201, 201, 5));
	rig_add(&r, b);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_KEY_REUSED)->status, CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_KEY_REUSED)->value, 1);
}

Test(key, none_seen)
{
	key_limits();
	rig_add(&r, post(0, 201, 201, 5));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_IDEMPOTENCY_KEY), CHECK_NOT_APPLICABLE);
}

/* ---- pointless_retries ---- */

TestSuite(pointless, .init = start, .fini = end);

static void twice(unsigned first, unsigned second, uint64_t id, uint64_t credentials)
{
	struct judge_exchange a = rig_exchange(0, 0.01, first), b = rig_exchange(0.5, 0.51, second);

	limit(EXPECT_POINTLESS_MAX, EXPECT_AT_MOST, 0);
	a.logical_id = b.logical_id = id;
	b.credentials = credentials;
	rig_add(&r, a);
	rig_add(&r, b);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
}

Test(pointless, after_a_success)
{
	twice(200, 200, 9, 0);
	cr_assert_eq(status(CHECK_POINTLESS_RETRIES), CHECK_FAIL);
}

Test(pointless, the_same_again_without_an_id_is_another_request)
{
	twice(200, 200, 0, 0);
	cr_assert_eq(status(CHECK_POINTLESS_RETRIES), CHECK_NOT_APPLICABLE);
}

Test(pointless, after_a_refusal_by_a_rule)
{
	twice(404, 200, 0, 0);
	cr_assert_eq(status(CHECK_POINTLESS_RETRIES), CHECK_FAIL);
}

Test(pointless, after_503_it_is_not)
{
	twice(503, 200, 9, 0);
	cr_assert_eq(status(CHECK_POINTLESS_RETRIES), CHECK_NOT_APPLICABLE);
}

Test(pointless, after_401_with_other_credentials_it_is_not)
{
	twice(401, 200, 9, 77);
	cr_assert_eq(status(CHECK_POINTLESS_RETRIES), CHECK_PASS);
	cr_assert_eq(rig_check(&r, CHECK_HANDLING)->measures[0].value, 0);
}

Test(pointless, after_401_with_the_same_it_is)
{
	limit(EXPECT_HANDLING_MAX, EXPECT_AT_MOST, 0);
	twice(401, 200, 9, 0);
	cr_assert_eq(status(CHECK_POINTLESS_RETRIES), CHECK_FAIL);
	cr_assert_eq(status(CHECK_HANDLING), CHECK_FAIL);
}

Test(pointless, a_refusal_that_is_accepted)
{
	limit(EXPECT_POINTLESS_MAX, EXPECT_AT_MOST, 0);
	rig_add(&r, rig_exchange(0, 0.01, 404));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_POINTLESS_RETRIES), CHECK_PASS);
	cr_assert_eq(rig_check(&r, CHECK_POINTLESS_RETRIES)->n, 1);
}

/* What the upstream itself does not have is asked for by many, and again. */
Test(pointless, a_real_404_is_no_retry)
{
	struct judge_exchange a = rig_exchange(0, 0.01, 404), b = rig_exchange(0.5, 0.51, 404);

	limit(EXPECT_POINTLESS_MAX, EXPECT_AT_MOST, 0);
	a.rule = b.rule = -1;
	rig_add(&r, a);
	rig_add(&r, b);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_POINTLESS_RETRIES), CHECK_PASS);
	cr_assert_eq(r.verdict.totals.logical, 2);
}

/* ---- handling ---- */

TestSuite(handling, .init = start, .fini = end);

static enum check_status after(unsigned code, bool expect, bool early_data, uint64_t connection)
{
	struct judge_exchange a = rig_exchange(0, 0.01, code), b = rig_exchange(0.5, 0.51, 200);

	limit(EXPECT_HANDLING_MAX, EXPECT_AT_MOST, 0);
	b.expect = expect;
	b.early_data = early_data;
	b.connection = connection;
	rig_add(&r, a);
	rig_add(&r, b);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	return status(CHECK_HANDLING);
}

Test(handling, expectation_failed)
{
	cr_assert_eq(after(417, false, false, 1), CHECK_PASS);
}

Test(handling, expectation_kept)
{
	cr_assert_eq(after(417, true, false, 1), CHECK_FAIL);
}

Test(handling, misdirected_elsewhere)
{
	cr_assert_eq(after(421, false, false, 2), CHECK_PASS);
}

Test(handling, misdirected_again)
{
	cr_assert_eq(after(421, false, false, 1), CHECK_FAIL);
}

/* A connection that is not known is not the same as another. */
Test(handling, misdirected_nobody_knows_where)
{
	struct judge_exchange a = rig_exchange(0, 0.01, 421), b = rig_exchange(0.5, 0.51, 200);

	limit(EXPECT_HANDLING_MAX, EXPECT_AT_MOST, 0);
	a.connection = b.connection = 0;
	rig_add(&r, a);
	rig_add(&r, b);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_HANDLING), CHECK_PASS);
}

Test(handling, too_early_later)
{
	cr_assert_eq(after(425, false, false, 1), CHECK_PASS);
}

Test(handling, too_early_again)
{
	cr_assert_eq(after(425, false, true, 1), CHECK_FAIL);
}

Test(handling, redirects_without_end)
{
	limit(EXPECT_HANDLING_MAX, EXPECT_AT_MOST, 0);
	for (unsigned i = 0; i < 21; i++)
		rig_add(&r, rig_exchange(i * 0.01, i * 0.01 + 0.001, 302));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_HANDLING), CHECK_FAIL);
}

Test(handling, redirects_between_two_places)
{
	limit(EXPECT_HANDLING_MAX, EXPECT_AT_MOST, 0);
	for (unsigned i = 0; i < 24; i++) {
		struct judge_exchange e = rig_exchange(i * 0.01, i * 0.01 + 0.001, 302);

		e.target = i % 2 ? SPAN("/a") : SPAN("/b");
		rig_add(&r, e);
	}
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_HANDLING), CHECK_FAIL);
}

/* A client that does not follow them, or that each sends somewhere else. */
Test(handling, redirects_that_are_no_loop)
{
	static const char targets[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	limit(EXPECT_HANDLING_MAX, EXPECT_AT_MOST, 0);
	for (unsigned i = 0; i < 50; i++) {
		struct judge_exchange e = rig_exchange(i * 0.01, i * 0.01 + 0.001, 302);

		e.target = span_of(&targets[i], 1);
		rig_add(&r, e);
		rig_add(&r, rig_exchange(10 + i * 0.5, 10 + i * 0.5 + 0.001, 302));
	}
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_HANDLING), CHECK_NOT_APPLICABLE);
}

Test(handling, twenty_redirects_are_allowed)
{
	limit(EXPECT_HANDLING_MAX, EXPECT_AT_MOST, 0);
	for (unsigned i = 0; i < 20; i++)
		rig_add(&r, rig_exchange(i * 0.01, i * 0.01 + 0.001, 302));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_HANDLING), CHECK_NOT_APPLICABLE);
}

/* ---- hedging ---- */

TestSuite(hedging, .init = start, .fini = end);

/* The second copy after 50 ms; the first is slow, and left when the second is answered. */
static void hedge(double at_s, uint64_t id)
{
	struct judge_exchange slow = rig_exchange(at_s, at_s + 0.1, 0), fast = rig_exchange(at_s + 0.05, at_s + 0.09, 200);

	slow.abort_ns = slow.end_ns;
	slow.rule = -1;
	slow.n_fired = 0;
	slow.logical_id = fast.logical_id = id;
	fast.connection = 2;
	rig_add(&r, slow);
	rig_add(&r, fast);
}

Test(hedging, copies_by_id)
{
	limit(EXPECT_HEDGE_RATIO, EXPECT_AT_MOST, 0.5);
	for (unsigned i = 0; i < 20; i++)
		hedge(i, i + 1);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_HEDGING), CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_HEDGE_RATIO)->value, 1);
	cr_assert_eq(r.verdict.totals.retries, 0, "a copy is no retry");
	cr_assert(strstr(rig_check(&r, CHECK_HEDGING)->text, "of 20 copies 20 were cancelled"), "%s",
		rig_check(&r, CHECK_HEDGING)->text);
}

/* Nothing but a hedge leaves one copy as soon as the other is answered. */
Test(hedging, copies_by_how_they_end)
{
	limit(EXPECT_HEDGE_RATIO, EXPECT_AT_MOST, 1);
	for (unsigned i = 0; i < 20; i++)
		hedge(i * 3, 0);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_HEDGING), CHECK_PASS);
	cr_assert_eq(rig_measure(&r, EXPECT_HEDGE_RATIO)->value, 1);
	cr_assert_eq(rig_check(&r, CHECK_HEDGING)->confidence, CONFIDENCE_FINGERPRINT);
}

Test(hedging, workers_side_by_side_are_none)
{
	limit(EXPECT_HEDGE_RATIO, EXPECT_AT_MOST, 0);
	for (unsigned i = 0; i < 40; i++)
		rig_add(&r, rig_exchange(i * 0.1, i * 0.1 + 0.5, 200));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_HEDGING), CHECK_PASS);
	cr_assert_eq(r.verdict.totals.logical, 40);
}

Test(hedging, a_timeout_and_a_retry_are_none)
{
	struct judge_exchange a = rig_exchange(0, 1, 0), b = rig_exchange(0.99, 1.2, 200);

	a.abort_ns = a.end_ns; /* noticed 10 ms after the retry came */
	a.logical_id = b.logical_id = 9;
	rig_add(&r, a);
	rig_add(&r, b);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_HEDGE_RATIO)->value, 0);
	cr_assert_eq(r.verdict.totals.retries, 1);
}
