/*
 * Connections and quotas: how they are used, and what crosses an answer on its way: M17, M18.
 */
#include "check_rig.h"

TestSuite(rest, .init = start, .fini = end);

Test(rest, connections)
{
	struct judge_exchange a = rig_exchange(0, 0.01, 503), b = rig_exchange(0.5, 0.51, 503), c = rig_exchange(1, 1.01, 200);

	limit(EXPECT_CONNECTIONS_PER_RETRY, EXPECT_AT_MOST, 0.5);
	c.connection = 2;
	rig_add(&r, a);
	rig_add(&r, b);
	rig_add(&r, c);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_CONNECTIONS_PER_RETRY)->value, 0.5);
	cr_assert_eq(status(CHECK_CONNECTIONS), CHECK_PASS);
}

/* An answer that closes its connection, and a request that comes on it all the same, so long after. */
static void close_and_go_on(double after_s)
{
	struct judge_exchange a = rig_exchange(0, 0.01, 200), b = rig_exchange(0.01 + after_s, 0.01 + after_s, 0);

	limit(EXPECT_CONNECTIONS_AFTER_CLOSE, EXPECT_AT_MOST, 0);
	a.closes = true;
	b.after_close_ns = S(after_s);
	b.rule = -1;
	b.n_fired = 0;
	rig_add(&r, a);
	rig_add(&r, b);
	rig_add(&r, rig_exchange(2, 2.01, 200));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
}

Test(rest, a_request_after_the_close_is_seen)
{
	close_and_go_on(0.2);
	cr_assert_eq(status(CHECK_CONNECTIONS), CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_CONNECTIONS_AFTER_CLOSE)->value, 1);
	cr_assert_eq(rig_check(&r, CHECK_CONNECTIONS)->n_evidence, 1);
	/* It is an attempt at nothing: nobody serves it. */
	cr_assert_eq(r.verdict.totals.logical, 2);
	cr_assert_eq(r.verdict.totals.retries, 0);
}

Test(rest, a_request_that_crosses_the_close_is_no_fault)
{
	close_and_go_on(0.049);
	cr_assert_eq(status(CHECK_CONNECTIONS), CHECK_PASS);
	cr_assert_eq(rig_measure(&r, EXPECT_CONNECTIONS_AFTER_CLOSE)->n, 1);
}

Test(rest, without_such_an_answer_nothing_is_known_of_it)
{
	limit(EXPECT_CONNECTIONS_AFTER_CLOSE, EXPECT_AT_MOST, 0);
	rig_add(&r, rig_exchange(0, 0.01, 503));
	rig_add(&r, rig_exchange(0.5, 0.51, 200));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_CONNECTIONS_AFTER_CLOSE)->status, CHECK_NOT_APPLICABLE);
}

/* 2 connections before the fault, 5 and 7 while it is there, 9 after it. */
static void crowd(void)
{
	static const struct {
		double at_s;
		unsigned status;
		uint32_t connections;
	} rows[] = { { 0, 200, 2 }, { 1, 503, 5 }, { 1.5, 200, 7 }, { 2, 503, 3 }, { 3, 200, 9 } };

	limit(EXPECT_CONNECTIONS_PARALLEL, EXPECT_AT_MOST, 8);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct judge_exchange e = rig_exchange(rows[i].at_s, rows[i].at_s + 0.01, rows[i].status);

		e.connections = rows[i].connections;
		rig_add(&r, e);
	}
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
}

Test(rest, connections_at_a_time_while_faults_are_active)
{
	crowd();
	cr_assert_eq(rig_measure(&r, EXPECT_CONNECTIONS_PARALLEL)->value, 7);
	cr_assert_eq(status(CHECK_CONNECTIONS), CHECK_PASS);
	cr_assert(strstr(rig_check(&r, CHECK_CONNECTIONS)->text, "at most 7 while faults were active, 2 before"), "%s",
		rig_check(&r, CHECK_CONNECTIONS)->text);
}

static void quota(double next_s)
{
	struct judge_exchange e = rig_exchange(0, 0.01, 200), next = rig_exchange(next_s, next_s + 0.1, 200);

	limit(EXPECT_QUOTA_MAX, EXPECT_AT_MOST, 0);
	e.quota_ns = S(2);
	next.target = SPAN("/another");
	rig_add(&r, e);
	rig_add(&r, next);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
}

Test(rest, quota_kept)
{
	quota(2.01);
	cr_assert_eq(status(CHECK_QUOTA), CHECK_PASS);
}

Test(rest, quota_ignored)
{
	quota(1);
	cr_assert_eq(status(CHECK_QUOTA), CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_QUOTA_MAX)->value, 1);
}

Test(rest, what_was_under_way_could_not_know_of_the_quota)
{
	quota(0.005);
	cr_assert_eq(status(CHECK_QUOTA), CHECK_PASS);
}

Test(rest, no_quota)
{
	limit(EXPECT_QUOTA_MAX, EXPECT_AT_MOST, 0);
	rig_add(&r, rig_exchange(0, 0.01, 200));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_QUOTA), CHECK_NOT_APPLICABLE);
	cr_assert_eq(status(CHECK_CONNECTIONS), CHECK_NOT_APPLICABLE);
}

/* ---- what crosses an answer on its way ---- */

/* Told to stay away for 2 s, by a quota or a wait; another request, so long after and on this connection. */
static void stay_away(bool by_quota, double after_s, uint64_t connection)
{
	struct judge_exchange e = rig_exchange(0, 0.01, by_quota ? 200 : 503);
	struct judge_exchange next = rig_exchange(0.01 + after_s, 0.1 + after_s, 200);

	limit(EXPECT_QUOTA_MAX, EXPECT_AT_MOST, 0);
	r.expect.retry_after_scope = EXPECT_SCOPE_HOST;
	e.quota_ns = by_quota ? S(2) : -1;
	e.wait_ns = by_quota ? -1 : S(2);
	next.target = SPAN("/another");
	next.connection = connection;
	rig_add(&r, e);
	rig_add(&r, next);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
}

Test(rest, what_crosses_a_quota_is_no_fault)
{
	stay_away(true, 0.049, 2);
	cr_assert_eq(status(CHECK_QUOTA), CHECK_PASS);
}

Test(rest, what_comes_after_a_quota_is)
{
	stay_away(true, 0.051, 2);
	cr_assert_eq(status(CHECK_QUOTA), CHECK_FAIL);
}

Test(rest, nothing_crosses_on_the_same_connection)
{
	stay_away(true, 0.01, 1);
	cr_assert_eq(status(CHECK_QUOTA), CHECK_FAIL);
}

Test(rest, what_crosses_a_wait_is_no_fault)
{
	stay_away(false, 0.049, 2);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_NOT_APPLICABLE);
}

Test(rest, what_comes_after_a_wait_is)
{
	stay_away(false, 0.051, 2);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_FAIL);
}

/* Many at a time: each stays away once all have heard of it, which takes them up to 45 ms. */
Test(rest, honest_crowds_are_never_accused, .timeout = 60)
{
	uint64_t told = 0;

	for (unsigned run = 0; run < 1000; run++) {
		double heard_s, wait_s;
		struct judge_exchange told_away;
		struct rig mine;

		rig_init(&mine);
		mine.seed = run;
		mine.expect.limits[EXPECT_QUOTA_MAX] = (struct expect_limit){ EXPECT_FAIL, EXPECT_AT_MOST, 0 };
		mine.expect.retry_after_scope = run % 2 ? EXPECT_SCOPE_HOST : EXPECT_SCOPE_PATH;
		heard_s = 1 + rig_between(&mine, 0, 0.045);
		wait_s = (double)(int)rig_between(&mine, 1, 5);
		for (unsigned i = 0; i < 40; i++) {
			bool before = rig_random(&mine) < 0.5;
			double at_s = before ? rig_between(&mine, 0.9, heard_s) : 1 + wait_s - 0.001 + rig_between(&mine, 0, 3);
			struct judge_exchange e = rig_exchange(at_s, at_s + rig_between(&mine, 0, 0.02), 200);

			e.connection = 2 + i;
			rig_add(&mine, e);
		}
		told_away = rig_exchange(0.99, 1, 503);
		told_away.wait_ns = S(wait_s);
		told_away.quota_ns = S(wait_s);
		rig_add(&mine, told_away);
		(void)rig_finish(&mine, JUDGE_END_CLIENT_LEFT);
		cr_assert_neq(rig_check(&mine, CHECK_QUOTA)->status, CHECK_FAIL, "run %u", run);
		cr_assert_neq(rig_check(&mine, CHECK_RETRY_AFTER)->status, CHECK_FAIL, "run %u: %s", run,
			rig_check(&mine, CHECK_RETRY_AFTER)->text);
		told += rig_check(&mine, CHECK_QUOTA)->n;
		rig_deinit(&mine);
	}
	cr_assert_eq(told, 1000);
}
