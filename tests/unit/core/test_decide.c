/*
 * Decisions: exact in number, the same in any order and on any number of threads, composed in file order. The seeds are
 * fixed, so each statistical bound is either kept for ever or never.
 */
#include "core/decide.h"

#include <pthread.h>

#include "core/random.h"
#include "fake.h"

#define PERCENT 1000000

/* A sealed set of one rule with its counts. */
struct bench {
	struct ruleset set;
	struct rule_states states;
	struct rule *rule;
};

static struct bench bench_open(uint64_t seed)
{
	struct bench b = { .set = fake_ruleset(1, seed) };

	b.rule = b.set.v;
	return b;
}

static void bench_seal(struct bench *b)
{
	cr_assert_eq(ruleset_seal(&b->set), 0);
	cr_assert_eq(rule_states_init(&b->states, &b->set), 0);
}

static void bench_close(struct bench *b)
{
	rule_states_deinit(&b->states);
	ruleset_deinit(&b->set);
}

static struct fault_plan ask(struct bench *b, const struct facts *f)
{
	struct fault_plan plan;

	decide(&b->set, &b->states, f, RULE_PHASE_REQUEST, NULL, &plan);
	return plan;
}

/* Asks n times with these facts; how often the rule fired. */
static unsigned fired_of(struct bench *b, const struct facts *f, unsigned n)
{
	unsigned fired = 0;

	for (unsigned i = 0; i < n; i++) {
		struct fault_plan plan = ask(b, f);

		cr_assert_eq(plan.n_decisions, 1);
		fired += plan.decisions[0].outcome == DECISION_FIRED;
	}
	return fired;
}

/* One letter per request: fired, not drawn, skipped. */
static const char *outcomes(struct bench *b, const struct facts *f, unsigned n)
{
	static char text[128];

	for (unsigned i = 0; i < n; i++)
		text[i] = "FN-"[ask(b, f).decisions[0].outcome];
	text[n] = '\0';
	return text;
}

/* ---- percentage ---------------------------------------------------------------------------------------------------- */

Test(decide, nothing_at_0_and_all_at_100)
{
	static const enum rule_sampling samplings[] = { RULE_SAMPLING_INDEPENDENT, RULE_SAMPLING_EVEN };
	struct facts f = fake_facts("/");

	for (unsigned i = 0; i < ARRAY_LEN(samplings); i++) {
		struct bench none = bench_open(1);
		struct bench all = bench_open(1);

		none.rule->percentage = 0;
		none.rule->sampling = all.rule->sampling = samplings[i];
		bench_seal(&none);
		bench_seal(&all);
		cr_assert_eq(fired_of(&none, &f, 10000), 0);
		cr_assert_eq(fired_of(&all, &f, 10000), 10000);
		cr_assert_eq(all.states.v[0].matched, 10000);
		cr_assert_eq(all.states.v[0].fired, 10000);
		cr_assert_eq(none.states.v[0].matched, 10000);
		cr_assert_eq(none.states.v[0].fired, 0);
		bench_close(&none);
		bench_close(&all);
	}
}

Test(decide, percentage_holds_over_seeds)
{
	struct facts f = fake_facts("/");
	unsigned total = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct bench b = bench_open(seed);
		unsigned fired;

		b.rule->percentage = 10 * PERCENT;
		bench_seal(&b);
		fired = fired_of(&b, &f, 100000);
		total += fired;
		/* Binomial: mean 10000, deviation 94.87; 3.891 deviations hold 99.99 %. */
		cr_assert_geq(fired, 10000 - 369, "seed %lu: %u", seed, fired);
		cr_assert_leq(fired, 10000 + 369, "seed %lu: %u", seed, fired);
		bench_close(&b);
	}
	cr_assert_geq(total, 200000 - 1651);
	cr_assert_leq(total, 200000 + 1651);
}

Test(decide, draw_is_compared_with_the_exact_threshold)
{
	struct bench b = bench_open(42);

	b.rule->percentage = 10 * PERCENT;
	bench_seal(&b);
	for (uint64_t occurrence = 1; occurrence <= 1000; occurrence++) {
		struct decision d = decide_draw(&b.set, 0, 0, occurrence);

		cr_assert_eq(d.draw, random_word(42, b.rule->name_hash, 0, occurrence, 0));
		cr_assert_eq(d.threshold, UINT64_C(1844674407370955161));
		cr_assert_eq(d.outcome, d.draw < d.threshold ? DECISION_FIRED : DECISION_NOT_DRAWN);
		cr_assert_eq(d.occurrence, occurrence);
	}
	bench_close(&b);
}

Test(decide, seeds_and_names_and_keys_draw_apart)
{
	struct bench a = bench_open(1);
	struct bench b = bench_open(2);
	unsigned same = 0;

	a.rule->percentage = b.rule->percentage = 50 * PERCENT;
	bench_seal(&a);
	bench_seal(&b);
	for (uint64_t n = 1; n <= 1000; n++)
		same += decide_draw(&a.set, 0, 0, n).outcome == decide_draw(&b.set, 0, 0, n).outcome;
	cr_assert(same > 400 && same < 600, "two seeds: %u of 1000 alike", same);
	for (uint64_t n = 1; n <= 1000; n++)
		cr_assert_neq(decide_draw(&a.set, 0, 1, n).draw, decide_draw(&a.set, 0, 2, n).draw);
	for (uint64_t n = 1; n <= 1000; n++) {
		uint64_t draw = decide_draw(&a.set, 0, 1, n).draw;

		a.rule->name_hash++;
		cr_assert_neq(decide_draw(&a.set, 0, 1, n).draw, draw);
		a.rule->name_hash--;
	}
	bench_close(&a);
	bench_close(&b);
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
		{ 10 * PERCENT, 100, 10, 100000 },
		{ PERCENT / 4, 10000, 25, 100000 },
		{ 33333000, 100000, 33333, 300000 },
		{ 99 * PERCENT, 100, 99, 10000 },
	};
	struct facts f = fake_facts("/");

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct bench b = bench_open(42);

		b.rule->percentage = table[i].percentage;
		b.rule->sampling = RULE_SAMPLING_EVEN;
		bench_seal(&b);
		for (unsigned done = 0; done < table[i].requests; done += table[i].block)
			cr_assert_eq(fired_of(&b, &f, table[i].block), table[i].fires, "%u, block at %u", table[i].percentage, done);
		bench_close(&b);
	}
}

Test(decide, even_sampling_differs_from_block_to_block)
{
	struct bench b = bench_open(42);
	unsigned same = 0;

	b.rule->percentage = 10 * PERCENT;
	b.rule->sampling = RULE_SAMPLING_EVEN;
	bench_seal(&b);
	for (uint64_t n = 1; n <= 10000; n++) {
		same += decide_draw(&b.set, 0, 0, n).outcome == DECISION_FIRED &&
			decide_draw(&b.set, 0, 0, n + 100).outcome == DECISION_FIRED;
	}
	/* 100 are expected, deviation 10. */
	cr_assert(same > 60 && same < 140, "%u", same);
	bench_close(&b);
}

Test(decide, even_sampling_counts_what_is_considered)
{
	struct bench b = bench_open(42);
	unsigned fired = 0;

	b.rule->percentage = 10 * PERCENT;
	b.rule->sampling = RULE_SAMPLING_EVEN;
	b.rule->after = 7;
	b.rule->every = 3;
	bench_seal(&b);
	for (uint64_t n = 8; n < 8 + 300; n++)
		fired += decide_draw(&b.set, 0, 0, n).outcome == DECISION_FIRED;
	cr_assert_eq(fired, 10, "100 of 300 are considered, 10 of each 100 fire");
	bench_close(&b);
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
		struct bench b = bench_open(1);

		b.rule->after = table[i].after;
		b.rule->every = table[i].every;
		b.rule->first = table[i].first;
		bench_seal(&b);
		cr_expect_str_eq(outcomes(&b, &f, 12), table[i].outcomes, "row %u", i);
		bench_close(&b);
	}
}

Test(decide, first_bounds_what_is_considered_not_what_fires)
{
	struct facts f = fake_facts("/");
	struct bench b = bench_open(3);
	unsigned considered = 0;

	b.rule->percentage = 50 * PERCENT;
	b.rule->first = 20;
	bench_seal(&b);
	for (const char *c = outcomes(&b, &f, 100); *c; c++)
		considered += *c != '-';
	cr_assert_eq(considered, 20);
	cr_assert(b.states.v[0].fired > 0 && b.states.v[0].fired < 20);
	bench_close(&b);
}

/* ---- keys ---------------------------------------------------------------------------------------------------------- */

Test(decide, counts_are_per_key)
{
	struct fake_field user[3][2] = { { { "x-user", "a" } }, { { "x-user", "b" } }, { { NULL, NULL } } };
	struct facts f = fake_facts("/");
	struct bench b = bench_open(1);

	b.rule->key = RULE_KEY_HEADER;
	b.rule->key_name = fake_own("x-user");
	b.rule->after = 1;
	b.rule->first = 2;
	bench_seal(&b);
	f.field = fake_field_get;
	for (unsigned i = 0; i < ARRAY_LEN(user); i++) {
		f.field_source = user[i];
		cr_expect_str_eq(outcomes(&b, &f, 5), "-FF--", "user %u", i);
	}
	cr_assert_eq(b.states.v[0].matched, 15, "of all keys");
	cr_assert_eq(keytable_size(b.states.keys), 3);
	bench_close(&b);
}

/* The key hash of the only rule, with key kind and name as given. */
static uint64_t key_hash(enum rule_key key, const char *name, const struct facts *f)
{
	struct ruleset set = { .seed = 5 };
	struct rule r = { .key = key, .key_name = span_of_string(name) };

	return decide_key_hash(&set, &r, f);
}

Test(decide, key_of_cookies)
{
	static const struct {
		struct fake_field fields[3];
		const char *value;
	} table[] = {
		{ { { "cookie", "sid=abc" } }, "abc" },
		{ { { "cookie", "a=1; sid=abc; b=2" } }, "abc" },
		{ { { "cookie", "a=1;sid=abc" } }, "abc" },
		{ { { "cookie", "a=1" }, { "cookie", "sid=abc" } }, "abc" },
		{ { { "cookie", "sid=abc; sid=def" } }, "abc" },
		{ { { "cookie", "sid=a=b" } }, "a=b" },
		{ { { "cookie", "sid=\"q\"" } }, "\"q\"" },
		{ { { "cookie", " sid = abc " } }, "abc" },
		{ { { "cookie", "sid=" } }, "" },
		{ { { "cookie", "sid" } }, "" },
		{ { { "cookie", "SID=abc" } }, "" },
		{ { { "cookie", "xsid=abc; sidx=def" } }, "" },
		{ { { "cookie", ";;;=;" } }, "" },
		{ { { "cookie", "" } }, "" },
		{ { { "x", "sid=abc" } }, "" },
		{ { { NULL, NULL } }, "" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct facts f = fake_facts("/");

		f.field = fake_field_get;
		f.field_source = table[i].fields;
		cr_expect_eq(key_hash(RULE_KEY_COOKIE, "sid", &f), random_hash(5, span_of_string(table[i].value)), "row %u", i);
	}
}

Test(decide, key_of_query_header_and_client)
{
	static const struct fake_field fields[] = { { "x-user", "first" }, { "x-user", "second" }, { NULL, NULL } };
	struct facts f = fake_facts("/");

	f.query = SPAN("a=1&id=x%20y&id=z");
	f.field = fake_field_get;
	f.field_source = fields;
	f.client[15] = 9;
	cr_assert_eq(key_hash(RULE_KEY_ORDINAL, "", &f), 0);
	cr_assert_eq(key_hash(RULE_KEY_QUERY, "id", &f), random_hash(5, SPAN("x y")));
	cr_assert_eq(key_hash(RULE_KEY_QUERY, "none", &f), random_hash(5, SPAN("")));
	cr_assert_eq(key_hash(RULE_KEY_HEADER, "x-user", &f), random_hash(5, SPAN("first")));
	cr_assert_eq(key_hash(RULE_KEY_HEADER, "x-none", &f), random_hash(5, SPAN("")));
	cr_assert_eq(key_hash(RULE_KEY_CLIENT, "", &f), random_hash(5, SPAN("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09")));
}

Test(decide, fingerprint_is_method_host_and_target)
{
	static char long_host[2][600];
	struct facts base = fake_facts("/a");
	struct facts f = base;
	uint64_t hash = key_hash(RULE_KEY_FINGERPRINT, "", &base);

	f.host = SPAN("SHOP.Test");
	cr_assert_eq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash, "the host has no case");
	f.client[15] = 7;
	f.path = SPAN("/other");
	cr_assert_eq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash, "the target counts, not what was made of it");
	f = base;
	f.method = SPAN("PUT");
	cr_assert_neq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash);
	f = base;
	f.target = SPAN("/A");
	cr_assert_neq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash);
	f = base;
	f.host = SPAN("shop.tes");
	f.target = SPAN("t/a");
	cr_assert_neq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash, "the parts do not run into each other");

	memset(long_host[0], 'x', sizeof(long_host[0]));
	memset(long_host[1], 'X', sizeof(long_host[1]));
	f.host = span_of(long_host[0], sizeof(long_host[0]));
	hash = key_hash(RULE_KEY_FINGERPRINT, "", &f);
	f.host = span_of(long_host[1], sizeof(long_host[1]));
	cr_assert_eq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash);
	long_host[1][599] = 'y';
	cr_assert_neq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash, "all of a long host counts");
}

/* ---- order and threads --------------------------------------------------------------------------------------------- */

#define THREADS 4
#define PER_THREAD 25000
#define KEYS 50

static char key_texts[KEYS][4];

struct walker {
	struct bench *bench;
	unsigned number;
	struct decision seen[PER_THREAD];
};

static void *walk(void *arg)
{
	struct walker *w = arg;
	uint64_t random = w->number + 1;

	for (unsigned i = 0; i < PER_THREAD; i++) {
		struct fake_field fields[] = { { "x-user", key_texts[fake_below(&random, KEYS)] }, { NULL, NULL } };
		struct facts f = fake_facts("/");

		f.field = fake_field_get;
		f.field_source = fields;
		w->seen[i] = ask(w->bench, &f).decisions[0];
	}
	return NULL;
}

static int decision_compare(const void *left, const void *right)
{
	const struct decision *a = left;
	const struct decision *b = right;

	if (a->key_hash != b->key_hash)
		return a->key_hash < b->key_hash ? -1 : 1;
	return (a->occurrence > b->occurrence) - (a->occurrence < b->occurrence);
}

/*
 * Whatever the threads' order was: each key has the occurrences 1, 2, 3 ... once each, and what happened to each is
 * what its number alone says.
 */
static void assert_order_does_not_matter(enum rule_key key, enum rule_sampling sampling)
{
	static struct walker walkers[THREADS];
	static struct decision all[THREADS * PER_THREAD];
	struct bench b = bench_open(42);
	pthread_t threads[THREADS];
	unsigned fired = 0;

	b.rule->percentage = 10 * PERCENT;
	b.rule->sampling = sampling;
	b.rule->after = 10;
	b.rule->key = key;
	b.rule->key_name = fake_own("x-user");
	bench_seal(&b);
	for (unsigned i = 0; i < KEYS; i++)
		(void)snprintf(key_texts[i], sizeof(key_texts[i]), "%u", i);
	for (unsigned i = 0; i < THREADS; i++) {
		walkers[i].bench = &b;
		walkers[i].number = i;
		cr_assert_eq(pthread_create(&threads[i], NULL, walk, &walkers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		memcpy(all + i * PER_THREAD, walkers[i].seen, sizeof(walkers[i].seen));
	}
	qsort(all, ARRAY_LEN(all), sizeof(all[0]), decision_compare);
	for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
		bool same_key = i > 0 && all[i].key_hash == all[i - 1].key_hash;
		struct decision direct = decide_draw(&b.set, 0, all[i].key_hash, all[i].occurrence);

		cr_assert_eq(all[i].occurrence, same_key ? all[i - 1].occurrence + 1 : 1);
		cr_assert_eq(all[i].outcome, direct.outcome);
		cr_assert_eq(all[i].draw, direct.draw);
		fired += all[i].outcome == DECISION_FIRED;
	}
	cr_assert_eq(b.states.v[0].matched, ARRAY_LEN(all));
	cr_assert_eq(b.states.v[0].fired, fired);
	cr_assert(fired > 9000 && fired < 11000, "%u", fired);
	bench_close(&b);
}

Test(decide, order_does_not_matter_by_ordinal)
{
	assert_order_does_not_matter(RULE_KEY_ORDINAL, RULE_SAMPLING_INDEPENDENT);
	assert_order_does_not_matter(RULE_KEY_ORDINAL, RULE_SAMPLING_EVEN);
}

Test(decide, order_does_not_matter_by_key)
{
	assert_order_does_not_matter(RULE_KEY_HEADER, RULE_SAMPLING_INDEPENDENT);
	assert_order_does_not_matter(RULE_KEY_HEADER, RULE_SAMPLING_EVEN);
}

/* ---- composing ----------------------------------------------------------------------------------------------------- */

Test(decide, delays_add_up_until_a_rule_ends_the_list)
{
	struct ruleset set = fake_ruleset(5, 1);
	struct bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	set.v[0].delay = (struct fault_delay){ DELAY_FIXED, 100, 100 };
	set.v[1].delay = (struct fault_delay){ DELAY_FIXED, 999, 999 };
	set.v[1].percentage = 0;
	set.v[2].delay = (struct fault_delay){ DELAY_FIXED, 20, 20 };
	set.v[3].abort.status = 503;
	set.v[3].after = 1;
	set.v[3].delay = (struct fault_delay){ DELAY_FIXED, 3, 3 };
	set.v[4].connection = FAULT_CONNECTION_RESET;
	bench_seal(&b);

	plan = ask(&b, &f);
	cr_assert_eq(plan.delay_ns, 120);
	cr_assert_eq(plan.delay_rule, &b.set.v[2]);
	cr_assert_eq(plan.end_rule, &b.set.v[4], "rule 4 was skipped, so 5 ends the list");
	cr_assert_eq(plan.n_decisions, 5);
	cr_assert_eq(plan.decisions[1].outcome, DECISION_NOT_DRAWN);
	cr_assert_eq(plan.decisions[3].outcome, DECISION_SKIPPED);

	plan = ask(&b, &f);
	cr_assert_eq(plan.delay_ns, 123);
	cr_assert_eq(plan.end_rule, &b.set.v[3]);
	cr_assert_eq(plan.n_decisions, 4, "what stands behind the end is not asked");
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(plan.decisions[i].rule, i);
	cr_assert_eq(b.states.v[4].matched, 1);
	bench_close(&b);
}

Test(decide, delays_do_not_overflow)
{
	struct ruleset set = fake_ruleset(2, 1);
	struct bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");

	for (unsigned i = 0; i < 2; i++)
		set.v[i].delay = (struct fault_delay){ DELAY_FIXED, INT64_MAX - 1, INT64_MAX - 1 };
	bench_seal(&b);
	cr_assert_eq(ask(&b, &f).delay_ns, INT64_MAX);
	bench_close(&b);
}

Test(decide, uniform_delay_is_uniform)
{
	struct bench b = bench_open(42);
	struct facts f = fake_facts("/");
	unsigned seen[20] = { 0 };
	double sum = 0;

	b.rule->delay = (struct fault_delay){ DELAY_UNIFORM, 100 * NS_PER_MS, 300 * NS_PER_MS };
	bench_seal(&b);
	for (unsigned i = 0; i < 100000; i++) {
		int64_t delay = ask(&b, &f).delay_ns;

		cr_assert(delay >= 100 * NS_PER_MS && delay <= 300 * NS_PER_MS, "%ld", delay);
		seen[MIN((delay - 100 * NS_PER_MS) / (10 * NS_PER_MS), 19)]++;
	}
	for (unsigned i = 0; i < 20; i++)
		sum += (seen[i] - 5000.0) * (seen[i] - 5000.0) / 5000.0;
	/* 99.99 % quantile of chi-square with 19 degrees of freedom. */
	cr_assert_lt(sum, 50.8);
	bench_close(&b);
}

Test(decide, excluded_paths_get_and_count_nothing)
{
	struct bench b = bench_open(1);
	struct facts f = fake_facts("/healthz");
	struct fault_plan plan;

	b.rule->abort.status = 503;
	b.set.exclude = calloc(1, sizeof(*b.set.exclude));
	b.set.exclude[b.set.n_exclude++] = fake_pattern(PATTERN_EXACT, PATTERN_SEGMENTS, "/healthz");
	bench_seal(&b);
	plan = ask(&b, &f);
	cr_assert_eq(plan.n_decisions, 0);
	cr_assert_null(plan.end_rule);
	cr_assert_eq(b.states.v[0].matched, 0);
	f = fake_facts("/healthz/x");
	cr_assert_eq(ask(&b, &f).end_rule, b.rule);
	bench_close(&b);
}

Test(decide, what_does_not_match_is_not_counted)
{
	struct bench b = bench_open(1);
	struct facts f = fake_facts("/b");

	fake_add_path(&b.rule->match, PATTERN_PREFIX, "/a");
	bench_seal(&b);
	cr_assert_eq(ask(&b, &f).n_decisions, 0);
	cr_assert_eq(b.states.v[0].matched, 0);
	f = fake_facts("/a");
	cr_assert_eq(ask(&b, &f).n_decisions, 1);
	cr_assert_eq(b.states.v[0].matched, 1);
	bench_close(&b);
}

Test(decide, phases_are_apart)
{
	struct ruleset set = fake_ruleset(3, 1);
	struct bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	set.v[0].phase = set.v[1].phase = RULE_PHASE_RESPONSE;
	match_status_add(&set.v[0].match, 500, 599);
	set.v[2].abort.status = 503;
	bench_seal(&b);
	plan = ask(&b, &f);
	cr_assert_eq(plan.n_decisions, 1);
	cr_assert_eq(plan.decisions[0].rule, 2);
	cr_assert_eq(plan.decisions[0].phase, RULE_PHASE_REQUEST);

	f.status = 200;
	decide(&b.set, &b.states, &f, RULE_PHASE_RESPONSE, NULL, &plan);
	cr_assert_eq(plan.n_decisions, 1, "without a status condition any answer matches");
	cr_assert_eq(plan.decisions[0].rule, 1);
	cr_assert_eq(plan.decisions[0].phase, RULE_PHASE_RESPONSE);
	cr_assert_null(plan.end_rule);

	f.status = 502;
	decide(&b.set, &b.states, &f, RULE_PHASE_RESPONSE, NULL, &plan);
	cr_assert_eq(plan.n_decisions, 2);
	bench_close(&b);
}

Test(decide, records_beyond_the_bound_are_counted)
{
	struct ruleset set = fake_ruleset(DECISIONS_MAX + 5, 1);
	struct bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	for (unsigned i = 0; i < set.n; i++)
		set.v[i].delay = (struct fault_delay){ DELAY_FIXED, 1, 1 };
	bench_seal(&b);
	plan = ask(&b, &f);
	cr_assert_eq(plan.n_decisions, DECISIONS_MAX);
	cr_assert_eq(plan.n_decisions_lost, 5);
	cr_assert_eq(plan.delay_ns, DECISIONS_MAX + 5, "they act all the same");
	bench_close(&b);
}

Test(decide, an_empty_set_decides_nothing)
{
	struct bench b = { 0 };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	bench_seal(&b);
	memset(&plan, 0xff, sizeof(plan));
	decide(&b.set, &b.states, &f, RULE_PHASE_REQUEST, NULL, &plan);
	cr_assert_eq(plan.n_decisions, 0);
	cr_assert_eq(plan.n_decisions_lost, 0);
	cr_assert_eq(plan.delay_ns, 0);
	cr_assert_null(plan.delay_rule);
	cr_assert_null(plan.end_rule);
	bench_close(&b);
}
