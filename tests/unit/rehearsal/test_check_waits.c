/*
 * Waits: told ones are kept or not, the client's own grow, spread, and come at once or not. Each check with what passes, what
 * fails, its bound, what is too little, and what is nothing.
 */
#include <stdio.h>

#include "check_rig.h"

static const char *target_of(unsigned i)
{
	static char targets[128][16];

	(void)snprintf(targets[i % 128], sizeof(targets[0]), "/items/%u", i % 128);
	return targets[i % 128];
}

/* A request told to wait, and the one after it. */
static void told(double wait_s, double gap_s)
{
	struct judge_exchange e = rig_exchange(0, 0.01, 503);

	e.wait_ns = S(wait_s);
	e.hint = HINT_RETRY_AFTER;
	rig_add(&r, e);
	rig_add(&r, rig_exchange(0.01 + gap_s, 0.02 + gap_s, 200));
}

/* ---- retry_after ---- */

TestSuite(retry_after, .init = start, .fini = end);

Test(retry_after, kept)
{
	told(2, 2);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_PASS);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->n, 1);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->confidence, CONFIDENCE_FINGERPRINT);
}

Test(retry_after, early)
{
	const struct check *c;

	told(2, 0.5);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	c = rig_check(&r, CHECK_RETRY_AFTER);
	cr_assert_eq(c->status, CHECK_FAIL, "%s", c->text);
	cr_assert_eq(c->measures[0].value, 0);
	cr_assert_eq(c->n_evidence, 1);
	cr_assert_eq(c->evidence[0].id, 1);
	cr_assert_eq(c->evidence[0].next_id, 2);
	cr_assert_eq(c->evidence[0].next_at_ns - c->evidence[0].at_ns, S(0.5));
	cr_assert_str_eq(c->evidence[0].request, "GET /items");
	cr_assert_str_eq(c->evidence[0].what, "after 0.500 s instead of 2.000 s");
}

/* 5 ms are tolerated, and what two clocks may differ by: 500 ppm of 2 s are 1 ms. */
Test(retry_after, bound)
{
	told(2, 1.9941);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_PASS);
}

Test(retry_after, just_beyond_the_bound)
{
	told(2, 1.9939);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_FAIL);
}

Test(retry_after, to_give_up_keeps_it_too)
{
	struct judge_exchange e = rig_exchange(0, 0.01, 429);

	e.wait_ns = S(90);
	rig_add(&r, e);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_NOT_APPLICABLE);
	cr_assert(strstr(rig_check(&r, CHECK_RETRY_AFTER)->text, "gave up"));
}

/* Twenty attempts, each told to wait for 2 s: all waits are kept but these, from 1. */
static void long_chain(unsigned first_early, unsigned last_early)
{
	double at_s = 0;

	for (unsigned i = 0; i < 20; i++) {
		struct judge_exchange e = rig_exchange(at_s, at_s + 0.01, 503);

		e.wait_ns = S(2);
		e.hint = HINT_RETRY_AFTER;
		e.logical_id = 9;
		rig_add(&r, e);
		at_s += i + 1 >= first_early && i + 1 <= last_early ? 0.51 : 2.02;
	}
	(void)rig_finish(&r, JUDGE_END_STOPPED);
}

Test(retry_after, every_wait_of_a_long_chain_is_judged)
{
	long_chain(10, 12);
	cr_assert_eq(rig_measure(&r, EXPECT_RETRY_AFTER_HONOURED)->n, 19);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_FAIL);
	cr_assert_float_eq(rig_measure(&r, EXPECT_RETRY_AFTER_HONOURED)->value, 16.0 / 19, 1e-9);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->evidence_total, 3);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->evidence[0].id, 10);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->evidence[0].next_id, 11);
	cr_assert_str_eq(rig_check(&r, CHECK_RETRY_AFTER)->evidence[0].what, "after 0.500 s instead of 2.000 s");
}

Test(retry_after, a_long_chain_that_keeps_all_of_them)
{
	long_chain(0, 0);
	cr_assert_eq(rig_measure(&r, EXPECT_RETRY_AFTER_HONOURED)->n, 19);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_PASS);
}

Test(retry_after, a_longer_wait_counts_as_max_wait)
{
	r.expect.retry_after_max_wait_ns = S(5);
	told(90, 5.75);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_PASS);
}

Test(retry_after, a_longer_wait_counts_as_max_wait_for_a_host_too)
{
	r.expect.retry_after_scope = EXPECT_SCOPE_HOST;
	r.expect.retry_after_max_wait_ns = S(5);
	told(90, 5.75);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_PASS);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->n, 1);
}

Test(retry_after, no_wait_is_never_broken)
{
	told(0, 0);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_PASS);
}

/* Of two that failed the one is told 5 s, the other 1 s: whoever comes after 1 s may be the second. */
Test(retry_after, the_benefit_of_the_doubt)
{
	struct judge_exchange a = rig_exchange(0, 0.01, 503), b = rig_exchange(0.001, 0.02, 503);

	a.wait_ns = S(5);
	b.wait_ns = S(1);
	rig_add(&r, a);
	rig_add(&r, b);
	rig_add(&r, rig_exchange(1.03, 1.04, 200));
	rig_add(&r, rig_exchange(5.03, 5.04, 200));
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_PASS, "%s", rig_check(&r, CHECK_RETRY_AFTER)->text);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->n, 2);
}

/* What was under way when the wait was told could not know of it. */
Test(retry_after, host_scope_counts_the_others)
{
	struct judge_exchange e = rig_exchange(0, 0.01, 503), other = rig_exchange(0.005, 0.5, 200),
			      early = rig_exchange(0.6, 0.7, 200), late = rig_exchange(2.5, 2.6, 200);

	r.expect.retry_after_scope = EXPECT_SCOPE_HOST;
	e.wait_ns = S(2);
	other.target = SPAN("/other");
	early.target = SPAN("/early");
	late.target = SPAN("/late");
	rig_add(&r, e);
	rig_add(&r, other);
	rig_add(&r, early);
	rig_add(&r, late);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_FAIL);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->n, 1);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->evidence[0].next_id, 3);
}

Test(retry_after, path_scope_leaves_the_others_alone)
{
	struct judge_exchange e = rig_exchange(0, 0.01, 503), early = rig_exchange(0.6, 0.7, 200),
			      same = rig_exchange(2.6, 2.7, 200);

	r.expect.retry_after_scope = EXPECT_SCOPE_PATH;
	e.wait_ns = S(2);
	early.target = SPAN("/early");
	same.target = SPAN("/items?x=1");
	rig_add(&r, e);
	rig_add(&r, early);
	rig_add(&r, same);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_PASS);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->n, 1);
}

/* ---- backoff ---- */

TestSuite(backoff, .init = start, .fini = end);

/* Logical requests of these waits, 1 s apart. */
static void waits(unsigned n, const double *wait_s, unsigned n_waits)
{
	for (unsigned i = 0; i < n; i++) {
		double at_s = i;

		for (unsigned k = 0; k <= n_waits; k++) {
			struct judge_exchange e = rig_exchange(at_s, at_s + 0.001, 503);

			e.target = span_of_string(target_of(i));
			rig_add(&r, e);
			at_s += 0.001 + (k < n_waits ? wait_s[k] : 0);
		}
	}
}

Test(backoff, doubling)
{
	static const double gaps[] = { 0.5, 1, 2 };

	waits(10, gaps, 3);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_BACKOFF), CHECK_PASS);
	cr_assert_float_eq(rig_measure(&r, EXPECT_BACKOFF_GROWTH)->value, 2, 1e-6);
	cr_assert_eq(rig_measure(&r, EXPECT_BACKOFF_GROWTH)->n, 30);
	cr_assert_float_eq(rig_measure(&r, EXPECT_BACKOFF_FIRST)->value, 5e8, 1e6);
	cr_assert(strstr(r.verdict.policy, "exponential 0.5 s x2"), "%s", r.verdict.policy);
}

Test(backoff, constant)
{
	static const double gaps[] = { 0.5, 0.5, 0.5 };

	waits(10, gaps, 3);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_BACKOFF), CHECK_FAIL);
	cr_assert(strstr(r.verdict.policy, "fixed 0.5 s"), "%s", r.verdict.policy);
}

Test(backoff, growth_at_the_limit)
{
	static const double gaps[] = { 0.5, 0.625, 0.78125 };

	waits(10, gaps, 3);
	r.expect.limits[EXPECT_BACKOFF_GROWTH].value = 1.2499;
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_BACKOFF), CHECK_PASS);
}

Test(backoff, too_few)
{
	static const double gaps[] = { 0.5, 0.5, 0.5 };

	waits(6, gaps, 3); /* 18 of 20 */
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_BACKOFF), CHECK_INCONCLUSIVE);
}

Test(backoff, below_the_noise_floor)
{
	static const double gaps[] = { 0.01, 0.02, 0.04 };

	waits(20, gaps, 3);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_BACKOFF), CHECK_INCONCLUSIVE);
	cr_assert_eq(status(CHECK_JITTER), CHECK_INCONCLUSIVE);
}

/* A client is not accused by what may be chance: 1.18 here, and the interval reaches well beyond 1.25. */
Test(backoff, what_may_be_enough_is_inconclusive)
{
	static const double gaps[3][3] = { { 0.2, 0.8, 0.3 }, { 0.5, 0.2, 0.9 }, { 0.4, 0.5, 0.35 } };

	for (unsigned i = 0; i < 3; i++)
		waits(1, gaps[i], 3);
	r.expect.min_samples = 3;
	r.expect.limits[EXPECT_BACKOFF_GROWTH].value = 1.3;
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_lt(rig_measure(&r, EXPECT_BACKOFF_GROWTH)->value, 1.3);
	cr_assert_gt(rig_measure(&r, EXPECT_BACKOFF_GROWTH)->high, 1.3);
	cr_assert_eq(status(CHECK_BACKOFF), CHECK_INCONCLUSIVE);
}

Test(backoff, told_waits_are_not_the_clients)
{
	struct judge_exchange e = rig_exchange(0, 0.01, 503);

	for (unsigned i = 0; i < 4; i++) {
		e = rig_exchange(i * 2, i * 2 + 0.01, 503);
		e.wait_ns = S(1.9);
		rig_add(&r, e);
	}
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_BACKOFF), CHECK_NOT_APPLICABLE);
	cr_assert_eq(status(CHECK_JITTER), CHECK_NOT_APPLICABLE);
	cr_assert_str_eq(r.verdict.policy, "");
}

Test(backoff, first_delay)
{
	static const double gaps[] = { 0.08 };

	waits(3, gaps, 1);
	r.expect.limits[EXPECT_BACKOFF_FIRST] = (struct expect_limit){ EXPECT_FAIL, EXPECT_AT_LEAST, 1e8 };
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_BACKOFF_FIRST)->status, CHECK_FAIL);
}

/* ---- jitter ---- */

TestSuite(jitter, .init = start, .fini = end);

/* n logical requests whose one wait lies evenly between two. */
static void spread(unsigned n, double from_s, double to_s)
{
	for (unsigned i = 0; i < n; i++) {
		double wait_s = from_s + (to_s - from_s) * i / (n - 1);

		waits(1, &wait_s, 1);
		r.v[r.n - 1].target = r.v[r.n - 2].target = span_of_string(target_of(i));
	}
}

Test(jitter, enough)
{
	spread(20, 0.8, 1.2); /* (p90 - p10) / p50 = 0.32 */
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_JITTER), CHECK_PASS);
	cr_assert_float_eq(rig_measure(&r, EXPECT_JITTER_SPREAD)->value, 0.32, 0.001);
}

Test(jitter, none_is_a_warning_in_the_recommended_profile)
{
	spread(20, 1, 1.01);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_JITTER), CHECK_WARN);
	cr_assert(strstr(rig_check(&r, CHECK_JITTER)->text, "none"));
}

Test(jitter, none_fails_where_it_is_strict)
{
	expect_init(&r.expect, EXPECT_PROFILE_STRICT);
	spread(20, 1, 1.15); /* weak */
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_JITTER), CHECK_FAIL);
	cr_assert(strstr(rig_check(&r, CHECK_JITTER)->text, "weak"));
}

/* One wait each is too few for any of them; together they show what they all do. */
Test(jitter, many_clients_together)
{
	static char clients[20][4];

	spread(20, 1, 1.01);
	for (size_t i = 0; i < r.n; i++) {
		(void)snprintf(clients[i / 2], sizeof(clients[0]), "c%u", (unsigned)(i / 2));
		r.v[i].client = span_of_string(clients[i / 2]);
	}
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_JITTER), CHECK_WARN, "%s", rig_check(&r, CHECK_JITTER)->text);
	cr_assert_eq(r.verdict.totals.clients, 20);
	cr_assert_str_eq(rig_check(&r, CHECK_JITTER)->scope, "");
}

Test(jitter, nineteen_are_too_few)
{
	r.expect.min_samples = 5; /* cannot make it less than what tells the classes apart */
	spread(19, 1, 1.01);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_JITTER), CHECK_INCONCLUSIVE);
}

/* A first retry after exactly 0.5 s, and jitter only from then on: the first makes the herd. */
static void late_jitter(void)
{
	for (unsigned i = 0; i < 30; i++) {
		double gaps[2] = { 0.5, rig_between(&r, 0.5, 1) };

		waits(1, gaps, 2);
		for (unsigned k = 1; k <= 3; k++)
			r.v[r.n - k].target = span_of_string(target_of(i));
	}
}

Test(jitter, is_judged_for_each_retry)
{
	late_jitter();
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_JITTER), CHECK_WARN, "%s", rig_check(&r, CHECK_JITTER)->text);
	cr_assert(strstr(rig_check(&r, CHECK_JITTER)->text, "before retry 1"));
}

Test(jitter, or_for_the_best_of_them)
{
	r.expect.jitter_per_attempt = false;
	late_jitter();
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_JITTER), CHECK_PASS, "%s", rig_check(&r, CHECK_JITTER)->text);
}

/* ---- herd ---- */

TestSuite(herd, .init = start, .fini = end);

/* n requests fail at once and come back spread over this time, a second later. */
static void herd(unsigned n, double over_s)
{
	for (unsigned i = 0; i < n; i++) {
		struct judge_exchange a = rig_exchange(0.001 * i, 0.05, 503),
				      b = rig_exchange(1.05 + over_s * i / n, 3, 200);

		a.target = b.target = span_of_string(target_of(i));
		rig_add(&r, a);
		rig_add(&r, b);
	}
}

Test(herd, all_at_once)
{
	herd(40, 0.05);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_HERD), CHECK_WARN);
	cr_assert_eq(rig_measure(&r, EXPECT_HERD_PEAK)->value, 1);
	cr_assert_eq(rig_check(&r, CHECK_HERD)->n_evidence, 1);
}

Test(herd, spread)
{
	herd(40, 1);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_HERD), CHECK_PASS);
	cr_assert_lt(rig_measure(&r, EXPECT_HERD_PEAK)->value, 0.2);
}

Test(herd, the_limit_itself_is_too_much)
{
	r.expect.limits[EXPECT_HERD_PEAK].value = 1;
	herd(40, 0.05);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_HERD), CHECK_WARN);
}

Test(herd, seven_are_no_wave)
{
	herd(7, 0.01);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_HERD), CHECK_INCONCLUSIVE);
	cr_assert_eq(rig_check(&r, CHECK_HERD)->n, 7);
}

Test(herd, one_alone_is_nothing)
{
	told(1, 1);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_HERD), CHECK_NOT_APPLICABLE);
}

/* Who honours a hint makes the herd: two verdicts. */
Test(herd, honest_and_a_herd)
{
	for (unsigned i = 0; i < 20; i++) {
		struct judge_exchange a = rig_exchange(0.001 * i, 0.05, 503), b = rig_exchange(2.05 + 0.0005 * i, 3, 200);

		a.wait_ns = S(2);
		a.target = b.target = span_of_string(target_of(i));
		rig_add(&r, a);
		rig_add(&r, b);
	}
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_PASS);
	cr_assert_eq(status(CHECK_HERD), CHECK_WARN);
}
