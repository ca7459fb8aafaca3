/*
 * Patterns, networks, query values and the rule index on any bytes. Nothing may crash, read outside or run away; a pattern
 * said to cover another matches all that it does; the index gives every rule whose match holds.
 *
 * Input: lines. A line that is a pattern starts with two bytes, its kind and its flags. In this order: pattern, pattern,
 * value, network, query, name of a parameter, path, then one path pattern for each rule.
 */
#include "core/decide.h"
#include "fuzz.h"


#define RULES_MAX 12

static struct pattern_scratch *scratch;

/* False where the text is refused; then nothing is owned. */
static bool next_pattern(struct span *rest, unsigned more_flags, struct pattern *p)
{
	struct span line = fuzz_take_line(rest);
	unsigned kind = line.n > 0 ? (unsigned char)line.p[0] % (PATTERN_REGEX + 1) : PATTERN_EXACT;
	unsigned flags = more_flags | (line.n > 1 ? (unsigned char)line.p[1] % 4 : 0);
	char error[128];
	size_t offset;

	return pattern_compile(p, (enum pattern_kind)kind, flags, span_skip(line, 2), error, sizeof(error), &offset) == 0;
}

static void try_patterns(struct span *rest)
{
	struct pattern a;
	struct pattern b;
	bool has_a = next_pattern(rest, 0, &a);
	bool has_b = next_pattern(rest, 0, &b);
	struct span value = fuzz_take_line(rest);
	bool a_matches = has_a && pattern_matches(&a, value, scratch);
	bool b_matches = has_b && pattern_matches(&b, value, scratch);

	if (has_a && has_b && pattern_covers(&a, &b))
		MUST_HOLD(a_matches || !b_matches);
	if (has_a && has_b && pattern_covers(&b, &a))
		MUST_HOLD(b_matches || !a_matches);
	if (has_a)
		pattern_deinit(&a);
	if (has_b)
		pattern_deinit(&b);
}

static void try_net_and_query(struct span *rest)
{
	struct match_net net;
	struct span query;
	struct span name;
	struct span value;
	char decoded[16];

	if (match_net_parse(&net, fuzz_take_line(rest)) == 0)
		MUST_HOLD(net.bits <= 128);
	query = fuzz_take_line(rest);
	name = fuzz_take_line(rest);
	if (match_query_value(query, name, decoded, sizeof(decoded), &value))
		MUST_HOLD(value.n <= query.n);
}

static void check_index(const struct ruleset *set, const struct facts *f, enum rule_phase phase)
{
	struct rule_cursor cursor;
	unsigned candidate;

	ruleset_candidates(set, f->path, phase, &cursor);
	candidate = rule_cursor_next(&cursor);
	for (unsigned i = 0; i < set->n; i++) {
		MUST_HOLD(candidate >= i);
		if (candidate == i)
			candidate = rule_cursor_next(&cursor);
		else
			MUST_HOLD(set->v[i].phase != phase || !match_holds(&set->v[i].match, f, scratch));
	}
	MUST_HOLD(candidate == set->n);
}

static void try_index(struct span *rest)
{
	struct facts f = { .path = fuzz_take_line(rest) };
	struct ruleset set = { .v = calloc(RULES_MAX, sizeof(struct rule)) };

	while (set.n < RULES_MAX && rest->n) {
		struct rule *r = &set.v[set.n];

		r->match.paths = malloc(sizeof(*r->match.paths));
		if (!next_pattern(rest, PATTERN_SEGMENTS, r->match.paths)) {
			free(r->match.paths);
			r->match.paths = NULL;
			continue;
		}
		r->match.n_paths = 1;
		r->enabled = true;
		r->phase = set.n % 3 ? RULE_PHASE_REQUEST : RULE_PHASE_RESPONSE;
		set.n++;
	}
	if (ruleset_seal(&set) == 0) {
		check_index(&set, &f, RULE_PHASE_REQUEST);
		check_index(&set, &f, RULE_PHASE_RESPONSE);
	}
	ruleset_deinit(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of((const char *)data, size);

	if (!scratch)
		scratch = pattern_scratch_new();
	try_patterns(&rest);
	try_net_and_query(&rest);
	try_index(&rest);
	return 0;
}
