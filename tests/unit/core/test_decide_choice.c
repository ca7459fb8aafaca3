/*
 * Outcomes, sequences and passes: exact in their weights and turns, and what a pass means for the rules below.
 */
#include "core/decide.h"

#include "core/random.h"
#include "fake.h"

/* A rule whose outcomes are aborts with status 501, 502, ...; weight 0 ends the list. The last one passes where asked for. */
static struct fake_bench outcomes_open(uint64_t seed, const uint32_t *weights, bool last_passes)
{
	struct fake_bench b = fake_open(seed);
	unsigned n = 0;

	while (weights[n])
		n++;
	b.rule->outcomes = calloc(n, sizeof(*b.rule->outcomes));
	cr_assert_not_null(b.rule->outcomes);
	b.rule->n_outcomes = n;
	for (unsigned i = 0; i < n; i++) {
		b.rule->outcomes[i].weight = weights[i];
		if (i == n - 1 && last_passes)
			b.rule->outcomes[i].faults.pass = true;
		else
			b.rule->outcomes[i].faults.abort.status = (uint16_t)(501 + i);
	}
	fake_seal(&b);
	return b;
}

/* A rule of these statuses in turn; 0 passes. */
static struct fake_bench sequence_open(const uint16_t *statuses, unsigned n, bool once)
{
	struct fake_bench b = fake_open(1);

	b.rule->sequence = calloc(n, sizeof(*b.rule->sequence));
	cr_assert_not_null(b.rule->sequence);
	b.rule->n_sequence = n;
	b.rule->sequence_once = once;
	for (unsigned i = 0; i < n; i++) {
		b.rule->sequence[i].abort.status = statuses[i];
		b.rule->sequence[i].pass = statuses[i] == 0;
	}
	return b;
}

/* ---- outcomes ------------------------------------------------------------------------------------------------------ */

Test(decide_choice, weights_hold)
{
	static const uint32_t weights[] = { 3, 1, 96, 0 };
	struct fake_bench b = outcomes_open(42, weights, true);
	struct facts f = fake_facts("/");
	unsigned seen[4] = { 0 };
	double sum = 0;

	for (unsigned i = 0; i < 100000; i++)
		seen[fake_ask(&b, &f).decisions[0].choice]++;
	cr_assert_eq(seen[0], 0, "one is always taken");
	for (unsigned i = 0; i < 3; i++)
		sum += (seen[i + 1] - weights[i] * 1000.0) * (seen[i + 1] - weights[i] * 1000.0) / (weights[i] * 1000.0);
	cr_assert_lt(sum, 18.42, "99.99 %% quantile of chi-square with 2 degrees of freedom");
	cr_assert_eq(b.states.v[0]->fired, seen[1] + seen[2], "a pass fires nothing");
	cr_assert_eq(b.states.v[0]->matched, 100000);
	fake_close(&b);
}

Test(decide_choice, the_draw_is_the_word_scaled_to_the_sum)
{
	static const uint32_t weights[] = { 2, UINT32_MAX, 5, UINT32_MAX, 0 };
	struct fake_bench b = outcomes_open(7, weights, false);
	unsigned seen = 0;

	for (uint64_t n = 1; n <= 1000; n++) {
		struct decision d = decide_draw(&b.set, 0, 0, n, 0);
		__extension__ unsigned __int128 word = random_word(7, b.rule->name_hash, 0, n, 0);

		cr_assert_eq(d.threshold, UINT64_C(2) * UINT32_MAX + 7);
		cr_assert_eq(d.draw, (uint64_t)(word * d.threshold >> 64));
		cr_assert_eq(d.outcome, DECISION_FIRED);
		cr_assert_eq(d.choice, 1 + (d.draw >= 2) + (d.draw >= UINT64_C(2) + UINT32_MAX) +
			(d.draw >= UINT64_C(7) + UINT32_MAX));
		seen |= 1u << d.choice;
	}
	cr_assert_eq(seen, 1u << 2 | 1u << 4, "the two that have nearly all of the weight");
	fake_close(&b);
}

Test(decide_choice, each_place_of_a_small_sum_is_drawn)
{
	static const uint32_t weights[] = { 1, 2, 1, 0 };
	struct fake_bench b = outcomes_open(7, weights, false);
	static const unsigned choice_of[] = { 1, 2, 2, 3 };
	unsigned seen = 0;

	for (uint64_t n = 1; n <= 200; n++) {
		struct decision d = decide_draw(&b.set, 0, 0, n, 0);

		cr_assert_lt(d.draw, 4);
		cr_assert_eq(d.choice, choice_of[d.draw]);
		seen |= 1u << d.draw;
	}
	cr_assert_eq(seen, 15);
	fake_close(&b);
}

Test(decide_choice, outcomes_take_the_place_of_the_percentage)
{
	static const uint32_t weights[] = { 1, 0 };
	struct fake_bench b = outcomes_open(1, weights, false);
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	b.rule->percentage = 0;
	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.decisions[0].outcome, DECISION_FIRED);
	cr_assert_eq(fake_end(&plan), b.rule);
	cr_assert_eq(plan.fired[0].set, &b.rule->outcomes[0].faults);
	cr_assert_eq(plan.kinds, FAULT_BIT(ABORT));
	fake_close(&b);
}

Test(decide_choice, no_weight_at_all_fires_nothing)
{
	static const uint32_t weights[] = { 1, 0 };
	struct fake_bench b = outcomes_open(1, weights, false);
	struct facts f = fake_facts("/");

	b.rule->outcomes[0].weight = 0;
	rule_seal(b.rule);
	cr_assert_str_eq(fake_outcomes(&b, &f, 5), "NNNNN");
	fake_close(&b);
}

/* ---- sequence ------------------------------------------------------------------------------------------------------ */

Test(decide_choice, sequences)
{
	static const struct {
		uint16_t statuses[4];
		unsigned n;
		bool once;
		uint64_t after;
		uint64_t every;
		const char *outcomes;
	} table[] = {
		{ { 503, 503, 0 }, 3, false, 0, 0, "FFPFFPFFPF" },
		{ { 503, 503, 0 }, 3, true, 0, 0, "FFPPPPPPPP" },
		{ { 503 }, 1, true, 0, 0, "FPPPPPPPPP" },
		{ { 503 }, 1, false, 0, 0, "FFFFFFFFFF" },
		{ { 0, 503 }, 2, false, 2, 0, "--PFPFPFPF" },
		{ { 503, 0 }, 2, false, 0, 3, "--F--P--F-" },
	};
	struct facts f = fake_facts("/");

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct fake_bench b = sequence_open(table[i].statuses, table[i].n, table[i].once);

		b.rule->after = table[i].after;
		b.rule->every = table[i].every;
		fake_seal(&b);
		cr_expect_str_eq(fake_outcomes(&b, &f, 10), table[i].outcomes, "row %u", i);
		fake_close(&b);
	}
}

Test(decide_choice, a_turn_is_taken_per_key)
{
	static const uint16_t statuses[] = { 501, 502, 503 };
	struct fake_bench b = sequence_open(statuses, 3, false);
	struct fake_field users[2][2] = { { { "x-user", "a" } }, { { "x-user", "b" } } };
	struct facts f = fake_facts("/");

	b.rule->key = RULE_KEY_HEADER;
	b.rule->key_name = fake_own("x-user");
	fake_seal(&b);
	f.field = fake_field_get;
	for (unsigned i = 0; i < 12; i++) {
		struct fault_plan plan;

		f.field_source = users[i % 2];
		plan = fake_ask(&b, &f);
		cr_assert_eq(plan.decisions[0].choice, i / 2 % 3 + 1);
		cr_assert_eq(plan.fired[plan.end].set->abort.status, statuses[i / 2 % 3]);
	}
	fake_close(&b);
}

Test(decide_choice, a_turn_that_is_not_drawn_is_over)
{
	static const uint16_t statuses[] = { 501, 502 };
	struct fake_bench b = sequence_open(statuses, 2, false);

	b.rule->percentage = 50 * FAKE_PERCENT;
	fake_seal(&b);
	for (uint64_t n = 1; n <= 100; n++) {
		struct decision d = decide_draw(&b.set, 0, 0, n, 0);

		cr_assert_eq(d.choice, d.outcome == DECISION_FIRED ? (n - 1) % 2 + 1 : 0);
	}
	fake_close(&b);
}

/* ---- pass ---------------------------------------------------------------------------------------------------------- */

Test(decide_choice, a_pass_ends_the_list_and_fires_nothing)
{
	struct ruleset set = fake_ruleset(2, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	set.v[0].faults.pass = true;
	set.v[0].after = 1;
	set.v[1].faults.abort.status = 503;
	fake_seal(&b);
	plan = fake_ask(&b, &f);
	cr_assert_eq(fake_end(&plan), &b.set.v[1]);
	plan = fake_ask(&b, &f);
	cr_assert_null(fake_end(&plan));
	cr_assert_eq(plan.n_fired, 0);
	cr_assert_eq(plan.kinds, 0);
	cr_assert_eq(plan.n_decisions, 1);
	cr_assert_eq(plan.decisions[0].outcome, DECISION_PASSED);
	cr_assert_eq(b.states.v[0]->fired, 0);
	cr_assert_eq(b.states.v[1]->matched, 1);
	fake_close(&b);
}

Test(decide_choice, a_pass_in_a_dry_run_lets_the_rules_below_act)
{
	struct ruleset set = fake_ruleset(2, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	set.v[0].faults.pass = true;
	set.v[0].dry_run = true;
	set.v[1].faults.abort.status = 503;
	fake_seal(&b);
	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.decisions[0].outcome, DECISION_PASSED);
	cr_assert_eq(fake_end(&plan), &b.set.v[1]);
	fake_close(&b);
}

/* ---- counts by kind of fault --------------------------------------------------------------------------------------- */

Test(decide_choice, faults_are_counted_by_what_was_chosen)
{
	static const uint16_t statuses[] = { 503, 0, 502, 0 };
	struct fake_bench b = sequence_open(statuses, ARRAY_LEN(statuses), true);
	struct facts f = fake_facts("/");
	uint64_t faults[FAULT_KIND_COUNT];
	uint32_t kinds;

	/* The last of them waits. */
	b.rule->sequence[3].pass = false;
	b.rule->sequence[3].delay.kind = DELAY_FIXED;
	fake_seal(&b);
	cr_assert_str_eq(fake_outcomes(&b, &f, 3), "FPF");
	rule_state_faults(b.states.v[0], b.rule, faults, &kinds);
	cr_expect_eq(faults[FAULT_ABORT], 2);
	cr_expect_eq(faults[FAULT_DELAY], 0);
	cr_expect_eq(faults[FAULT_PASS], 0, "a pass is no fault that acts");
	cr_expect_eq(kinds, FAULT_BIT(ABORT) | FAULT_BIT(DELAY) | FAULT_BIT(PASS));
	cr_assert_str_eq(fake_outcomes(&b, &f, 3), "FPP");
	rule_state_faults(b.states.v[0], b.rule, faults, &kinds);
	cr_expect_eq(faults[FAULT_ABORT], 2);
	cr_expect_eq(faults[FAULT_DELAY], 1);
	rule_states_reset(&b.states);
	rule_state_faults(b.states.v[0], b.rule, faults, &kinds);
	cr_expect_eq(faults[FAULT_ABORT] + faults[FAULT_DELAY], 0);
	fake_close(&b);
}

Test(decide_choice, faults_without_a_choice_are_those_that_fired)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");
	uint64_t faults[FAULT_KIND_COUNT];
	uint32_t kinds;

	b.rule->faults.delay.kind = DELAY_FIXED;
	b.rule->schedule.max_faults = 3;
	fake_seal(&b);
	cr_assert_str_eq(fake_outcomes(&b, &f, 5), "FFFRR");
	rule_state_faults(b.states.v[0], b.rule, faults, &kinds);
	cr_expect_eq(faults[FAULT_DELAY], 3);
	cr_expect_eq(kinds, b.rule->faults.kinds);
	fake_close(&b);
}
