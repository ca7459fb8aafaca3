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
