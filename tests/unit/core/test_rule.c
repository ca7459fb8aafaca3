/*
 * Sealing by table, and the index against asking every rule, on random rule sets and paths.
 */
#include "core/rule.h"

#include "core/random.h"
#include "fake.h"

Test(rule, fault_kinds_have_names)
{
	cr_assert_str_eq(fault_kind_name(FAULT_NONE), "none");
	cr_assert_str_eq(fault_kind_name(FAULT_ABORT), "abort");
	cr_assert_str_eq(fault_kind_name(FAULT_DELAY), "delay");
	cr_assert_str_eq(fault_kind_name(FAULT_CONNECTION), "connection");
	cr_assert_str_eq(fault_kind_name(FAULT_KIND_COUNT), "unknown");
}

Test(rule, abort_and_connection_end_the_list)
{
	struct rule r = { 0 };

	rule_seal(&r);
	cr_assert_not(rule_is_terminal(&r));
	r.faults.delay.kind = DELAY_FIXED;
	rule_seal(&r);
	cr_assert_not(rule_is_terminal(&r));
	r.faults.abort.status = 503;
	rule_seal(&r);
	cr_assert(rule_is_terminal(&r));
	r = (struct rule){ .faults = { .connection = FAULT_CONNECTION_RESET } };
	rule_seal(&r);
	cr_assert(rule_is_terminal(&r));
}

Test(rule, a_rule_of_several_sets_ends_the_list_where_all_do)
{
	struct rule_outcome outcomes[2] = { { .faults = { .abort = { .status = 503 } } }, { .faults = { .pass = true } } };
	struct fault_set sequence[2] = { { .abort = { .status = 503 } }, { .hang = { .max_ns = 1 } } };
	struct rule r = { .outcomes = outcomes, .n_outcomes = 2 };

	rule_seal(&r);
	cr_assert(rule_is_terminal(&r));
	outcomes[1].faults = (struct fault_set){ .delay = { .kind = DELAY_FIXED } };
	rule_seal(&r);
	cr_assert_not(rule_is_terminal(&r));
	r = (struct rule){ .sequence = sequence, .n_sequence = 2 };
	rule_seal(&r);
	cr_assert(rule_is_terminal(&r));
	sequence[0] = (struct fault_set){ .throttle = { .download = 1 } };
	rule_seal(&r);
	cr_assert_not(rule_is_terminal(&r));
}

Test(rule, seal_sums_the_weights_and_seals_all_sets)
{
	struct rule_outcome outcomes[2] = { { UINT32_MAX, { .abort = { .status = 503, .enforce = true } } },
		{ UINT32_MAX, { .pass = true } } };
	struct rule r = { .outcomes = outcomes, .n_outcomes = 2 };

	rule_seal(&r);
	cr_assert_eq(r.outcomes_total, UINT64_C(2) * UINT32_MAX);
	cr_assert_eq(outcomes[0].faults.kinds, FAULT_BIT(ABORT));
	cr_assert_eq(outcomes[1].faults.kinds, FAULT_BIT(PASS));
	cr_assert(r.has_enforce);
	cr_assert_not(r.has_schedule);
	r = (struct rule){ .schedule = { .ttl_ns = 1 } };
	rule_seal(&r);
	cr_assert(r.has_schedule);
	cr_assert_not(r.has_enforce);
}

Test(rule, a_choice_means_a_set)
{
	struct rule_outcome outcomes[2] = { { 0 } };
	struct fault_set sequence[2] = { { 0 } };
	struct rule r = { .outcomes = outcomes, .n_outcomes = 2 };

	cr_assert_eq(rule_faults(&r, 0), &r.faults);
	cr_assert_eq(rule_faults(&r, 1), &outcomes[0].faults);
	cr_assert_eq(rule_faults(&r, 2), &outcomes[1].faults);
	cr_assert(rule_faults(&r, 3)->pass);
	r = (struct rule){ .sequence = sequence, .n_sequence = 2 };
	cr_assert_eq(rule_faults(&r, 2), &sequence[1]);
	cr_assert(rule_faults(&r, 3)->pass);
	cr_assert_eq(rule_faults(&r, 3)->kinds, FAULT_BIT(PASS));
}

static int note_abort(void *context, const struct rule *rule, const struct fault_abort *abort)
{
	char *text = context;
	size_t n = strlen(text);

	(void)snprintf(text + n, 128 - n, "%.*s:%u=%u ", SPAN_ARG(rule->name), abort->number, abort->status);
	return abort->status == 599 ? -5 : 0;
}

Test(rule, aborts_are_numbered_in_all_sets)
{
	struct ruleset set = fake_ruleset(4, 1);
	char text[128] = "";

	set.v[0].faults.abort.status = 500;
	set.v[1].outcomes = calloc(3, sizeof(*set.v[1].outcomes));
	set.v[1].n_outcomes = 3;
	set.v[1].outcomes[0].faults.abort.status = 501;
	set.v[1].outcomes[1].faults.pass = true;
	set.v[1].outcomes[2].faults.abort.status = 502;
	set.v[2].faults.limit = calloc(1, sizeof(*set.v[2].faults.limit));
	set.v[2].faults.limit->limit = 1;
	set.v[2].faults.limit->key_name = fake_own("x-key");
	set.v[2].faults.limit->refusal.status = 429;
	set.v[2].faults.limit->refusal.reason = fake_own("Slow down");
	set.v[3].sequence = calloc(2, sizeof(*set.v[3].sequence));
	set.v[3].n_sequence = 2;
	set.v[3].sequence[0].abort.status = 503;
	set.v[3].sequence[0].abort.body = fake_own("x");
	set.v[3].sequence[1].abort.status = 504;
	cr_assert_eq(ruleset_seal(&set), 0);
	cr_assert_eq(set.n_aborts, 6);
	cr_assert_eq(set.v[2].faults.kinds, FAULT_BIT(RATE_LIMIT));
	cr_assert_eq(ruleset_each_abort(&set, note_abort, text), 0);
	cr_assert_str_eq(text, "rule-1:0=500 rule-2:1=501 rule-2:2=502 rule-3:3=429 rule-4:4=503 rule-4:5=504 ");

	set.v[1].outcomes[0].faults.abort.status = 599;
	text[0] = '\0';
	cr_assert_eq(ruleset_each_abort(&set, note_abort, text), -5, "what the function returns ends the walk");
	cr_assert_str_eq(text, "rule-1:0=500 rule-2:1=599 ");
	ruleset_deinit(&set);
}

Test(rule, seal_finds_threshold_and_block)
{
	static const struct {
		uint32_t percentage; /* in millionths of a percent */
		uint32_t block;
		uint32_t fires;
	} table[] = {
		{ 0, 100, 0 },
		{ 10000000, 100, 10 },
		{ 1000000, 100, 1 },
		{ 12500000, 1000, 125 },
		{ 250000, 10000, 25 },
		{ 33333000, 100000, 33333 },
		{ 33333300, 1000000, 333333 },
		{ 1, 100000000, 1 },
		{ 99999999, 100000000, 99999999 },
		{ RULE_PERCENTAGE_ALL, 100, 100 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct rule r = { .name = SPAN("x"), .percentage = table[i].percentage };

		rule_seal(&r);
		cr_expect_eq(r.even_block, table[i].block, "%u", table[i].percentage);
		cr_expect_eq(r.even_fires, table[i].fires, "%u", table[i].percentage);
		cr_expect_eq(r.name_hash, random_hash(0, SPAN("x")));
		if (table[i].percentage < RULE_PERCENTAGE_ALL)
			cr_expect_eq(r.threshold, random_threshold(table[i].percentage, RULE_PERCENTAGE_ALL));
		else
			cr_expect_eq(r.threshold, UINT64_MAX);
	}
}

/* ---- candidates ---------------------------------------------------------------------------------------------------- */

/* The candidates of a path as "0 2 5". */
static const char *candidates(const struct ruleset *set, const char *path, enum rule_phase phase)
{
	static char text[256];
	struct rule_cursor cursor;
	size_t n = 0;

	ruleset_candidates(set, span_of_string(path), phase, &cursor);
	text[0] = '\0';
	for (unsigned i; (i = rule_cursor_next(&cursor)) < set->n;)
		n += (size_t)snprintf(text + n, sizeof(text) - n, n ? " %u" : "%u", i);
	cr_assert_eq(rule_cursor_next(&cursor), set->n, "the end stays the end");
	return text;
}

Test(rule, candidates_by_kind_of_path)
{
	static const struct {
		const char *path;
		const char *candidates;
	} table[] = {
		{ "/a", "0 1 2 4 6 7" }, /* 4 and 7 want more, which their own patterns say */
		{ "/a/b", "1 2 4 5 6 7" },
		{ "/a/b/c", "1 2 4 5 6 7" },
		{ "/a/", "1 2 4 6 7" },
		{ "/b", "1 2 6" },
		{ "/bb", "2 6" },
		{ "/", "2 6" },
		{ "*", "2 6" },
		{ "", "2 6" },
	};
	struct ruleset set = fake_ruleset(10, 1);

	fake_add_path(&set.v[0].match, PATTERN_EXACT, "/a");
	fake_add_path(&set.v[1].match, PATTERN_PREFIX, "/a");
	fake_add_path(&set.v[1].match, PATTERN_PREFIX, "/a/b"); /* the same rule twice on one path */
	fake_add_path(&set.v[1].match, PATTERN_EXACT, "/b");
	/* 2 has no path */
	fake_add_path(&set.v[3].match, PATTERN_EXACT, "/a");
	set.v[3].enabled = false;
	fake_add_path(&set.v[4].match, PATTERN_GLOB, "/a/*/**");
	fake_add_path(&set.v[5].match, PATTERN_PREFIX, "/a/b/");
	fake_add_path(&set.v[6].match, PATTERN_EXACT, "/none");
	fake_add_path(&set.v[6].match, PATTERN_REGEX, "x");
	fake_add_path(&set.v[7].match, PATTERN_GLOB, "/a/*");
	fake_add_path(&set.v[8].match, PATTERN_EXACT, "/a");
	set.v[8].phase = RULE_PHASE_RESPONSE;
	fake_add_path(&set.v[9].match, PATTERN_GLOB, "/other/*");
	cr_assert_eq(ruleset_seal(&set), 0);
	for (unsigned i = 0; i < ARRAY_LEN(table); i++)
		cr_expect_str_eq(candidates(&set, table[i].path, RULE_PHASE_REQUEST), table[i].candidates, "%s", table[i].path);
	cr_expect_str_eq(candidates(&set, "/a", RULE_PHASE_RESPONSE), "8");
	cr_expect_str_eq(candidates(&set, "/b", RULE_PHASE_RESPONSE), "");
	ruleset_deinit(&set);
}

Test(rule, phases_without_rules_are_known)
{
	struct ruleset set = fake_ruleset(2, 1);
	struct ruleset none = { 0 };

	set.v[1].phase = RULE_PHASE_RESPONSE;
	set.v[1].enabled = false;
	cr_assert_eq(ruleset_seal(&set), 0);
	cr_assert(ruleset_has_phase(&set, RULE_PHASE_REQUEST));
	cr_assert_not(ruleset_has_phase(&set, RULE_PHASE_RESPONSE), "a disabled rule is none");
	set.v[1].enabled = true;
	cr_assert_eq(ruleset_seal(&set), 0, "sealing again makes the index anew");
	cr_assert(ruleset_has_phase(&set, RULE_PHASE_RESPONSE));
	ruleset_deinit(&set);

	cr_assert_not(ruleset_has_phase(&none, RULE_PHASE_REQUEST));
	cr_assert_str_eq(candidates(&none, "/", RULE_PHASE_REQUEST), "");
	cr_assert_eq(ruleset_seal(&none), 0);
	cr_assert_not(ruleset_has_phase(&none, RULE_PHASE_REQUEST));
	cr_assert_str_eq(candidates(&none, "/", RULE_PHASE_REQUEST), "");
	ruleset_deinit(&none);
}

/* Prefixes of every depth, also deeper than the index goes, are found by every path below them. */
Test(rule, deep_prefixes_are_found)
{
	struct ruleset set = fake_ruleset(60, 1);
	char path[3 * 60 + 1] = "";

	for (unsigned i = 0; i < set.n; i++) {
		memcpy(path + 2 * i, "/x", 3);
		fake_add_path(&set.v[i].match, i & 1 ? PATTERN_PREFIX : PATTERN_EXACT, path);
	}
	cr_assert_eq(ruleset_seal(&set), 0);
	for (unsigned depth = 1; depth <= set.n; depth++) {
		struct facts f = fake_facts("");
		struct rule_cursor cursor;
		unsigned n_held = 0;

		f.path = span_of(path, 2 * depth);
		ruleset_candidates(&set, f.path, RULE_PHASE_REQUEST, &cursor);
		for (unsigned i; (i = rule_cursor_next(&cursor)) < set.n;)
			n_held += match_holds(&set.v[i].match, &f, NULL);
		cr_assert_eq(n_held, depth / 2 + depth % 2, "depth %u", depth);
	}
	ruleset_deinit(&set);
}

/* A pattern kind and text that the index lists in one of its ways, or not at all. */
static void add_random_path(uint64_t *random, struct match *m)
{
	static const enum pattern_kind kinds[] = { PATTERN_EXACT, PATTERN_EXACT, PATTERN_PREFIX, PATTERN_GLOB, PATTERN_GLOB,
		PATTERN_REGEX };
	enum pattern_kind kind = kinds[fake_below(random, ARRAY_LEN(kinds))];
	char text[8];

	fake_text(random, kind == PATTERN_GLOB ? "/ab*" : "/ab", 6, text + 1);
	text[0] = '/';
	fake_add_path(m, kind, fake_below(random, 10) ? text : text + 1);
}

static void assert_index_equals_asking_all(const struct ruleset *set, struct span path, enum rule_phase phase,
	struct pattern_scratch *scratch)
{
	struct facts f = fake_facts("");
	struct rule_cursor cursor;
	unsigned candidate;

	f.path = path;
	ruleset_candidates(set, path, phase, &cursor);
	candidate = rule_cursor_next(&cursor);
	for (unsigned i = 0; i < set->n; i++) {
		const struct rule *r = &set->v[i];
		bool wanted = r->enabled && r->phase == phase;

		if (i < candidate) {
			cr_assert_not(wanted && match_holds(&r->match, &f, scratch), "rule %u, %.*s", i, SPAN_ARG(path));
			continue;
		}
		cr_assert_eq(i, candidate, "candidates ascend");
		cr_assert(wanted);
		candidate = rule_cursor_next(&cursor);
	}
	cr_assert_eq(candidate, set->n);
}

Test(rule, index_equals_asking_every_rule)
{
	struct pattern_scratch *scratch = pattern_scratch_new();
	uint64_t random = 22;

	for (unsigned round = 0; round < 300; round++) {
		struct ruleset set = fake_ruleset(1 + fake_below(&random, 30), 1);

		for (unsigned i = 0; i < set.n; i++) {
			set.v[i].enabled = fake_below(&random, 8) != 0;
			set.v[i].phase = fake_below(&random, 4) ? RULE_PHASE_REQUEST : RULE_PHASE_RESPONSE;
			for (unsigned n = fake_below(&random, 4); n > 0; n--)
				add_random_path(&random, &set.v[i].match);
		}
		cr_assert_eq(ruleset_seal(&set), 0);
		for (unsigned i = 0; i < 100; i++) {
			char path[10];

			fake_text(&random, "/ab", 8, path + 1);
			path[0] = '/';
			assert_index_equals_asking_all(&set, span_of_string(path),
				i % 2 ? RULE_PHASE_REQUEST : RULE_PHASE_RESPONSE, scratch);
		}
		ruleset_deinit(&set);
	}
	pattern_scratch_free(scratch);
}

/* What the index is for: a thousand rules that do not fit are not asked. */
Test(rule, exact_paths_that_do_not_fit_are_no_candidates)
{
	struct ruleset set = fake_ruleset(1000, 1);
	char path[32];

	for (unsigned i = 0; i < set.n; i++) {
		(void)snprintf(path, sizeof(path), "/item/%u", i);
		fake_add_path(&set.v[i].match, i % 2 ? PATTERN_EXACT : PATTERN_PREFIX, path);
	}
	cr_assert_eq(ruleset_seal(&set), 0);
	cr_assert_str_eq(candidates(&set, "/item/77", RULE_PHASE_REQUEST), "77");
	cr_assert_str_eq(candidates(&set, "/item/77/x", RULE_PHASE_REQUEST), "");
	cr_assert_str_eq(candidates(&set, "/item/78/x", RULE_PHASE_REQUEST), "78");
	cr_assert_str_eq(candidates(&set, "/item/1000", RULE_PHASE_REQUEST), "");
	cr_assert_str_eq(candidates(&set, "/item", RULE_PHASE_REQUEST), "");
	ruleset_deinit(&set);
}

Test(rule, excludes)
{
	static const struct {
		const char *path;
		bool excluded;
	} table[] = { { "/healthz", true }, { "/healthz/x", false }, { "/live/a/b", true }, { "/", false } };
	struct ruleset set = fake_ruleset(1, 1);

	set.exclude = calloc(2, sizeof(*set.exclude));
	set.exclude[set.n_exclude++] = fake_pattern(PATTERN_EXACT, PATTERN_SEGMENTS, "/healthz");
	set.exclude[set.n_exclude++] = fake_pattern(PATTERN_GLOB, PATTERN_SEGMENTS, "/live/**");
	for (unsigned i = 0; i < ARRAY_LEN(table); i++)
		cr_expect_eq(ruleset_excludes(&set, span_of_string(table[i].path), NULL), table[i].excluded, "%s", table[i].path);
	ruleset_deinit(&set);
}
