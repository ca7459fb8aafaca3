/*
 * Quotas in decisions, waits that are told, and early returns.
 */
#include "core/decide.h"

#include "core/random.h"
#include "fake.h"

static struct fault_limit *limit_add(struct rule *r, enum limit_algorithm algorithm, uint64_t limit)
{
	r->faults.limit = calloc(1, sizeof(*r->faults.limit));
	cr_assert_not_null(r->faults.limit);
	*r->faults.limit = (struct fault_limit){ .algorithm = algorithm, .limit = limit, .window_ns = 10 * NS_PER_S,
		.refusal = { .status = 429 } };
	return r->faults.limit;
}

/* ---- quotas -------------------------------------------------------------------------------------------------------- */

Test(decide_limit, within_the_quota_nothing_happens_beyond_it_the_list_ends)
{
	struct ruleset set = fake_ruleset(2, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	(void)limit_add(&set.v[0], LIMIT_FIXED_WINDOW, 2);
	set.v[1].faults.delay = (struct fault_delay){ .kind = DELAY_FIXED, .a_ns = 5 };
	fake_seal(&b);
	for (unsigned i = 0; i < 2; i++) {
		plan = fake_ask_at(&b, &f, 1000);
		cr_assert_eq(plan.decisions[0].outcome, DECISION_PASSED);
		cr_assert_eq(plan.limit_rule, &b.set.v[0]);
		cr_assert_not(plan.limit.refused);
		cr_assert_eq(plan.limit.remaining, 1 - i);
		cr_assert_eq(plan.end, -1);
		cr_assert_eq(plan.delay_ns, 5, "the rules below act");
		cr_assert_eq(plan.kinds, FAULT_BIT(DELAY));
		cr_assert_eq(plan.n_held, 0);
	}
	plan = fake_ask_at(&b, &f, 2 * NS_PER_S + 1000);
	cr_assert_eq(plan.decisions[0].outcome, DECISION_FIRED);
	cr_assert_eq(fake_end(&plan), &b.set.v[0]);
	cr_assert_eq(plan.kinds, FAULT_BIT(RATE_LIMIT));
	cr_assert(plan.limit.refused);
	cr_assert_eq(plan.limit.retry_ns, 8 * NS_PER_S);
	cr_assert_eq(plan.retry_after_ns, 8 * NS_PER_S);
	cr_assert_eq(plan.n_decisions, 1);
	cr_assert_eq(b.states.v[0]->fired, 1);
	cr_assert_eq(b.states.v[0]->active, 1);
	cr_assert_eq(fake_ask_at(&b, &f, 10 * NS_PER_S + 1000).decisions[0].outcome, DECISION_PASSED);
	fake_close(&b);
}

Test(decide_limit, keys)
{
	static const struct {
		enum limit_key key;
		const char *name;
		bool path, client, header, cookie, query; /* whether a change of it is another key */
	} table[] = {
		{ LIMIT_KEY_ALL, NULL, false, false, false, false, false },
		{ LIMIT_KEY_CLIENT, NULL, false, true, false, false, false },
		{ LIMIT_KEY_PATH, NULL, true, false, false, false, false },
		{ LIMIT_KEY_HEADER, "x-key", false, false, true, false, false },
		{ LIMIT_KEY_COOKIE, "sid", false, false, false, true, false },
		{ LIMIT_KEY_QUERY, "id", false, false, false, false, true },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct fault_limit limit = { .key = table[i].key, .key_name = span_of_string(table[i].name) };
		struct ruleset set = { .seed = 5 };
		struct fake_field fields[] = { { "x-key", "a" }, { "cookie", "sid=a" }, { NULL, NULL } };
		struct facts f = fake_facts("/a");
		uint64_t hash;

		f.field = fake_field_get;
		f.field_source = fields;
		f.query = SPAN("id=1");
		hash = decide_key_limit_hash(&set, &limit, &f);
		f.path = SPAN("/b");
		cr_expect_eq(decide_key_limit_hash(&set, &limit, &f) != hash, table[i].path, "row %u", i);
		f.path = SPAN("/a");
		f.client[3] = 1;
		cr_expect_eq(decide_key_limit_hash(&set, &limit, &f) != hash, table[i].client, "row %u", i);
		f.client[3] = 0;
		fields[0].value = "b";
		cr_expect_eq(decide_key_limit_hash(&set, &limit, &f) != hash, table[i].header, "row %u", i);
		fields[0].value = "a";
		fields[1].value = "sid=b";
		cr_expect_eq(decide_key_limit_hash(&set, &limit, &f) != hash, table[i].cookie, "row %u", i);
		fields[1].value = "sid=a";
		f.query = SPAN("id=2");
		cr_expect_eq(decide_key_limit_hash(&set, &limit, &f) != hash, table[i].query, "row %u", i);
	}
}

Test(decide_limit, quotas_are_per_key)
{
	struct fake_field users[2][2] = { { { "x-key", "a" } }, { { "x-key", "b" } } };
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");
	struct fault_limit *limit = limit_add(b.rule, LIMIT_TOKEN_BUCKET, 2);

	limit->key = LIMIT_KEY_HEADER;
	limit->key_name = fake_own("x-key");
	fake_seal(&b);
	f.field = fake_field_get;
	for (unsigned i = 0; i < 2; i++) {
		f.field_source = users[i];
		cr_expect_str_eq(fake_outcomes(&b, &f, 4), "PPFF", "user %u", i);
	}
	fake_close(&b);
}

Test(decide_limit, places_of_concurrency_are_held_and_released)
{
	struct ruleset set = fake_ruleset(3, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan first, second;

	(void)limit_add(&set.v[0], LIMIT_CONCURRENCY, 2);
	(void)limit_add(&set.v[1], LIMIT_CONCURRENCY, 1);
	(void)limit_add(&set.v[2], LIMIT_FIXED_WINDOW, 100);
	fake_seal(&b);
	first = fake_ask(&b, &f);
	cr_assert_eq(first.n_held, 2);
	cr_assert_eq(first.limit_rule, &b.set.v[2]);
	second = fake_ask(&b, &f);
	cr_assert_eq(fake_end(&second), &b.set.v[1]);
	cr_assert_eq(second.n_held, 1, "the first quota passed it");
	cr_assert_eq(fake_ask(&b, &f).decisions[0].outcome, DECISION_FIRED, "both places of the first are taken");
	decide_release_limit(&b.states, &second.held[0]);
	decide_release_limit(&b.states, &first.held[0]);
	decide_release_limit(&b.states, &first.held[1]);
	first = fake_ask(&b, &f);
	cr_assert_eq(first.n_held, 2);
	cr_assert_eq(first.end, -1);
	fake_close(&b);
}

Test(decide_limit, more_places_than_can_be_held_are_not_taken)
{
	struct ruleset set = fake_ruleset(LIMIT_HELD_MAX + 1, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	for (unsigned i = 0; i < set.n; i++)
		(void)limit_add(&set.v[i], LIMIT_CONCURRENCY, 1);
	fake_seal(&b);
	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.n_held, LIMIT_HELD_MAX);
	cr_assert_eq(plan.decisions[LIMIT_HELD_MAX].outcome, DECISION_REFUSED);
	cr_assert_eq(b.states.v[LIMIT_HELD_MAX]->refused, 1);
	cr_assert_eq(plan.end, -1);
	fake_close(&b);
}

Test(decide_limit, quotas_of_outcomes_are_apart)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");
	unsigned passed[3] = { 0 };

	b.rule->outcomes = calloc(2, sizeof(*b.rule->outcomes));
	b.rule->n_outcomes = 2;
	for (unsigned i = 0; i < 2; i++) {
		struct rule r = { 0 };

		b.rule->outcomes[i].faults.limit = limit_add(&r, LIMIT_FIXED_WINDOW, i + 1);
		b.rule->outcomes[i].weight = 1;
	}
	fake_seal(&b);
	for (unsigned i = 0; i < 50; i++) {
		struct fault_plan plan = fake_ask(&b, &f);
		struct decision d = plan.decisions[0];

		passed[d.choice] += d.outcome == DECISION_PASSED;
		cr_assert_eq(plan.quota, b.rule->outcomes[d.choice - 1].faults.limit);
	}
	cr_assert_eq(passed[1], 1);
	cr_assert_eq(passed[2], 2);
	fake_close(&b);
}

Test(decide_limit, a_dry_run_counts_its_quota_and_refuses_nobody)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");

	(void)limit_add(b.rule, LIMIT_FIXED_WINDOW, 2);
	b.rule->dry_run = true;
	fake_seal(&b);
	cr_assert_str_eq(fake_outcomes(&b, &f, 4), "PPDD");
	cr_assert_null(fake_ask(&b, &f).limit_rule, "nor tells of it");
	cr_assert_eq(b.states.v[0]->dry, 3);
	fake_close(&b);
}

Test(decide_limit, a_refusal_that_a_ceiling_refuses_lets_pass)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");

	(void)limit_add(b.rule, LIMIT_FIXED_WINDOW, 1);
	b.rule->schedule.max_faults = 1;
	fake_seal(&b);
	cr_assert_str_eq(fake_outcomes(&b, &f, 4), "PFRR");
	cr_assert_eq(fake_ask(&b, &f).end, -1);
	cr_assert_null(fake_ask(&b, &f).limit_rule);
	fake_close(&b);
}

/* ---- hints --------------------------------------------------------------------------------------------------------- */

Test(decide_limit, hints_of_refusals)
{
	static const struct {
		enum limit_hint hint;
		int64_t min_ns, max_ns; /* what is told, of a wait of 10 s */
	} table[] = {
		{ LIMIT_HINT_AUTO, 10 * NS_PER_S, 10 * NS_PER_S },
		{ LIMIT_HINT_DATE, 10 * NS_PER_S, 10 * NS_PER_S },
		{ LIMIT_HINT_RANGE, 12 * NS_PER_S, 16 * NS_PER_S },
		{ LIMIT_HINT_NONE, -1, -1 },
	};
	struct facts f = fake_facts("/");

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct fake_bench b = fake_open(1);
		struct fault_limit *limit = limit_add(b.rule, LIMIT_FIXED_WINDOW, 1);
		int64_t lowest = INT64_MAX, highest = INT64_MIN;

		limit->hint = table[i].hint;
		limit->hint_min_ns = 2 * NS_PER_S;
		limit->hint_max_ns = 6 * NS_PER_S;
		fake_seal(&b);
		(void)fake_ask(&b, &f);
		for (unsigned n = 0; n < 200; n++) {
			struct fault_plan plan = fake_ask(&b, &f);

			lowest = MIN(lowest, plan.retry_after_ns);
			highest = MAX(highest, plan.retry_after_ns);
		}
		cr_expect(lowest >= table[i].min_ns && highest <= table[i].max_ns, "row %u: %ld to %ld", i, lowest, highest);
		cr_expect_eq(highest - lowest > 3 * NS_PER_S, table[i].hint == LIMIT_HINT_RANGE, "row %u", i);
		fake_close(&b);
	}
}

Test(decide_limit, hints_of_aborts_are_drawn_from_word_3)
{
	static const enum retry_after_kind kinds[] = { RETRY_AFTER_SECONDS, RETRY_AFTER_DATE, RETRY_AFTER_VERBATIM,
		RETRY_AFTER_NONE };
	struct facts f = fake_facts("/");

	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		struct fake_bench b = fake_open(9);

		b.rule->faults.abort.status = 503;
		b.rule->faults.abort.retry_after = (struct fault_retry_after){ .kind = kinds[i], .min_ns = 2 * NS_PER_S,
			.max_ns = 6 * NS_PER_S };
		fake_seal(&b);
		for (uint64_t n = 1; n <= 50; n++) {
			uint64_t word = random_word(9, b.rule->name_hash, 0, n, 3);

			cr_assert_eq(fake_ask(&b, &f).retry_after_ns,
				i < 2 ? random_between(word, 2 * NS_PER_S, 6 * NS_PER_S) : -1);
		}
		fake_close(&b);
	}
}

/* ---- enforce ------------------------------------------------------------------------------------------------------- */

/* The first match gets 503 with a wait of 1.5 s, which is told as 2 s; the rule skips the second one. */
static struct fake_bench enforce_open(enum retry_after_kind kind)
{
	struct fake_bench b = fake_open(1);

	b.rule->faults.abort.status = 503;
	b.rule->faults.abort.enforce = true;
	b.rule->faults.abort.retry_after = (struct fault_retry_after){ .kind = kind, .min_ns = 1500 * NS_PER_MS,
		.max_ns = 1500 * NS_PER_MS };
	b.rule->first = 1;
	fake_seal(&b);
	return b;
}

Test(decide_limit, an_early_return_is_refused_again)
{
	struct fake_bench b = enforce_open(RETRY_AFTER_SECONDS);
	struct facts f = fake_facts("/");
	struct fault_plan plan = fake_ask_at(&b, &f, 100);

	cr_assert_eq(plan.decisions[0].outcome, DECISION_FIRED);
	cr_assert_not(plan.decisions[0].early);
	cr_assert_eq(plan.retry_after_ns, 1500 * NS_PER_MS);
	for (unsigned i = 0; i < 3; i++) {
		plan = fake_ask_at(&b, &f, 100 + 500 * NS_PER_MS);
		cr_assert_eq(plan.decisions[0].outcome, DECISION_FIRED);
		cr_assert(plan.decisions[0].early);
		cr_assert_eq(fake_end(&plan), b.rule);
		cr_assert_eq(plan.retry_after_ns, 1500 * NS_PER_MS, "what is left of the two seconds that were told");
	}
	cr_assert(fake_ask_at(&b, &f, 100 + 2 * NS_PER_S - 1).decisions[0].early);
	cr_assert_eq(b.states.v[0]->early, 4);
	cr_assert_eq(b.states.v[0]->fired, 5);
	plan = fake_ask_at(&b, &f, 100 + 2 * NS_PER_S);
	cr_assert_eq(plan.decisions[0].outcome, DECISION_SKIPPED, "refusing again did not prolong the wait");
	cr_assert_eq(plan.decisions[0].occurrence, 6, "each return is an occurrence");
	fake_close(&b);
}

Test(decide_limit, a_wait_is_one_clients)
{
	struct fake_bench b = enforce_open(RETRY_AFTER_SECONDS);
	struct facts f = fake_facts("/");

	(void)fake_ask(&b, &f);
	f.client[15] = 1;
	cr_assert_eq(fake_ask(&b, &f).decisions[0].outcome, DECISION_SKIPPED);
	f.client[15] = 0;
	cr_assert(fake_ask(&b, &f).decisions[0].early);
	fake_close(&b);
}

Test(decide_limit, a_wait_told_as_a_date_is_not_rounded)
{
	struct fake_bench b = enforce_open(RETRY_AFTER_DATE);
	struct facts f = fake_facts("/");

	(void)fake_ask_at(&b, &f, 0);
	cr_assert(fake_ask_at(&b, &f, 1500 * NS_PER_MS - 1).decisions[0].early);
	cr_assert_not(fake_ask_at(&b, &f, 1500 * NS_PER_MS).decisions[0].early);
	fake_close(&b);
}

Test(decide_limit, without_a_hint_nothing_is_enforced)
{
	struct fake_bench b = enforce_open(RETRY_AFTER_VERBATIM);
	struct facts f = fake_facts("/");

	(void)fake_ask(&b, &f);
	cr_assert_eq(fake_ask(&b, &f).decisions[0].outcome, DECISION_SKIPPED);
	fake_close(&b);
}

Test(decide_limit, the_outcome_that_told_refuses_again)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	b.rule->sequence = calloc(2, sizeof(*b.rule->sequence));
	b.rule->n_sequence = 2;
	b.rule->sequence[0].pass = true;
	b.rule->sequence[1].abort = (struct fault_abort){ .status = 429, .enforce = true,
		.retry_after = { .kind = RETRY_AFTER_SECONDS, .min_ns = NS_PER_S, .max_ns = NS_PER_S } };
	fake_seal(&b);
	cr_assert_eq(fake_ask(&b, &f).decisions[0].outcome, DECISION_PASSED);
	cr_assert_eq(fake_ask(&b, &f).decisions[0].choice, 2);
	plan = fake_ask(&b, &f);
	cr_assert(plan.decisions[0].early);
	cr_assert_eq(plan.decisions[0].choice, 2);
	cr_assert_eq(plan.fired[0].set, &b.rule->sequence[1]);
	fake_close(&b);
}

Test(decide_limit, a_quota_enforces_the_wait_that_it_drew)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");
	struct fault_limit *limit = limit_add(b.rule, LIMIT_FIXED_WINDOW, 1);
	struct fault_plan plan;

	limit->hint = LIMIT_HINT_RANGE;
	limit->hint_min_ns = limit->hint_max_ns = 5 * NS_PER_S;
	limit->refusal.enforce = true;
	fake_seal(&b);
	cr_assert_eq(fake_ask_at(&b, &f, 0).decisions[0].outcome, DECISION_PASSED);
	cr_assert_eq(fake_ask_at(&b, &f, 0).retry_after_ns, 15 * NS_PER_S);
	plan = fake_ask_at(&b, &f, 12 * NS_PER_S);
	cr_assert(plan.decisions[0].early, "the window is open again, the wait not over");
	cr_assert(plan.limit.refused);
	cr_assert_eq(plan.limit.retry_ns, 3 * NS_PER_S);
	cr_assert_eq(plan.retry_after_ns, 3 * NS_PER_S);
	cr_assert_eq(fake_ask_at(&b, &f, 15 * NS_PER_S).decisions[0].outcome, DECISION_PASSED);
	fake_close(&b);
}
