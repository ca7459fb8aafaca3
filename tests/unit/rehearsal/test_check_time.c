/*
 * The client's patience, and traffic before, during and after the faults: M13 to M16.
 */
#include "check_rig.h"

/* ---- client_timeout ---- */

TestSuite(timeout, .init = start, .fini = end);

/* Left after so long; delay: what a rule had planned. */
static void left(double at_s, double after_s, double delay_s)
{
	struct judge_exchange e = rig_exchange(at_s, at_s + after_s, 0);

	e.abort_ns = e.end_ns;
	e.last_ns = e.first_ns + S(0.5);
	e.delay_ns = S(delay_s);
	rig_add(&r, e);
}

static void between(double min_s, double max_s)
{
	limit(EXPECT_TIMEOUT_MIN, EXPECT_AT_LEAST, min_s * 1e9);
	limit(EXPECT_TIMEOUT_MAX, EXPECT_AT_MOST, max_s * 1e9);
}

/* Counted from the last byte of the request. */
Test(timeout, between)
{
	between(2, 2);
	left(0, 2.5, 60);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_CLIENT_TIMEOUT), CHECK_PASS, "%s", rig_check(&r, CHECK_CLIENT_TIMEOUT)->text);
}

Test(timeout, too_short)
{
	between(2.1, 30);
	left(0, 2.5, 60);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_TIMEOUT_MIN)->status, CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_TIMEOUT_MAX)->status, CHECK_PASS);
}

Test(timeout, none_in_time)
{
	struct judge_exchange e = rig_exchange(0, 45, 504);

	between(1, 30);
	rig_add(&r, e);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_TIMEOUT_MAX)->status, CHECK_FAIL);
	cr_assert(rig_measure(&r, EXPECT_TIMEOUT_MAX)->at_least);
}

/* It was not made to wait longer than it may. */
Test(timeout, cannot_be_told)
{
	between(1, 30);
	rig_add(&r, rig_exchange(0, 5, 504));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_CLIENT_TIMEOUT), CHECK_INCONCLUSIVE);
}

Test(timeout, nothing_was_slow)
{
	between(1, 30);
	rig_add(&r, rig_exchange(0, 0.5, 200));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_CLIENT_TIMEOUT), CHECK_NOT_APPLICABLE);
}

Test(timeout, before_the_gateway)
{
	limit(EXPECT_TIMEOUT_BELOW_GATEWAY, EXPECT_AT_MOST, 0);
	left(0, 2.5, 10);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_TIMEOUT_BELOW_GATEWAY)->status, CHECK_FAIL);
}

Test(timeout, after_the_gateway)
{
	struct judge_exchange e = rig_exchange(0, 10, 504);

	limit(EXPECT_TIMEOUT_BELOW_GATEWAY, EXPECT_AT_MOST, 0);
	e.delay_ns = S(10);
	e.deadline_ns = S(600);
	rig_add(&r, e);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_TIMEOUT_BELOW_GATEWAY)->status, CHECK_PASS);
	cr_assert(strstr(rig_check(&r, CHECK_CLIENT_TIMEOUT)->text, "declares 600.00 s"));
}

/* ---- traffic in phases ---- */

/* per_s requests of their own each, from one time to another, with this status. */
static void traffic(double from_s, double to_s, double per_s, unsigned code)
{
	static char targets[8192][8];
	static unsigned n;

	for (double at_s = from_s; at_s < to_s - 1e-9; at_s += 1 / per_s) {
		struct judge_exchange e = rig_exchange(at_s, at_s + 0.002, code);
		unsigned i = n++ % 8192;

		for (unsigned k = 0, v = i; k < 6; k++, v /= 10)
			targets[i][k] = (char)('0' + v % 10);
		e.target = span_of_string(targets[i]);
		rig_add(&r, e);
	}
}

TestSuite(breaker, .init = start, .fini = end);

static void breaker_limits(void)
{
	limit(EXPECT_BREAKER_OPENS, EXPECT_AT_MOST, 20);
	limit(EXPECT_BREAKER_PROBES, EXPECT_AT_MOST, 2);
}

/* 20 a second; 15 failures, silence with two probes, and on. */
static void breaker(void)
{
	traffic(0, 3, 20, 200);
	traffic(3, 3.75, 20, 503);
	traffic(6, 6.01, 20, 503);
	traffic(9, 9.01, 20, 503);
	traffic(12, 15, 20, 200);
}

Test(breaker, opens)
{
	breaker_limits();
	breaker();
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_CIRCUIT_BREAKER), CHECK_PASS, "%s", rig_check(&r, CHECK_CIRCUIT_BREAKER)->text);
	cr_assert_eq(rig_measure(&r, EXPECT_BREAKER_OPENS)->value, 15);
	cr_assert_eq(rig_measure(&r, EXPECT_BREAKER_PROBES)->value, 2);
}

Test(breaker, too_late_and_with_too_many_probes)
{
	limit(EXPECT_BREAKER_OPENS, EXPECT_AT_MOST, 14);
	limit(EXPECT_BREAKER_PROBES, EXPECT_AT_MOST, 1);
	breaker();
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_BREAKER_OPENS)->status, CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_BREAKER_PROBES)->status, CHECK_FAIL);
}

Test(breaker, none)
{
	breaker_limits();
	traffic(0, 3, 20, 200);
	traffic(3, 10, 20, 503);
	traffic(10, 12, 20, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_CIRCUIT_BREAKER), CHECK_FAIL);
}

Test(breaker, too_little_traffic_to_tell)
{
	breaker_limits();
	traffic(0, 10, 4, 200);
	traffic(10, 20, 4, 503);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_CIRCUIT_BREAKER), CHECK_INCONCLUSIVE);
}

/* The traffic was over: that is no breaker. */
Test(breaker, a_test_that_ends)
{
	breaker_limits();
	traffic(0, 3, 20, 200);
	traffic(3, 4, 20, 503);
	traffic(9, 9.01, 20, 503);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_CIRCUIT_BREAKER), CHECK_INCONCLUSIVE, "%s", rig_check(&r, CHECK_CIRCUIT_BREAKER)->text);
}

Test(breaker, no_fault)
{
	breaker_limits();
	traffic(0, 3, 20, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_CIRCUIT_BREAKER), CHECK_NOT_APPLICABLE);
	cr_assert_eq(status(CHECK_RECOVERY), CHECK_NOT_APPLICABLE);
	cr_assert_eq(status(CHECK_AFTERMATH), CHECK_NOT_APPLICABLE);
}

/* ---- recovery, aftermath ---- */

TestSuite(recovery, .init = start, .fini = end);

static void recovery_limits(double first_s, double steady_s, double overshoot)
{
	limit(EXPECT_RECOVERY_FIRST, EXPECT_AT_MOST, first_s * 1e9);
	limit(EXPECT_RECOVERY_STEADY, EXPECT_AT_MOST, steady_s * 1e9);
	limit(EXPECT_RECOVERY_OVERSHOOT, EXPECT_BELOW, overshoot);
}

Test(recovery, at_once)
{
	recovery_limits(0.1, 0.2, 1.5);
	traffic(0, 5, 20, 200);
	traffic(5, 8, 20, 503);
	traffic(8, 12, 20, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_RECOVERY), CHECK_PASS, "%s", rig_check(&r, CHECK_RECOVERY)->text);
	cr_assert_float_eq(rig_measure(&r, EXPECT_RECOVERY_OVERSHOOT)->value, 1, 0.11);
}

/* Two seconds without a word, then real failures for two, then three times the traffic. */
Test(recovery, late_and_with_a_surge)
{
	recovery_limits(1.9, 3, 1.5);
	traffic(0, 5, 20, 200);
	traffic(5, 8, 20, 503);
	traffic(10, 12, 20, 500);
	for (size_t i = 0; i < r.n; i++) {
		if (r.v[i].status == 500) {
			r.v[i].rule = -1;
			r.v[i].n_fired = 0;
		}
	}
	traffic(12, 16, 60, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_RECOVERY_FIRST)->status, CHECK_FAIL);
	cr_assert_float_eq(rig_measure(&r, EXPECT_RECOVERY_FIRST)->value, 4.05e9, 0.1e9);
	cr_assert_eq(rig_measure(&r, EXPECT_RECOVERY_STEADY)->status, CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_RECOVERY_OVERSHOOT)->status, CHECK_FAIL);
	cr_assert_float_eq(rig_measure(&r, EXPECT_RECOVERY_OVERSHOOT)->value, 3, 0.11);
}

Test(recovery, the_faults_did_not_end)
{
	recovery_limits(1, 1, 2);
	traffic(0, 5, 20, 200);
	traffic(5, 8, 20, 503);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_RECOVERY), CHECK_INCONCLUSIVE);
}

/* Of faults that fall by lot the last one is no end. */
Test(recovery, a_pause_by_lot_is_no_end)
{
	recovery_limits(1, 1, 2);
	for (unsigned i = 0; i < 40; i++) {
		traffic(i, i + 0.9, 10, 200);
		traffic(i + 0.9, i + 0.95, 10, 503);
	}
	traffic(40, 41, 10, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(status(CHECK_RECOVERY), CHECK_INCONCLUSIVE, "%s", rig_check(&r, CHECK_RECOVERY)->text);
}

TestSuite(aftermath, .init = start, .fini = end);

static void aftermath(double rate_after, double for_s)
{
	limit(EXPECT_AFTERMATH_SUSTAINED, EXPECT_AT_MOST, 0);
	traffic(0, 5, 20, 200);
	traffic(5, 8, 20, 503);
	traffic(8, 8 + for_s, rate_after, 200);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
}

Test(aftermath, none)
{
	aftermath(20, 15);
	cr_assert_eq(status(CHECK_AFTERMATH), CHECK_PASS, "%s", rig_check(&r, CHECK_AFTERMATH)->text);
}

Test(aftermath, the_storm_goes_on_by_itself)
{
	aftermath(30, 15);
	cr_assert_eq(status(CHECK_AFTERMATH), CHECK_FAIL, "%s", rig_check(&r, CHECK_AFTERMATH)->text);
}

Test(aftermath, too_short_to_tell)
{
	aftermath(30, 5);
	cr_assert_eq(status(CHECK_AFTERMATH), CHECK_INCONCLUSIVE);
}
