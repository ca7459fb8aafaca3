/*
 * decide: walks the rules that match a request, counts, draws, and composes the faults of those that fire. Allocates
 * nothing and has no state of its own; what it writes are the caller's counts, with one atomic addition per rule.
 */
#include "core/decide.h"

#include <errno.h>
#include <stdlib.h>

#include "core/distribution.h"
#include "core/random.h"

/* Numbers of the words of one decision's hash stream (random_word). They are part of what a seed means: never renumber. */
enum { WORD_DRAW = 0, WORD_DELAY = 1, WORD_EVEN = 2 };

/* ---- counts ------------------------------------------------------------------------------------------------------ */

int rule_states_init(struct rule_states *s, const struct ruleset *set)
{
	size_t bytes = MAX(set->n, 1u) * sizeof(*s->v);

	*s = (struct rule_states){ .n = set->n };
	s->v = aligned_alloc(_Alignof(struct rule_state), bytes);
	s->keys = keytable_new(KEYTABLE_KEYS_DEFAULT);
	if (!s->v || !s->keys) {
		rule_states_deinit(s);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < s->n; i++) {
		atomic_init(&s->v[i].matched, 0);
		atomic_init(&s->v[i].fired, 0);
		atomic_init(&s->v[i].dry, 0);
		atomic_init(&s->v[i].refused, 0);
		atomic_init(&s->v[i].early, 0);
		atomic_init(&s->v[i].active, 0);
	}
	return 0;
}

void rule_states_deinit(struct rule_states *s)
{
	free(s->v);
	keytable_free(s->keys);
	*s = (struct rule_states){ 0 };
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* The value of a cookie in one Cookie field (RFC 6265 section 4.2.1): pairs apart by ';', values as they are. */
static bool cookie_find(struct span field, struct span name, struct span *value)
{
	while (field.n) {
		struct span pair = span_first(field, span_find(field, ';'));
		size_t equals = span_find(pair, '=');

		field = span_skip(field, pair.n + 1);
		if (equals < pair.n && span_eq(span_trim(span_first(pair, equals)), name)) {
			*value = span_trim(span_skip(pair, equals + 1));
			return true;
		}
	}
	return false;
}

static struct span cookie_value(const struct facts *f, struct span name)
{
	struct span field;
	struct span value = SPAN_EMPTY;

	for (unsigned nth = 0; facts_field(f, SPAN("cookie"), nth, &field); nth++) {
		if (cookie_find(field, name, &value))
			break;
	}
	return value;
}

/* Chained: where one part ends is part of the hash. The host counts without case. */
static uint64_t fingerprint(uint64_t seed, const struct facts *f)
{
	uint64_t h = random_hash(seed, f->method);
	struct span host = f->host;
	char lower[256];

	do {
		size_t n = MIN(host.n, sizeof(lower));

		for (size_t i = 0; i < n; i++)
			lower[i] = ascii_lower(host.p[i]);
		h = random_hash(h, span_of(lower, n));
		host = span_skip(host, n);
	} while (host.n);
	return random_hash(h, f->target);
}

static uint64_t query_key(uint64_t seed, const struct facts *f, struct span name)
{
	char decoded[MATCH_QUERY_VALUE_BYTES_MAX];
	struct span value = SPAN_EMPTY;

	(void)match_query_value(f->query, name, decoded, sizeof(decoded), &value);
	return random_hash(seed, value);
}

uint64_t decide_key_hash(const struct ruleset *set, const struct rule *r, const struct facts *f)
{
	struct span value = SPAN_EMPTY;

	switch (r->key) {
	case RULE_KEY_ORDINAL:
		return 0;
	case RULE_KEY_CLIENT:
		return random_hash(set->seed, span_of((const char *)f->client, sizeof(f->client)));
	case RULE_KEY_FINGERPRINT:
		return fingerprint(set->seed, f);
	case RULE_KEY_HEADER:
		(void)facts_field(f, r->key_name, 0, &value);
		return random_hash(set->seed, value);
	case RULE_KEY_COOKIE:
		return random_hash(set->seed, cookie_value(f, r->key_name));
	case RULE_KEY_QUERY:
		return query_key(set->seed, f, r->key_name);
	}
	return 0;
}

/* ---- one rule ---------------------------------------------------------------------------------------------------- */

/*
 * The number, from 1, of this occurrence among those that after, every and first leave to be considered; 0 where they
 * leave it out. A function of the occurrence alone, so that no order of arrival can change it.
 */
static uint64_t considered_number(const struct rule *r, uint64_t occurrence)
{
	uint64_t m;

	if (occurrence <= r->after)
		return 0;
	m = occurrence - r->after;
	if (r->every > 1) {
		if (m % r->every != 0)
			return 0;
		m /= r->every;
	}
	return r->first && m > r->first ? 0 : m;
}

struct decision decide_draw(const struct ruleset *set, unsigned rule, uint64_t key_hash, uint64_t occurrence,
	int64_t since_ns)
{
	const struct rule *r = &set->v[rule];
	uint64_t number = considered_number(r, occurrence);
	struct decision d = {
		.rule = (uint16_t)rule,
		.outcome = DECISION_FIRED,
		.phase = (uint8_t)r->phase,
		.key_hash = key_hash,
		.occurrence = occurrence,
		.threshold = r->threshold,
		.since_ns = since_ns,
	};

	if (number == 0) {
		d.outcome = DECISION_SKIPPED;
	} else if (r->percentage == RULE_PERCENTAGE_ALL) {
		d.threshold = UINT64_MAX;
	} else if (r->sampling == RULE_SAMPLING_EVEN) {
		uint64_t seed = random_word(set->seed, r->name_hash, key_hash, 0, WORD_EVEN);
		uint64_t block = (number - 1) / r->even_block;

		d.draw = random_permute(seed, block, (uint32_t)((number - 1) % r->even_block), r->even_block);
		d.threshold = r->even_fires;
	} else {
		d.draw = random_word(set->seed, r->name_hash, key_hash, occurrence, WORD_DRAW);
	}
	if (d.outcome == DECISION_FIRED && d.threshold != UINT64_MAX && d.draw >= d.threshold)
		d.outcome = DECISION_NOT_DRAWN;
	return d;
}

/* ---- composing --------------------------------------------------------------------------------------------------- */

static struct decision count_and_draw(const struct ruleset *set, struct rule_states *states, const struct facts *f, unsigned i,
	int64_t since_ns)
{
	const struct rule *r = &set->v[i];
	struct rule_state *state = &states->v[i];
	uint64_t occurrence = atomic_fetch_add_explicit(&state->matched, 1, memory_order_relaxed) + 1;
	uint64_t key_hash = 0;
	struct decision d;

	if (r->key != RULE_KEY_ORDINAL) {
		key_hash = decide_key_hash(set, r, f);
		occurrence = keytable_count(states->keys, r->name_hash, key_hash);
	}
	d = decide_draw(set, i, key_hash, occurrence, since_ns);
	if (d.outcome == DECISION_FIRED)
		atomic_fetch_add_explicit(&state->fired, 1, memory_order_relaxed);
	return d;
}

static void plan_add_record(struct fault_plan *plan, const struct decision *d)
{
	if (plan->n_decisions < DECISIONS_MAX)
		plan->decisions[plan->n_decisions++] = *d;
	else
		plan->n_decisions_lost++;
}

static void plan_add_delay(struct fault_plan *plan, const struct ruleset *set, const struct fault_fired *fired)
{
	const struct fault_delay *delay = &fired->set->delay;
	int64_t ns = distribution_draw(delay, decide_word(set, fired, WORD_DELAY)); /* so bounded that sums cannot overflow */

	if (delay->at_body)
		plan->body_delay_ns += ns;
	else
		plan->delay_ns += ns;
	plan->delay_rule = fired->rule;
}

static void plan_add_faults(struct fault_plan *plan, const struct ruleset *set, const struct rule *r, const struct decision *d)
{
	struct fault_fired *fired = &plan->fired[plan->n_fired];

	*fired = (struct fault_fired){ r, &r->faults, d->key_hash, d->occurrence };
	plan->kinds |= r->faults.kinds;
	if (r->faults.delay.kind != DELAY_NONE)
		plan_add_delay(plan, set, fired);
	if (fault_set_is_terminal(&r->faults))
		plan->end = (int)plan->n_fired;
	plan->n_fired++;
}

static void plan_clear(struct fault_plan *plan)
{
	/* Not the whole plan: its lists are long, and only the first so many of them mean anything. */
	plan->kinds = 0;
	plan->n_fired = 0;
	plan->end = -1;
	plan->delay_ns = 0;
	plan->body_delay_ns = 0;
	plan->delay_rule = NULL;
	plan->limit_rule = NULL;
	plan->retry_after_ns = -1;
	plan->n_decisions = 0;
	plan->n_decisions_lost = 0;
}

void decide(const struct ruleset *set, struct rule_states *states, const struct facts *f, enum rule_phase phase, int64_t now_ns,
	struct pattern_scratch *scratch, struct fault_plan *plan)
{
	struct rule_cursor cursor;
	bool asked_excludes = false;
	unsigned i;

	plan_clear(plan);
	if (!ruleset_has_phase(set, phase))
		return;
	ruleset_candidates(set, f->path, phase, &cursor);
	while (plan->end < 0 && (i = rule_cursor_next(&cursor)) < set->n) {
		struct decision d;

		if (!match_holds(&set->v[i].match, f, scratch))
			continue;
		/* Asked once, and only where something would happen: most requests match nothing. */
		if (!asked_excludes && ruleset_excludes(set, f->path, scratch))
			return;
		asked_excludes = true;
		d = count_and_draw(set, states, f, i, now_ns - atomic_load_explicit(&states->epoch_ns, memory_order_relaxed));
		if (d.outcome == DECISION_FIRED && plan->n_fired == FIRED_MAX)
			d.outcome = DECISION_REFUSED;
		plan_add_record(plan, &d);
		if (d.outcome == DECISION_FIRED)
			plan_add_faults(plan, set, &set->v[i], &d);
	}
}

void decide_release(struct rule_states *states, unsigned rule)
{
	(void)states;
	(void)rule;
}

uint64_t decide_word(const struct ruleset *set, const struct fault_fired *fired, uint32_t word)
{
	return random_word(set->seed, fired->rule->name_hash, fired->key_hash, fired->occurrence, word);
}
