/*
 * Simulated clients whose policy is known: what the judge says of them is counted, at the sample sizes that its limits were
 * chosen for.
 */
#include <criterion/criterion.h>

#include <stdio.h>

#include "rig.h"

#define RUNS 200u
#define RIGHT 190 /* 95 % */

/* Lives as long as the exchanges that point to it. */
static const char *target_of(unsigned i)
{
	static char targets[64][16];

	(void)snprintf(targets[i % 64], sizeof(targets[0]), "/items/%u", i % 64);
	return targets[i % 64];
}

static const char *growth_class(double f)
{
	return f < 0.9 ? "shrinking" : f <= 1.25 ? "constant" : "growing";
}

static const char *spread_class(double s)
{
	return s < 0.05 ? "none" : s < 0.15 ? "weak" : "present";
}

static const struct policy_row {
	const char *name;
	struct sim sim;
	const char *growth, *spread;
} policies[] = {
	{ "fixed", { .wait = SIM_FIXED, .base_s = 0.5, .cap_s = 10, .attempts = 4 }, "constant", "none" },
	{ "exponential", { .wait = SIM_EXPONENTIAL, .base_s = 0.5, .cap_s = 10, .attempts = 4 }, "growing", "none" },
	{ "full jitter", { .wait = SIM_FULL, .base_s = 2, .cap_s = 100, .attempts = 4 }, "growing", "present" },
	{ "equal jitter", { .wait = SIM_EQUAL, .base_s = 0.5, .cap_s = 10, .attempts = 4 }, "growing", "present" },
	{ "decorrelated", { .wait = SIM_DECORRELATED, .base_s = 0.5, .cap_s = 100, .attempts = 4 }, "growing", "present" },
	{ "plus minus", { .wait = SIM_PLUS_MINUS, .base_s = 0.5, .cap_s = 10, .attempts = 4 }, "growing", "present" },
	{ "three quarters", { .wait = SIM_STAINLESS, .base_s = 0.5, .cap_s = 8, .attempts = 4 }, "growing", "present" },
	{ "half as much again", { .wait = SIM_R4J, .base_s = 0.5, .cap_s = 10, .attempts = 4 }, "growing", "present" },
};

Test(sim, growth_and_jitter_are_classed_right, .timeout = 120)
{
	for (unsigned i = 0; i < ARRAY_LEN(policies); i++) {
		const struct policy_row *p = &policies[i];
		unsigned growth = 0, spread = 0, attempts = 0;

		for (unsigned run = 0; run < RUNS; run++) {
			struct sim sim = p->sim;
			struct rig r;

			rig_init(&r);
			r.seed = run;
			for (unsigned k = 0; k < 20; k++) {
				sim.target = target_of(k);
				(void)sim_request(&r, &sim, k * 0.3, sim_always_503, NULL);
			}
			(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
			growth += strcmp(growth_class(rig_measure(&r, EXPECT_BACKOFF_GROWTH)->value), p->growth) == 0;
			spread += strcmp(spread_class(rig_measure(&r, EXPECT_JITTER_SPREAD)->value), p->spread) == 0;
			attempts += rig_measure(&r, EXPECT_ATTEMPTS_MAX)->value == 4 && r.verdict.totals.logical == 20 &&
				    r.verdict.totals.retries == 60;
			rig_deinit(&r);
		}
		cr_expect_geq(growth, RIGHT, "%s: growth right in %u", p->name, growth);
		cr_expect_geq(spread, RIGHT, "%s: spread right in %u", p->name, spread);
		cr_expect_eq(attempts, RUNS, "%s: attempts right in %u", p->name, attempts);
	}
}

/* ---- honest clients ---- */

/* Any wait, in any form; sometimes a success, sometimes an answer that takes long to arrive. */
static void any_hint(void *context, unsigned attempt, struct judge_exchange *e)
{
	struct rig *r = context;
	double held_s = rig_random(r) < 0.2 ? rig_between(r, 0, 2) : 0;

	(void)attempt;
	e->hdr_ns += S(held_s);
	e->end_ns += S(held_s);
	if (rig_random(r) < 0.2) {
		e->status = 200;
		return;
	}
	if (rig_random(r) < 0.2)
		return; /* none */
	e->hint = rig_random(r) < 0.5 ? HINT_RETRY_AFTER : HINT_RETRY_AFTER_MS;
	e->wait_ns = e->hint == HINT_RETRY_AFTER ? S(1) * (int64_t)rig_between(r, 0, 6) : S(rig_between(r, 0, 3));
	if (rig_random(r) < 0.2)
		e->wait_ns = S(90);
}

/*
 * It waits exactly as long as it was told, by a clock that runs up to 200 ppm fast and wakes it a millisecond too soon. What is
 * between it and brownout takes time, and brownout looks at its clock before it answers and after it has read.
 */
static void honest_request(struct rig *r, const char *target, double at_s, unsigned attempts, unsigned ids)
{
	double clock = 1 - rig_between(r, 0, 200e-6);
	uint64_t logical = ++r->draws;

	for (unsigned attempt = 1; attempt <= attempts; attempt++) {
		struct judge_exchange e = rig_exchange(at_s, at_s + rig_between(r, 0, 0.02), 503);
		double wait_s;

		e.target = span_of_string(target);
		e.attempt = (uint16_t)(ids == 1 ? attempt : 0);
		e.logical_id = ids == 2 ? logical : 0;
		e.connection = rig_random(r) < 0.5 ? logical : ++r->draws;
		any_hint(r, attempt, &e);
		if (e.status == 200)
			e.rule = -1;
		rig_add(r, e);
		if (e.status == 200)
			return;
		wait_s = e.wait_ns >= 0 ? (double)e.wait_ns / 1e9 * clock - 0.001 : rig_between(r, 0.01, 1);
		at_s = (double)(e.hdr_ns - S(100)) / 1e9 + (rig_random(r) < 0.3 ? rig_between(r, 0, 0.05) : 0);
		at_s += wait_s > 0 ? wait_s : 0;
	}
}

/* No client that keeps the waits it is told is ever accused, whatever else goes on. */
Test(sim, honest_clients_are_never_accused, .timeout = 120)
{
	uint64_t judged = 0;

	for (unsigned run = 0; run < 1000; run++) {
		bool alike = run % 2; /* all requests the same, at the same time */
		struct rig r;
		unsigned n;

		rig_init(&r);
		r.seed = run;
		n = (unsigned)rig_between(&r, 1, 60);
		for (unsigned i = 0; i < n; i++)
			honest_request(&r, alike ? "/same" : target_of(i), rig_between(&r, 0, alike ? 0.04 : 10),
				(unsigned)rig_between(&r, 2, 6), run % 3);
		(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
		cr_assert_neq(rig_check(&r, CHECK_RETRY_AFTER)->status, CHECK_FAIL, "run %u: %s: %s", run,
			rig_check(&r, CHECK_RETRY_AFTER)->text, rig_check(&r, CHECK_RETRY_AFTER)->evidence[0].what);
		judged += rig_check(&r, CHECK_RETRY_AFTER)->n;
		rig_deinit(&r);
	}
	cr_assert_gt(judged, 25000);
}

static void told_2s(void *context, unsigned attempt, struct judge_exchange *e)
{
	(void)context;
	(void)attempt;
	e->wait_ns = S(2);
	e->hint = HINT_RETRY_AFTER;
}

/* Half of the clients do not listen: each of their follow-ups is found, and none of the others. */
Test(sim, who_ignores_waits_is_counted_exactly)
{
	for (unsigned run = 0; run < 50; run++) {
		struct sim deaf = { .wait = SIM_FULL, .base_s = 0.3, .cap_s = 1.5, .attempts = 4, .ignores_hints = true };
		struct sim good = { .wait = SIM_FULL, .base_s = 0.3, .cap_s = 1.5, .attempts = 3 };
		struct rig r;

		rig_init(&r);
		r.seed = run;
		for (unsigned i = 0; i < 20; i++) {
			deaf.target = good.target = target_of(i);
			deaf.client = "deaf";
			(void)sim_request(&r, i % 2 ? &deaf : &good, i * 0.1, told_2s, NULL);
		}
		(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
		cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->status, CHECK_FAIL);
		cr_assert_eq(rig_measure(&r, EXPECT_RETRY_AFTER_HONOURED)->n, 50);
		cr_assert_float_eq(rig_measure(&r, EXPECT_RETRY_AFTER_HONOURED)->value, 0.4, 1e-9);
		rig_deinit(&r);
	}
}

/* ---- pollers ---- */

/*
 * A request each period whatever becomes of it; a share of them gets a fault. With retries: one more after 0.1 s, till
 * it works.
 */
static unsigned poll(struct rig *r, double period_s, unsigned n, double share, bool retries)
{
	unsigned retried = 0;

	for (unsigned i = 0; i < n; i++) {
		double at_s = i * period_s + rig_between(r, 0, 0.02);

		for (;;) {
			bool faulted = rig_random(r) < share;

			rig_add(r, rig_exchange(at_s, at_s + 0.003, faulted ? 503 : 200));
			if (!faulted || !retries)
				break;
			retried++;
			at_s += 0.1 + rig_between(r, 0, 0.01);
		}
	}
	return retried;
}

Test(sim, pollers_are_no_retriers)
{
	for (unsigned run = 0; run < 50; run++) {
		struct rig r;

		rig_init(&r);
		r.seed = run;
		(void)poll(&r, 1, 300, 0.5, false);
		(void)rig_finish(&r, JUDGE_END_STOPPED);
		cr_assert(r.verdict.contrast.measured);
		cr_assert_lt(r.verdict.contrast.retries_per_fault, 0.02);
		/* Nor are they a client that never gives up. */
		cr_assert_eq(r.verdict.totals.retries, 0, "run %u: %llu", run, (unsigned long long)r.verdict.totals.retries);
		cr_assert_neq(rig_check(&r, CHECK_ATTEMPTS)->status, CHECK_FAIL, "%s", rig_check(&r, CHECK_ATTEMPTS)->text);
		rig_deinit(&r);
	}
}

Test(sim, pollers_that_retry_are_seen_to)
{
	for (unsigned run = 0; run < 50; run++) {
		struct rig r;
		unsigned retried;

		rig_init(&r);
		r.seed = run;
		retried = poll(&r, 2, 300, 0.3, true);
		(void)rig_finish(&r, JUDGE_END_STOPPED);
		cr_assert_float_eq((double)r.verdict.totals.retries, retried, 0.05 * retried + 2, "%llu of %u",
			(unsigned long long)r.verdict.totals.retries, retried);
		cr_assert_gt(r.verdict.contrast.retries_per_fault, 0.9);
		rig_deinit(&r);
	}
}

/* The next of the same comes at once either way: nothing can be said, and that is said. */
Test(sim, a_loop_of_the_same_request_needs_a_key)
{
	struct rig r;
	double at_s = 0;

	rig_init(&r);
	for (unsigned i = 0; i < 400; i++) {
		bool faulted = rig_random(&r) < 0.3;

		rig_add(&r, rig_exchange(at_s, at_s + 0.002, faulted ? 503 : 200));
		at_s += 0.002 + (faulted ? 0.1 : 0.001);
	}
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_gt(r.verdict.totals.not_identifiable, 50);
	cr_assert_eq(rig_check(&r, CHECK_ATTEMPTS)->status, CHECK_INCONCLUSIVE);
	cr_assert(strstr(rig_check(&r, CHECK_ATTEMPTS)->text, "logical_key"), "%s", rig_check(&r, CHECK_ATTEMPTS)->text);
	rig_deinit(&r);
}

/* With ids the same loop is no riddle. */
Test(sim, a_loop_with_ids_is_clear)
{
	struct rig r;
	double at_s = 0;
	unsigned retried = 0;
	uint64_t id = 1;

	rig_init(&r);
	for (unsigned i = 0; i < 400; i++) {
		bool faulted = rig_random(&r) < 0.3;
		struct judge_exchange e = rig_exchange(at_s, at_s + 0.002, faulted ? 503 : 200);

		e.logical_id = id;
		retried += faulted;
		id += !faulted;
		rig_add(&r, e);
		at_s += 0.002 + (faulted ? 0.1 : 0.001);
	}
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(r.verdict.totals.retries, retried);
	cr_assert_eq(r.verdict.totals.not_identifiable, 0);
	cr_assert_eq(rig_check(&r, CHECK_ATTEMPTS)->confidence, CONFIDENCE_ID);
	rig_deinit(&r);
}
