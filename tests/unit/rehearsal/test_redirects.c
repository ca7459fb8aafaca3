/*
 * Redirects that tell a wait (RFC 9110 section 10.2.3): who follows at once is seen, and nobody else is accused: M19.
 */
#include "core/hint.h"
#include "check_rig.h"

static void begin(void)
{
	start();
	limit(EXPECT_HANDLING_MAX, EXPECT_AT_MOST, 0);
}

TestSuite(redirects, .init = begin, .fini = end);

/* Sent from /a to /b, with a wait. */
static void told(double at_s, double wait_s)
{
	struct judge_exchange e = rig_exchange(at_s, at_s + 0.01, 302);

	e.target = SPAN("/a");
	e.wait_ns = S(wait_s);
	e.hint = HINT_RETRY_AFTER;
	e.redirect = hint_place(e.host, SPAN("/b"));
	rig_add(&r, e);
}

static void come(double at_s, double took_s)
{
	struct judge_exchange e = rig_exchange(at_s, at_s + took_s, 200);

	e.target = SPAN("/b");
	rig_add(&r, e);
}

static enum check_status judged(void)
{
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	return (enum check_status)rig_check(&r, CHECK_HANDLING)->status;
}

Test(redirects, followed_at_once)
{
	told(0, 2);
	come(0.02, 0.01);
	cr_assert_eq(judged(), CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_HANDLING_MAX)->value, 1);
	cr_assert_str_eq(rig_check(&r, CHECK_HANDLING)->evidence[0].what, "followed a redirect after 0.010 s instead of 2.000 s");
	cr_assert_str_eq(rig_check(&r, CHECK_HANDLING)->evidence[0].request, "GET /b");
}

Test(redirects, followed_when_the_wait_is_over)
{
	told(0, 2);
	come(2.01, 0.01);
	cr_assert_eq(judged(), CHECK_PASS);
	cr_assert_eq(rig_measure(&r, EXPECT_HANDLING_MAX)->n, 1);
}

/* The wait counts from the head of the redirect, which may end long after. */
Test(redirects, the_wait_begins_with_the_head)
{
	struct judge_exchange e = rig_exchange(0, 1.9, 302);

	e.hdr_ns = S(100.01);
	e.wait_ns = S(2);
	e.redirect = hint_place(e.host, SPAN("/b"));
	rig_add(&r, e);
	come(2.006, 0.01);
	cr_assert_eq(judged(), CHECK_PASS);
}

Test(redirects, not_followed)
{
	told(0, 2);
	cr_assert_eq(judged(), CHECK_NOT_APPLICABLE);
}

/* Somebody comes to that place by himself: it may have been him as well. */
Test(redirects, who_comes_by_himself_is_not_accused)
{
	told(0, 2);
	come(0.02, 0.01);
	come(2.5, 0.01);
	cr_assert_eq(judged(), CHECK_INCONCLUSIVE);
	cr_assert_eq(rig_measure(&r, EXPECT_HANDLING_MAX)->value, 0);
}

Test(redirects, early_but_not_at_once_is_not_certain)
{
	told(0, 2);
	come(1, 0.01);
	cr_assert_eq(judged(), CHECK_INCONCLUSIVE);
}

/* Of a client with several requests at a time one may be a chance, three are none. */
static void crowd(unsigned n)
{
	come(0, 0.2);
	for (unsigned i = 0; i < n; i++) {
		told(0.1 + i, 0.5);
		come(0.12 + i, 0.01);
	}
	/* The first that came there came before anybody was sent, and ended after. */
	r.v[0].target = SPAN("/c");
}

Test(redirects, of_a_crowd_one_is_no_sign)
{
	crowd(2);
	cr_assert_eq(judged(), CHECK_INCONCLUSIVE);
}

Test(redirects, of_a_crowd_three_are)
{
	crowd(3);
	cr_assert_eq(judged(), CHECK_FAIL);
	cr_assert_eq(rig_measure(&r, EXPECT_HANDLING_MAX)->value, 3);
}

/* It is about the place that it points to, not about everything of its host. */
Test(redirects, binds_nobody_else)
{
	struct judge_exchange other = rig_exchange(0.5, 0.51, 200);

	r.expect.retry_after_scope = EXPECT_SCOPE_HOST;
	other.target = SPAN("/c");
	told(0, 2);
	rig_add(&r, other);
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->n, 0);
}

/* One that waits exactly as long as it was told by a clock that is a little fast, or gives up; and others at the same place. */
static void honest(struct rig *rig, double at_s, bool waits)
{
	double wait_s = (double)(int)rig_between(rig, 1, 4), clock = 1 - rig_between(rig, 0, 200e-6);
	struct judge_exchange e = rig_exchange(at_s, at_s + rig_between(rig, 0, 0.02), 302), follow;

	e.target = SPAN("/a");
	e.wait_ns = S(wait_s);
	e.redirect = hint_place(e.host, SPAN("/b"));
	rig_add(rig, e);
	if (!waits)
		return;
	at_s = (double)(e.hdr_ns - S(100)) / 1e9 + wait_s * clock - 0.001;
	follow = rig_exchange(at_s, at_s + rig_between(rig, 0, 0.02), 200);
	follow.target = SPAN("/b");
	rig_add(rig, follow);
}

Test(redirects, honest_clients_are_never_accused, .timeout = 60)
{
	uint64_t judged_n = 0;

	for (unsigned run = 0; run < 1000; run++) {
		struct rig mine;
		unsigned n;

		rig_init(&mine);
		mine.expect.limits[EXPECT_HANDLING_MAX] = (struct expect_limit){ EXPECT_FAIL, EXPECT_AT_MOST, 0 };
		mine.seed = run;
		n = (unsigned)rig_between(&mine, 1, 30);
		for (unsigned i = 0; i < n; i++)
			honest(&mine, rig_between(&mine, 0, 10), rig_random(&mine) < 0.7);
		for (unsigned i = 0; run % 2 && i < n; i++) {
			double at_s = rig_between(&mine, 0, 15);
			struct judge_exchange e = rig_exchange(at_s, at_s + 0.01, 200);

			e.target = SPAN("/b");
			rig_add(&mine, e);
		}
		(void)rig_finish(&mine, JUDGE_END_CLIENT_LEFT);
		cr_assert_neq(rig_check(&mine, CHECK_HANDLING)->status, CHECK_FAIL, "run %u: %s", run,
			rig_check(&mine, CHECK_HANDLING)->evidence[0].what);
		judged_n += rig_measure(&mine, EXPECT_HANDLING_MAX)->n;
		rig_deinit(&mine);
	}
	cr_assert_gt(judged_n, 2000);
}
