/*
 * Windows and ramps by table; bursts against a chain that keeps its state.
 */
#include "core/schedule.h"

#include "core/random.h"
#include "fake.h"

/* ---- windows ------------------------------------------------------------------------------------------------------- */

Test(schedule, windows)
{
	static const struct {
		struct rule_schedule schedule;
		const char *open; /* at 0, 5, 10, ... ns */
	} table[] = {
		{ { 0 }, "++++++++++" },
		{ { .start_after_ns = 10 }, "--++++++++" },
		{ { .start_after_ns = 11 }, "---+++++++" },
		{ { .duration_ns = 15 }, "+++-------" },
		{ { .start_after_ns = 5, .duration_ns = 10 }, "-++-------" },
		{ { .duration_ns = 5, .period_ns = 15 }, "+--+--+--+" },
		{ { .start_after_ns = 10, .duration_ns = 10, .period_ns = 20 }, "--++--++--" },
		{ { .ttl_ns = 20 }, "++++------" },
		{ { .start_after_ns = 5, .duration_ns = 5, .period_ns = 10, .ttl_ns = 30 }, "-+-+-+----" },
		{ { .period_ns = 10 }, "++++++++++" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		for (unsigned at = 0; table[i].open[at]; at++) {
			int64_t into;
			bool open = schedule_is_open(&table[i].schedule, at * 5, &into);

			cr_expect_eq(open, table[i].open[at] == '+', "row %u at %u", i, at * 5);
		}
	}
}

Test(schedule, edges_of_a_window)
{
	const struct rule_schedule s = { .start_after_ns = 100, .duration_ns = 10, .period_ns = 50 };
	int64_t into;

	cr_assert_not(schedule_is_open(&s, 99, &into));
	cr_assert(schedule_is_open(&s, 100, &into));
	cr_assert_eq(into, 0);
	cr_assert(schedule_is_open(&s, 109, &into));
	cr_assert_eq(into, 9);
	cr_assert_not(schedule_is_open(&s, 110, &into));
	cr_assert(schedule_is_open(&s, 150, &into));
	cr_assert_eq(into, 0);
	cr_assert_not(schedule_is_open(&s, -1, &into), "before the epoch");
	cr_assert_not(schedule_is_open(&s, INT64_MIN + 200, &into));
}

Test(schedule, outside_is_recorded_and_counts_the_occurrence)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");

	b.rule->schedule.start_after_ns = 1000;
	b.rule->first = 3;
	fake_seal(&b);
	rule_states_arm(&b.states, 5000);
	cr_assert_eq(fake_ask_at(&b, &f, 5999).decisions[0].outcome, DECISION_OUTSIDE);
	cr_assert_eq(fake_ask_at(&b, &f, 6000).decisions[0].outcome, DECISION_FIRED);
	cr_assert_eq(fake_ask_at(&b, &f, 6000).decisions[0].since_ns, 1000);
	cr_assert_eq(fake_ask_at(&b, &f, 6000).decisions[0].outcome, DECISION_SKIPPED, "first counts matches, not faults");
	cr_assert_eq(b.states.v[0]->matched, 4);
	cr_assert_eq(b.states.v[0]->fired, 2);
	fake_close(&b);
}

Test(schedule, window_that_begins_with_the_traffic)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");
	struct decision d;

	b.rule->schedule.start_after_requests = 2;
	b.rule->schedule.duration_ns = 100;
	fake_seal(&b);
	rule_states_arm(&b.states, 5000);
	cr_assert_eq(fake_ask_at(&b, &f, 6000).decisions[0].outcome, DECISION_OUTSIDE);
	d = fake_ask_at(&b, &f, 7000).decisions[0];
	cr_assert_eq(d.outcome, DECISION_OUTSIDE);
	cr_assert_lt(d.since_ns, 0);
	cr_assert_eq(decide_draw(&b.set, 0, d.key_hash, d.occurrence, d.since_ns).outcome, DECISION_OUTSIDE, "decided again");
	cr_assert_eq(fake_ask_at(&b, &f, 9000).decisions[0].outcome, DECISION_FIRED);
	d = fake_ask_at(&b, &f, 9099).decisions[0];
	cr_assert_eq(d.outcome, DECISION_FIRED);
	cr_assert_eq(d.since_ns, 99);
	cr_assert_eq(decide_draw(&b.set, 0, d.key_hash, d.occurrence, d.since_ns).outcome, DECISION_FIRED, "decided again");
	cr_assert_eq(fake_ask_at(&b, &f, 9100).decisions[0].outcome, DECISION_OUTSIDE);
	/* Armed anew it counts anew. */
	rule_states_arm(&b.states, 10000);
	cr_assert_eq(fake_ask_at(&b, &f, 10001).decisions[0].outcome, DECISION_OUTSIDE);
	cr_assert_eq(fake_ask_at(&b, &f, 10002).decisions[0].outcome, DECISION_OUTSIDE);
	cr_assert_eq(fake_ask_at(&b, &f, 10003).decisions[0].outcome, DECISION_FIRED);
	rule_states_reset(&b.states);
	cr_assert_eq(fake_ask_at(&b, &f, 10004).decisions[0].outcome, DECISION_OUTSIDE);
	fake_close(&b);
}

/* ---- ramps --------------------------------------------------------------------------------------------------------- */

Test(schedule, ramps_are_linear_and_exact)
{
	static const struct {
		uint32_t from;
		uint32_t to;
		int64_t over_ns;
		int64_t into_ns;
		uint32_t percentage;
	} table[] = {
		{ 0, 100000000, 60 * NS_PER_S, 0, 0 },
		{ 0, 100000000, 60 * NS_PER_S, 30 * NS_PER_S, 50000000 },
		{ 0, 100000000, 60 * NS_PER_S, 60 * NS_PER_S - 1, 99999999 },
		{ 0, 100000000, 60 * NS_PER_S, 60 * NS_PER_S, 100000000 },
		{ 0, 100000000, 3, 1, 33333333 },
		{ 10000000, 20000000, 10, 5, 15000000 },
		{ 100000000, 0, 10, 1, 90000000 },
		{ 100000000, 0, 3, 1, 66666666 },
		{ 100000000, 0, 3, 3, 0 },
		{ 50000000, 50000000, 3, 1, 50000000 },
		{ 0, 100000000, INT64_MAX, INT64_MAX / 2 + 1, 50000000 },
		{ 7, 42, 0, 0, 42 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		const struct rule r = { .percentage = table[i].to,
			.schedule = { .ramp_from = table[i].from, .ramp_over_ns = table[i].over_ns } };

		cr_expect_eq(schedule_percentage(&r, table[i].into_ns), table[i].percentage, "row %u: %u", i,
			schedule_percentage(&r, table[i].into_ns));
	}
}

Test(schedule, the_threshold_follows_the_ramp)
{
	static const struct {
		int64_t since_ns;
		uint64_t threshold;
	} table[] = {
		{ 0, 0 },
		{ 25, UINT64_C(1) << 62 },
		{ 50, UINT64_C(1) << 63 },
		{ 100, UINT64_MAX },
		{ 1000, UINT64_MAX },
	};
	struct fake_bench b = fake_open(3);

	b.rule->schedule.ramp_over_ns = 100;
	fake_seal(&b);
	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		for (uint64_t n = 1; n <= 50; n++) {
			struct decision d = decide_draw(&b.set, 0, 0, n, table[i].since_ns);

			cr_assert_eq(d.threshold, table[i].threshold, "at %ld", table[i].since_ns);
			cr_assert_eq(d.outcome, d.draw < d.threshold ? DECISION_FIRED : DECISION_NOT_DRAWN);
		}
	}
	fake_close(&b);
}

Test(schedule, an_even_ramp_fires_its_share_of_a_block)
{
	struct fake_bench b = fake_open(3);
	unsigned fired = 0;

	b.rule->sampling = RULE_SAMPLING_EVEN;
	b.rule->schedule.ramp_over_ns = 100;
	fake_seal(&b);
	for (uint64_t n = 1; n <= 100; n++)
		fired += decide_draw(&b.set, 0, 0, n, 37).outcome == DECISION_FIRED;
	cr_assert_eq(fired, 37);
	fake_close(&b);
}

/* ---- bursts -------------------------------------------------------------------------------------------------------- */

static struct rule burst_rule(double enter, double leave)
{
	return (struct rule){ .name_hash = 5, .schedule = { .burst = true,
		.burst_enter = enter >= 1 ? UINT64_MAX : (uint64_t)(enter * 18446744073709551616.0),
		.burst_leave = leave >= 1 ? UINT64_MAX : (uint64_t)(leave * 18446744073709551616.0) } };
}

Test(schedule, bursts_are_the_chain_that_keeps_its_state)
{
	static const double chances[][2] = { { 0.01, 0.2 }, { 0.5, 0.5 }, { 0.9, 0.8 }, { 0.3, 0 }, { 0, 0.5 }, { 1, 0.25 },
		{ 0.25, 1 }, { 1, 1 }, { 0.001, 0.001 } };

	for (unsigned i = 0; i < ARRAY_LEN(chances); i++) {
		struct rule r = burst_rule(chances[i][0], chances[i][1]);
		bool bad = false;

		for (uint64_t n = 1; n <= 5000; n++) {
			double u = (double)random_word(9, 5, 77, n, RANDOM_WORD_BURST) / 18446744073709551616.0;

			bad = bad ? u < 1 - chances[i][1] : u < chances[i][0];
			cr_assert_eq(schedule_burst_is_bad(9, &r, 77, n), bad, "row %u at %lu", i, n);
		}
	}
}

Test(schedule, bursts_have_their_share_and_length)
{
	struct rule r = burst_rule(0.01, 0.2);
	unsigned bad = 0, bursts = 0;
	bool before = false;

	for (uint64_t n = 1; n <= 200000; n++) {
		bool now = schedule_burst_is_bad(42, &r, 0, n);

		bad += now;
		bursts += now && !before;
		before = now;
	}
	/* The stationary share is enter / (enter + leave) = 4.76 %, the mean length 1 / leave = 5. */
	cr_assert_float_eq(bad / 200000.0, 0.01 / 0.21, 0.003);
	cr_assert_float_eq((double)bad / bursts, 5, 0.3);
}

Test(schedule, the_walk_of_a_burst_is_bounded)
{
	struct rule r = burst_rule(1e-15, 0);

	cr_assert_not(schedule_burst_is_bad(1, &r, 0, UINT64_MAX));
	r = burst_rule(1, 0);
	cr_assert(schedule_burst_is_bad(1, &r, 0, UINT64_MAX));
}

Test(schedule, nothing_fires_in_good_times)
{
	struct fake_bench b = fake_open(4);
	unsigned seen[DECISION_PASSED + 1] = { 0 };

	b.rule->percentage = 50 * FAKE_PERCENT;
	b.rule->schedule = burst_rule(0.1, 0.1).schedule;
	fake_seal(&b);
	for (uint64_t n = 1; n <= 10000; n++) {
		struct decision d = decide_draw(&b.set, 0, 0, n, 0);

		seen[d.outcome]++;
		cr_assert_eq(d.outcome == DECISION_OUTSIDE, !schedule_burst_is_bad(4, b.rule, 0, n));
	}
	/* The states of a chain resemble their neighbours: the deviation is 150. */
	cr_assert_float_eq((double)seen[DECISION_OUTSIDE], 5000, 500, "%u", seen[DECISION_OUTSIDE]);
	cr_assert_float_eq((double)seen[DECISION_FIRED], (10000.0 - seen[DECISION_OUTSIDE]) / 2, 200, "%u", seen[DECISION_FIRED]);
	fake_close(&b);
}
