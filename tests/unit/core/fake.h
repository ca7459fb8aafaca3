/*
 * fake: patterns, facts and rule sets from literals, and a seeded generator of test input. Only for tests of core.
 */
#ifndef BROWNOUT_TEST_CORE_FAKE_H
#define BROWNOUT_TEST_CORE_FAKE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/decide.h"

/* A block of its own, as the structs of core want it. */
static inline struct span fake_own(const char *s)
{
	struct span copy = { strdup(s), strlen(s) };

	cr_assert_not_null(copy.p);
	return copy;
}

static inline struct pattern fake_pattern(enum pattern_kind kind, unsigned flags, const char *text)
{
	struct pattern p;
	char error[128] = "";
	size_t offset = 0;

	cr_assert_eq(pattern_compile(&p, kind, flags, span_of_string(text), error, sizeof(error), &offset), 0, "%s: %s", text,
		error);
	return p;
}

/* ---- facts --------------------------------------------------------------------------------------------------------- */

struct fake_field {
	const char *name; /* lower case; NULL ends the array */
	const char *value;
};

static inline bool fake_field_get(const void *source, struct span name, unsigned nth, struct span *value)
{
	for (const struct fake_field *f = source; f->name; f++) {
		if (!span_eq(span_of_string(f->name), name) || nth--)
			continue;
		*value = span_of_string(f->value);
		return true;
	}
	return false;
}

static inline struct facts fake_facts(const char *path)
{
	return (struct facts){
		.method = SPAN("GET"),
		.host = SPAN("shop.test"),
		.path = span_of_string(path),
		.target = span_of_string(path),
	};
}

/* ---- rules --------------------------------------------------------------------------------------------------------- */

static inline struct pattern *fake_add_path(struct match *m, enum pattern_kind kind, const char *text)
{
	m->paths = realloc(m->paths, (m->n_paths + 1) * sizeof(*m->paths));
	cr_assert_not_null(m->paths);
	m->paths[m->n_paths] = fake_pattern(kind, PATTERN_SEGMENTS, text);
	return &m->paths[m->n_paths++];
}

/* n enabled rules of phase request that match all, always fire and add no fault; to be changed and sealed. */
static inline struct ruleset fake_ruleset(unsigned n, uint64_t seed)
{
	struct ruleset set = { .seed = seed, .v = calloc(n, sizeof(struct rule)), .n = n };

	cr_assert_not_null(set.v);
	for (unsigned i = 0; i < n; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "rule-%u", i + 1);
		set.v[i].name = fake_own(name);
		set.v[i].enabled = true;
		set.v[i].percentage = RULE_PERCENTAGE_ALL;
	}
	return set;
}

/* ---- deciding ------------------------------------------------------------------------------------------------------- */

#define FAKE_PERCENT 1000000 /* in the unit of rule.percentage */

/* A sealed set of one rule with its counts. */
struct fake_bench {
	struct ruleset set;
	struct rule_states states;
	struct rule *rule;
};

static inline struct fake_bench fake_open(uint64_t seed)
{
	struct fake_bench b = { .set = fake_ruleset(1, seed) };

	b.rule = b.set.v;
	return b;
}

static inline void fake_seal(struct fake_bench *b)
{
	cr_assert_eq(ruleset_seal(&b->set), 0);
	cr_assert_eq(rule_states_init(&b->states, &b->set, 0), 0);
}

static inline void fake_close(struct fake_bench *b)
{
	rule_states_deinit(&b->states);
	ruleset_deinit(&b->set);
}

static inline struct fault_plan fake_ask_at(struct fake_bench *b, const struct facts *f, int64_t now_ns)
{
	struct fault_plan plan;

	decide(&b->set, &b->states, f, RULE_PHASE_REQUEST, now_ns, NULL, &plan);
	return plan;
}

static inline struct fault_plan fake_ask(struct fake_bench *b, const struct facts *f)
{
	return fake_ask_at(b, f, 0);
}

/* One letter per request: fired, not drawn, skipped, outside, dry run, refused, passed. */
static inline const char *fake_outcomes(struct fake_bench *b, const struct facts *f, unsigned n)
{
	static char text[128];

	for (unsigned i = 0; i < n; i++)
		text[i] = "FN-ODRP"[fake_ask(b, f).decisions[0].outcome];
	text[n] = '\0';
	return text;
}

/* ---- generator ------------------------------------------------------------------------------------------------------ */

/* xorshift64*: the state is never 0. */
static inline uint64_t fake_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static inline unsigned fake_below(uint64_t *state, unsigned n)
{
	return (unsigned)((fake_random(state) >> 33) % n);
}

/* A NUL-terminated text of at most max bytes of the alphabet. */
static inline void fake_text(uint64_t *state, const char *alphabet, unsigned max, char *out)
{
	unsigned n = fake_below(state, max + 1);

	for (unsigned i = 0; i < n; i++)
		out[i] = alphabet[fake_below(state, (unsigned)strlen(alphabet))];
	out[n] = '\0';
}

/* The rule that ends the list; NULL where none does. */
static inline const struct rule *fake_end(const struct fault_plan *plan)
{
	return plan->end < 0 ? NULL : plan->fired[plan->end].rule;
}

#endif
