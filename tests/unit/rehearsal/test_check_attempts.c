/*
 * How often, how much, until when, and did it help: M1, M2, M3, M12, M20.
 */
#include "check_rig.h"

/* n attempts, the last with this status, 0.2 s apart; each request has a place of its own. */
static void request(const char *target, double at_s, unsigned n, unsigned last)
{
	for (unsigned i = 0; i < n; i++) {
		struct judge_exchange e = rig_exchange(at_s + 0.2 * i, at_s + 0.2 * i + 0.01, i + 1 < n ? 503 : last);

		e.target = span_of_string(target);
		rig_add(&r, e);
	}
}

/* ---- attempts ---- */

TestSuite(attempts, .init = start, .fini = end);

Test(attempts, at_the_limit)
{
	request("/a", 0, 4, 200);
	request("/b", 0, 1, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_ATTEMPTS), CHECK_PASS);
	cr_assert_eq(rig_measure(&r, EXPECT_ATTEMPTS_MAX)->value, 4);
	cr_assert_eq(rig_measure(&r, EXPECT_ATTEMPTS_MAX)->n, 1, "the one without a failure could not be tried again");
	cr_assert_eq(r.verdict.totals.logical, 2);
	cr_assert_eq(r.verdict.totals.retries, 3);
}

Test(attempts, one_too_many)
{
	request("/a", 0, 5, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_ATTEMPTS), CHECK_FAIL);
	cr_assert_eq(rig_check(&r, CHECK_ATTEMPTS)->evidence[0].id, 1);
	cr_assert_eq(rig_check(&r, CHECK_ATTEMPTS)->evidence[0].next_id, 5);
	cr_assert_str_eq(rig_check(&r, CHECK_ATTEMPTS)->evidence[0].what, "5 attempts");
}

Test(attempts, more_than_are_kept_are_counted)
{
	request("/a", 0, 50, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_ATTEMPTS_MAX)->value, 50);
	cr_assert_eq(r.verdict.totals.retries, 49);
}

Test(attempts, nothing_failed)
{
	request("/a", 0, 1, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_ATTEMPTS), CHECK_NOT_APPLICABLE);
	cr_assert_eq(status(CHECK_RETRY_BUDGET), CHECK_NOT_APPLICABLE);
}

/* ---- amplification ---- */

TestSuite(amplification, .init = start, .fini = end);

/* One before the faults, one that begins after the last. */
static void faulty_stretch(void)
{
	request("/before", 0, 1, 200);
	request("/a", 5, 3, 503);
	request("/b", 5.05, 1, 200);
	request("/after", 20, 1, 200);
}

Test(amplification, counts_what_began_while_faults_were_active)
{
	limit(EXPECT_AMPLIFICATION_MAX, EXPECT_AT_MOST, 2);
	faulty_stretch();
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_AMPLIFICATION_MAX)->n, 2);
	cr_assert_eq(rig_measure(&r, EXPECT_AMPLIFICATION_MAX)->value, 2);
	cr_assert_eq(status(CHECK_AMPLIFICATION), CHECK_PASS);
}

/* What begins in a pause of the faults belongs to the window once there is another one, however long ago it was over. */
Test(amplification, pauses_are_within)
{
	limit(EXPECT_AMPLIFICATION_MAX, EXPECT_AT_MOST, 1);
	request("/a", 0, 1, 503);
	request("/quiet", 100, 1, 200);
	request("/quieter", 200, 1, 200);
	request("/b", 300, 1, 503);
	request("/after", 400, 1, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_AMPLIFICATION_MAX)->n, 4);
	cr_assert_eq(rig_measure(&r, EXPECT_AMPLIFICATION_MAX)->value, 1);
}

Test(amplification, too_much)
{
	limit(EXPECT_AMPLIFICATION_MAX, EXPECT_AT_MOST, 1.99);
	faulty_stretch();
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_AMPLIFICATION), CHECK_FAIL);
}

Test(amplification, during_one_rule_alone)
{
	struct judge_exchange e = rig_exchange(8, 8.01, 503);
	static const uint16_t other = 1;

	r.expect.amplification_during = SPAN("other");
	limit(EXPECT_AMPLIFICATION_MAX, EXPECT_AT_MOST, 1);
	faulty_stretch();
	e.rule = 1;
	e.fired = &other;
	e.target = SPAN("/other");
	rig_add(&r, e);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_AMPLIFICATION_MAX)->n, 1);
	cr_assert_eq(rig_measure(&r, EXPECT_AMPLIFICATION_MAX)->value, 1);
}

Test(amplification, no_fault)
{
	limit(EXPECT_AMPLIFICATION_MAX, EXPECT_AT_MOST, 1);
	request("/a", 0, 1, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_AMPLIFICATION), CHECK_NOT_APPLICABLE);
}

/* ---- retry_budget ---- */

TestSuite(budget, .init = start, .fini = end);

static const char *target_of(unsigned i)
{
	static char targets[2000][8];

	for (unsigned k = 0, n = i; k < 6; k++, n /= 10)
		targets[i][k] = (char)('0' + n % 10);
	return targets[i];
}

/* n first attempts over 5 s, of which so many are retried once, evenly. */
static void load(unsigned n, unsigned retried)
{
	for (unsigned i = 0; i < n; i++)
		request(target_of(i), 5.0 * i / n, (i + 1) * retried / n > i * retried / n ? 2 : 1, 200);
}

Test(budget, within)
{
	load(50, 10); /* under 100 requests nothing is free: 0.2 exactly */
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_BUDGET), CHECK_PASS, "%s", rig_check(&r, CHECK_RETRY_BUDGET)->text);
	cr_assert_float_eq(rig_measure(&r, EXPECT_RETRY_BUDGET_RATIO)->value, 0.2, 1e-9);
}

Test(budget, beyond)
{
	load(50, 11);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_BUDGET), CHECK_FAIL);
}

/* From 100 requests on 10 a second are free: 100 in the window. */
Test(budget, the_floor)
{
	load(300, 160);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_BUDGET), CHECK_PASS, "%s", rig_check(&r, CHECK_RETRY_BUDGET)->text);
	cr_assert_float_eq(rig_measure(&r, EXPECT_RETRY_BUDGET_RATIO)->value, 0.2, 1e-9);
}

/* With the last retry it is 100 requests. */
Test(budget, the_floor_is_there_from_100_requests_on)
{
	load(80, 20);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_BUDGET), CHECK_PASS, "%s", rig_check(&r, CHECK_RETRY_BUDGET)->text);
}

/* What was before does not make up for it: a quarter of a minute later 10 of 25 are retried. */
Test(budget, each_window_counts_alone)
{
	for (unsigned i = 0; i < 60; i++)
		request(target_of(i), i / 12.0, 1, 200);
	for (unsigned i = 60; i < 85; i++)
		request(target_of(i), 20 + (i - 60) / 5.0, i < 70 ? 2 : 1, 200);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_BUDGET), CHECK_FAIL, "%s", rig_check(&r, CHECK_RETRY_BUDGET)->text);
}

Test(budget, too_few)
{
	load(19, 19);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_BUDGET), CHECK_INCONCLUSIVE);
}

Test(budget, tokens)
{
	expect_init(&r.expect, EXPECT_PROFILE_AWS);
	load(200, 100); /* 500 tokens, 5 each, and one back for each success */
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_BUDGET), CHECK_PASS, "%s", rig_check(&r, CHECK_RETRY_BUDGET)->text);
}

Test(budget, out_of_tokens)
{
	expect_init(&r.expect, EXPECT_PROFILE_AWS);
	for (unsigned i = 0; i < 60; i++)
		request(target_of(i), 0.05 * i, 3, 503);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_RETRY_BUDGET), CHECK_FAIL, "120 retries cost 600: %s", rig_check(&r, CHECK_RETRY_BUDGET)->text);
	cr_assert_float_eq(rig_measure(&r, EXPECT_RETRY_BUDGET_RATIO)->value, 20.0 / 120, 1e-9);
}

/* ---- give_up ---- */

TestSuite(give_up, .init = start, .fini = end);

static void must(double within_s)
{
	limit(EXPECT_GIVE_UP_WITHIN, EXPECT_AT_MOST, within_s * 1e9);
	limit(EXPECT_GIVE_UP_MUST, EXPECT_AT_LEAST, 1);
}

Test(give_up, in_time)
{
	must(0.5);
	request("/a", 0, 3, 503); /* 0.41 s */
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_GIVE_UP), CHECK_PASS);
	cr_assert_eq(r.verdict.totals.gave_up, 1);
}

Test(give_up, too_late)
{
	must(0.4);
	request("/a", 0, 3, 503);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_GIVE_UP), CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_GIVE_UP_MUST)->status, CHECK_PASS);
}

Test(give_up, never)
{
	must(100);
	request("/a", 0, 30, 503);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_GIVE_UP_MUST)->status, CHECK_FAIL);
}

Test(give_up, still_at_it_when_its_time_was_over)
{
	must(100);
	request("/a", 0, 5, 503);
	(void)rig_finish(&r, JUDGE_END_TIME_LIMIT);
	cr_assert_eq(rig_measure(&r, EXPECT_GIVE_UP_MUST)->status, CHECK_FAIL);
}

Test(give_up, the_run_ended_too_soon_to_tell)
{
	must(100);
	request("/a", 0, 3, 503);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_GIVE_UP), CHECK_INCONCLUSIVE);
}

/* Three times its last wait has passed, and a second: nothing more is to come. */
Test(give_up, silence_tells)
{
	must(100);
	request("/a", 0, 3, 503);
	request("/b", 5, 1, 200);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_GIVE_UP), CHECK_PASS);
}

Test(give_up, nothing_failed)
{
	must(1);
	request("/a", 0, 2, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_GIVE_UP), CHECK_NOT_APPLICABLE);
}

/* ---- yield ---- */

TestSuite(yield, .init = start, .fini = end);

Test(yield, at_the_limit)
{
	limit(EXPECT_YIELD_SUCCESS, EXPECT_AT_LEAST, 0.75);
	request("/a", 0, 2, 200);
	request("/b", 0.1, 3, 503);
	request("/c", 0.2, 2, 200);
	request("/d", 0.3, 1, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_YIELD), CHECK_PASS, "%s", rig_check(&r, CHECK_YIELD)->text);
	cr_assert_eq(rig_measure(&r, EXPECT_YIELD_SUCCESS)->value, 0.75);
}

Test(yield, below)
{
	limit(EXPECT_YIELD_SUCCESS, EXPECT_AT_LEAST, 0.5);
	request("/a", 0, 2, 200);
	request("/b", 0.1, 3, 503);
	request("/c", 0.1, 3, 503);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_YIELD), CHECK_FAIL);
	cr_assert_eq(rig_check(&r, CHECK_YIELD)->evidence_total, 2);
}

Test(yield, no_fault)
{
	limit(EXPECT_YIELD_SUCCESS, EXPECT_AT_LEAST, 0.5);
	request("/a", 0, 1, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_YIELD), CHECK_NOT_APPLICABLE);
}
