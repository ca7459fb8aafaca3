/*
 * Decisions: exact in number, composed in file order. The seeds are fixed, so each statistical bound is either kept for
 * ever or never.
 */
#include "core/decide.h"

#include "core/distribution.h"
#include "core/random.h"
#include "fake.h"

/* Asks n times with these facts; how often the rule fired. */
static unsigned fired_of(struct fake_bench *b, const struct facts *f, unsigned n)
{
	unsigned fired = 0;

	for (unsigned i = 0; i < n; i++) {
		struct fault_plan plan = fake_ask(b, f);

		cr_assert_eq(plan.n_decisions, 1);
		fired += plan.decisions[0].outcome == DECISION_FIRED;
	}
	return fired;
}

/* ---- percentage ---------------------------------------------------------------------------------------------------- */

Test(decide, nothing_at_0_and_all_at_100)
{
	static const enum rule_sampling samplings[] = { RULE_SAMPLING_INDEPENDENT, RULE_SAMPLING_EVEN };
	struct facts f = fake_facts("/");

	for (unsigned i = 0; i < ARRAY_LEN(samplings); i++) {
		struct fake_bench none = fake_open(1);
		struct fake_bench all = fake_open(1);

		none.rule->percentage = 0;
		none.rule->sampling = all.rule->sampling = samplings[i];
		fake_seal(&none);
		fake_seal(&all);
		cr_assert_eq(fired_of(&none, &f, 10000), 0);
		cr_assert_eq(fired_of(&all, &f, 10000), 10000);
		cr_assert_eq(all.states.v[0]->matched, 10000);
		cr_assert_eq(all.states.v[0]->fired, 10000);
		cr_assert_eq(none.states.v[0]->matched, 10000);
		cr_assert_eq(none.states.v[0]->fired, 0);
		fake_close(&none);
		fake_close(&all);
	}
}

Test(decide, percentage_holds_over_seeds)
{
	struct facts f = fake_facts("/");
	unsigned total = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct fake_bench b = fake_open(seed);
		unsigned fired;

		b.rule->percentage = 10 * FAKE_PERCENT;
		fake_seal(&b);
		fired = fired_of(&b, &f, 100000);
		total += fired;
		/* Binomial: mean 10000, deviation 94.87; 3.891 deviations hold 99.99 %. */
		cr_assert_geq(fired, 10000 - 369, "seed %lu: %u", seed, fired);
		cr_assert_leq(fired, 10000 + 369, "seed %lu: %u", seed, fired);
		fake_close(&b);
	}
	cr_assert_geq(total, 200000 - 1651);
	cr_assert_leq(total, 200000 + 1651);
}

Test(decide, draw_is_compared_with_the_exact_threshold)
{
	struct fake_bench b = fake_open(42);

	b.rule->percentage = 10 * FAKE_PERCENT;
	fake_seal(&b);
	for (uint64_t occurrence = 1; occurrence <= 1000; occurrence++) {
		struct decision d = decide_draw(&b.set, 0, 0, occurrence, 0);

		cr_assert_eq(d.draw, random_word(42, b.rule->name_hash, 0, occurrence, 0));
		cr_assert_eq(d.threshold, UINT64_C(1844674407370955161));
		cr_assert_eq(d.outcome, d.draw < d.threshold ? DECISION_FIRED : DECISION_NOT_DRAWN);
		cr_assert_eq(d.occurrence, occurrence);
	}
	fake_close(&b);
}

Test(decide, seeds_and_names_and_keys_draw_apart)
{
	struct fake_bench a = fake_open(1);
	struct fake_bench b = fake_open(2);
	unsigned same = 0;

	a.rule->percentage = b.rule->percentage = 50 * FAKE_PERCENT;
	fake_seal(&a);
	fake_seal(&b);
	for (uint64_t n = 1; n <= 1000; n++)
		same += decide_draw(&a.set, 0, 0, n, 0).outcome == decide_draw(&b.set, 0, 0, n, 0).outcome;
	cr_assert(same > 400 && same < 600, "two seeds: %u of 1000 alike", same);
	for (uint64_t n = 1; n <= 1000; n++)
		cr_assert_neq(decide_draw(&a.set, 0, 1, n, 0).draw, decide_draw(&a.set, 0, 2, n, 0).draw);
	for (uint64_t n = 1; n <= 1000; n++) {
		uint64_t draw = decide_draw(&a.set, 0, 1, n, 0).draw;

		a.rule->name_hash++;
		cr_assert_neq(decide_draw(&a.set, 0, 1, n, 0).draw, draw);
		a.rule->name_hash--;
	}
	fake_close(&a);
	fake_close(&b);
}

/* ---- even sampling ------------------------------------------------------------------------------------------------- */

Test(decide, even_sampling_is_exact_in_each_block)
{
	static const struct {
		uint32_t percentage;
		unsigned block;
		unsigned fires;
		unsigned requests;
	} table[] = {
		{ 10 * FAKE_PERCENT, 100, 10, 100000 },
		{ FAKE_PERCENT / 4, 10000, 25, 100000 },
		{ 33333000, 100000, 33333, 300000 },
		{ 99 * FAKE_PERCENT, 100, 99, 10000 },
	};
	struct facts f = fake_facts("/");

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct fake_bench b = fake_open(42);

		b.rule->percentage = table[i].percentage;
		b.rule->sampling = RULE_SAMPLING_EVEN;
		fake_seal(&b);
		for (unsigned done = 0; done < table[i].requests; done += table[i].block)
			cr_assert_eq(fired_of(&b, &f, table[i].block), table[i].fires, "row %u, block at %u", i, done);
		fake_close(&b);
	}
}

Test(decide, even_sampling_differs_from_block_to_block)
{
	struct fake_bench b = fake_open(42);
	unsigned same = 0;

	b.rule->percentage = 10 * FAKE_PERCENT;
	b.rule->sampling = RULE_SAMPLING_EVEN;
	fake_seal(&b);
	for (uint64_t n = 1; n <= 10000; n++) {
		same += decide_draw(&b.set, 0, 0, n, 0).outcome == DECISION_FIRED &&
			decide_draw(&b.set, 0, 0, n + 100, 0).outcome == DECISION_FIRED;
	}
	/* 100 are expected, deviation 10. */
	cr_assert(same > 60 && same < 140, "%u", same);
	fake_close(&b);
}

Test(decide, even_sampling_differs_from_key_to_key_and_rule_to_rule)
{
	struct fake_bench b = fake_open(42);
	unsigned same_key = 0;
	unsigned same_name = 0;

	b.rule->percentage = 50 * FAKE_PERCENT;
	b.rule->sampling = RULE_SAMPLING_EVEN;
	fake_seal(&b);
	for (uint64_t n = 1; n <= 1000; n++) {
		uint8_t outcome = decide_draw(&b.set, 0, 1, n, 0).outcome;

		same_key += decide_draw(&b.set, 0, 2, n, 0).outcome == outcome;
		b.rule->name_hash++;
		same_name += decide_draw(&b.set, 0, 1, n, 0).outcome == outcome;
		b.rule->name_hash--;
	}
	cr_assert(same_key > 400 && same_key < 600, "%u", same_key);
	cr_assert(same_name > 400 && same_name < 600, "%u", same_name);
	fake_close(&b);
}

Test(decide, even_sampling_counts_what_is_considered)
{
	struct fake_bench b = fake_open(42);
	unsigned fired = 0;

	b.rule->percentage = 10 * FAKE_PERCENT;
	b.rule->sampling = RULE_SAMPLING_EVEN;
	b.rule->after = 7;
	b.rule->every = 3;
	fake_seal(&b);
	for (uint64_t n = 8; n < 8 + 300; n++)
		fired += decide_draw(&b.set, 0, 0, n, 0).outcome == DECISION_FIRED;
	cr_assert_eq(fired, 10, "100 of 300 are considered, 10 of each 100 fire");
	fake_close(&b);
}

/* ---- after, every, first ------------------------------------------------------------------------------------------- */

Test(decide, after_every_first)
{
	static const struct {
		uint64_t after;
		uint64_t every;
		uint64_t first;
		const char *outcomes;
	} table[] = {
		{ 0, 0, 0, "FFFFFFFFFFFF" },
		{ 0, 1, 0, "FFFFFFFFFFFF" },
		{ 3, 0, 0, "---FFFFFFFFF" },
		{ 0, 4, 0, "---F---F---F" },
		{ 0, 0, 2, "FF----------" },
		{ 2, 3, 0, "----F--F--F-" },
		{ 2, 3, 2, "----F--F----" },
		{ 5, 0, 1, "-----F------" },
		{ UINT64_MAX, 0, 0, "------------" },
		{ 0, UINT64_MAX, 0, "------------" },
	};
	struct facts f = fake_facts("/");

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct fake_bench b = fake_open(1);

		b.rule->after = table[i].after;
		b.rule->every = table[i].every;
		b.rule->first = table[i].first;
		fake_seal(&b);
		cr_expect_str_eq(fake_outcomes(&b, &f, 12), table[i].outcomes, "row %u", i);
		fake_close(&b);
	}
}

Test(decide, first_bounds_what_is_considered_not_what_fires)
{
	struct facts f = fake_facts("/");
	struct fake_bench b = fake_open(3);
	unsigned considered = 0;

	b.rule->percentage = 50 * FAKE_PERCENT;
	b.rule->first = 20;
	fake_seal(&b);
	for (const char *c = fake_outcomes(&b, &f, 100); *c; c++)
		considered += *c != '-';
	cr_assert_eq(considered, 20);
	cr_assert(b.states.v[0]->fired > 0 && b.states.v[0]->fired < 20);
	fake_close(&b);
}

/* ---- composing ----------------------------------------------------------------------------------------------------- */

Test(decide, delays_add_up_until_a_rule_ends_the_list)
{
	struct ruleset set = fake_ruleset(5, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	set.v[0].faults.delay = (struct fault_delay){ .kind = DELAY_FIXED, .a_ns = 100, .b_ns = 100 };
	set.v[1].faults.delay = (struct fault_delay){ .kind = DELAY_FIXED, .a_ns = 999, .b_ns = 999 };
	set.v[1].percentage = 0;
	set.v[2].faults.delay = (struct fault_delay){ .kind = DELAY_FIXED, .a_ns = 20, .b_ns = 20 };
	set.v[3].faults.abort.status = 503;
	set.v[3].after = 1;
	set.v[3].faults.delay = (struct fault_delay){ .kind = DELAY_FIXED, .a_ns = 3, .b_ns = 3 };
	set.v[4].faults.connection = FAULT_CONNECTION_RESET;
	fake_seal(&b);

	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.delay_ns, 120);
	cr_assert_eq(plan.delay_rule, &b.set.v[2]);
	cr_assert_eq(fake_end(&plan), &b.set.v[4], "rule 4 was skipped, so 5 ends the list");
	cr_assert_eq(plan.n_decisions, 5);
	cr_assert_eq(plan.decisions[1].outcome, DECISION_NOT_DRAWN);
	cr_assert_eq(plan.decisions[3].outcome, DECISION_SKIPPED);

	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.delay_ns, 123);
	cr_assert_eq(fake_end(&plan), &b.set.v[3]);
	cr_assert_eq(plan.n_decisions, 4, "what stands behind the end is not asked");
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(plan.decisions[i].rule, i);
	cr_assert_eq(b.states.v[4]->matched, 1);
	fake_close(&b);
}

Test(decide, delays_are_bounded)
{
	struct ruleset set = fake_ruleset(2, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");

	for (unsigned i = 0; i < 2; i++)
		set.v[i].faults.delay = (struct fault_delay){ .kind = DELAY_FIXED, .a_ns = INT64_MAX - 1, .b_ns = INT64_MAX - 1 };
	fake_seal(&b);
	cr_assert_eq(fake_ask(&b, &f).delay_ns, 2 * DISTRIBUTION_MAX_NS);
	fake_close(&b);
}

Test(decide, delays_of_head_and_body_are_apart)
{
	struct ruleset set = fake_ruleset(3, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	for (unsigned i = 0; i < 3; i++)
		set.v[i].faults.delay = (struct fault_delay){ .kind = DELAY_FIXED, .a_ns = 1 << 4 * i, .at_body = i != 1 };
	fake_seal(&b);
	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.delay_ns, 0x10);
	cr_assert_eq(plan.body_delay_ns, 0x101);
	cr_assert_eq(plan.delay_rule, &b.set.v[2]);
	fake_close(&b);
}

Test(decide, a_delay_is_drawn_from_word_1)
{
	struct fake_bench b = fake_open(42);
	struct facts f = fake_facts("/");

	b.rule->faults.delay = (struct fault_delay){ .kind = DELAY_LOGNORMAL, .a_ns = NS_PER_MS, .b_ns = NS_PER_S };
	fake_seal(&b);
	for (uint64_t n = 1; n <= 100; n++)
		cr_assert_eq(fake_ask(&b, &f).delay_ns,
			distribution_draw(&b.rule->faults.delay, random_word(42, b.rule->name_hash, 0, n, 1)));
	fake_close(&b);
}

Test(decide, uniform_delay_is_uniform)
{
	struct fake_bench b = fake_open(42);
	struct facts f = fake_facts("/");
	unsigned seen[20] = { 0 };
	double sum = 0;

	b.rule->faults.delay = (struct fault_delay){ .kind = DELAY_UNIFORM, .a_ns = 100 * NS_PER_MS, .b_ns = 300 * NS_PER_MS };
	fake_seal(&b);
	for (unsigned i = 0; i < 100000; i++) {
		int64_t delay = fake_ask(&b, &f).delay_ns;

		cr_assert(delay >= 100 * NS_PER_MS && delay <= 300 * NS_PER_MS, "%ld", delay);
		seen[MIN((delay - 100 * NS_PER_MS) / (10 * NS_PER_MS), 19)]++;
	}
	for (unsigned i = 0; i < 20; i++)
		sum += (seen[i] - 5000.0) * (seen[i] - 5000.0) / 5000.0;
	/* 99.99 % quantile of chi-square with 19 degrees of freedom. */
	cr_assert_lt(sum, 50.8);
	fake_close(&b);
}

Test(decide, excluded_paths_get_and_count_nothing)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/healthz");
	struct fault_plan plan;

	b.rule->faults.abort.status = 503;
	b.set.exclude = calloc(1, sizeof(*b.set.exclude));
	b.set.exclude[b.set.n_exclude++] = fake_pattern(PATTERN_EXACT, PATTERN_SEGMENTS, "/healthz");
	fake_seal(&b);
	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.n_decisions, 0);
	cr_assert_null(fake_end(&plan));
	cr_assert_eq(b.states.v[0]->matched, 0);
	f = fake_facts("/healthz/x");
	plan = fake_ask(&b, &f);
	cr_assert_eq(fake_end(&plan), b.rule);
	fake_close(&b);
}

Test(decide, what_does_not_match_is_not_counted)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/b");

	fake_add_path(&b.rule->match, PATTERN_PREFIX, "/a");
	fake_seal(&b);
	cr_assert_eq(fake_ask(&b, &f).n_decisions, 0);
	cr_assert_eq(b.states.v[0]->matched, 0);
	f = fake_facts("/a");
	cr_assert_eq(fake_ask(&b, &f).n_decisions, 1);
	cr_assert_eq(b.states.v[0]->matched, 1);
	fake_close(&b);
}

Test(decide, phases_are_apart)
{
	struct ruleset set = fake_ruleset(3, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	set.v[0].phase = set.v[1].phase = RULE_PHASE_RESPONSE;
	match_status_add(&set.v[0].match, 500, 599);
	set.v[2].faults.abort.status = 503;
	fake_seal(&b);
	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.n_decisions, 1);
	cr_assert_eq(plan.decisions[0].rule, 2);
	cr_assert_eq(plan.decisions[0].phase, RULE_PHASE_REQUEST);

	f.status = 200;
	decide(&b.set, &b.states, &f, RULE_PHASE_RESPONSE, 0, NULL, &plan);
	cr_assert_eq(plan.n_decisions, 1, "without a status condition any answer matches");
	cr_assert_eq(plan.decisions[0].rule, 1);
	cr_assert_eq(plan.decisions[0].phase, RULE_PHASE_RESPONSE);
	cr_assert_null(fake_end(&plan));

	f.status = 502;
	decide(&b.set, &b.states, &f, RULE_PHASE_RESPONSE, 0, NULL, &plan);
	cr_assert_eq(plan.n_decisions, 2);
	fake_close(&b);
}

Test(decide, records_beyond_the_bound_are_counted)
{
	struct ruleset set = fake_ruleset(DECISIONS_MAX + 5, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	for (unsigned i = 0; i < set.n; i++)
		set.v[i].faults.delay = (struct fault_delay){ .kind = DELAY_FIXED, .a_ns = 1, .b_ns = 1 };
	fake_seal(&b);
	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.n_decisions, DECISIONS_MAX);
	cr_assert_eq(plan.n_decisions_lost, 5);
	cr_assert_eq(plan.delay_ns, FIRED_MAX, "so many act, no more");
	fake_close(&b);
}

Test(decide, an_empty_set_decides_nothing)
{
	struct fake_bench b = { 0 };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	fake_seal(&b);
	memset(&plan, 0xff, sizeof(plan));
	decide(&b.set, &b.states, &f, RULE_PHASE_REQUEST, 0, NULL, &plan);
	cr_assert_eq(plan.n_decisions, 0);
	cr_assert_eq(plan.n_decisions_lost, 0);
	cr_assert_eq(plan.delay_ns, 0);
	cr_assert_null(plan.delay_rule);
	cr_assert_null(fake_end(&plan));
	fake_close(&b);
}
