/*
 * rule: freeing and sealing rules, and walking the candidates of a path in file order. Sealing computes, once, what each
 * decision needs: hashes, thresholds, blocks, the index.
 */
#include "core/rule.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/owned.h"
#include "core/random.h"
#include "core/rule_index.h"

#define EVEN_BLOCK_MIN 100

/* ---- the sets of a rule ------------------------------------------------------------------------------------------ */

static unsigned sets_count(const struct rule *r)
{
	return 1 + r->n_outcomes + r->n_sequence;
}

/* Its own first, then those of the outcomes, then those of the sequence. */
static struct fault_set *set_at(struct rule *r, unsigned i)
{
	if (i == 0)
		return &r->faults;
	i--;
	return i < r->n_outcomes ? &r->outcomes[i].faults : &r->sequence[i - r->n_outcomes];
}

const struct fault_set *rule_faults(const struct rule *r, unsigned choice)
{
	static const struct fault_set pass = { .kinds = FAULT_BIT(PASS), .pass = true };

	if (choice == 0)
		return &r->faults;
	if (r->n_outcomes)
		return choice <= r->n_outcomes ? &r->outcomes[choice - 1].faults : &pass;
	return choice <= r->n_sequence ? &r->sequence[choice - 1] : &pass;
}

bool rule_is_terminal(const struct rule *r)
{
	unsigned n = r->n_outcomes ? r->n_outcomes : r->n_sequence;

	for (unsigned choice = n != 0; choice <= n; choice++) {
		if (!fault_set_is_terminal(rule_faults(r, choice)))
			return false;
	}
	return true;
}

void rule_deinit(struct rule *r)
{
	owned_span_free(&r->name);
	match_deinit(&r->match);
	owned_span_free(&r->key_name);
	for (unsigned i = 0; i < sets_count(r); i++)
		fault_set_deinit(set_at(r, i));
	free(r->outcomes);
	free(r->sequence);
	*r = (struct rule){ 0 };
}

/* ---- sealing ----------------------------------------------------------------------------------------------------- */

static bool schedule_is_any(const struct rule_schedule *s)
{
	return s->start_after_requests || s->start_after_ns || s->duration_ns || s->period_ns || s->ttl_ns || s->ramp_over_ns ||
		s->burst;
}

static void seal_sets(struct rule *r)
{
	r->has_enforce = false;
	for (unsigned i = 0; i < sets_count(r); i++) {
		struct fault_set *faults = set_at(r, i);

		fault_set_seal(faults);
		r->has_enforce |= faults->abort.enforce || (faults->limit && faults->limit->refusal.enforce);
	}
	r->outcomes_total = 0;
	for (unsigned i = 0; i < r->n_outcomes; i++)
		r->outcomes_total += r->outcomes[i].weight;
}

void rule_seal(struct rule *r)
{
	assert(r->percentage <= RULE_PERCENTAGE_ALL);
	seal_sets(r);
	r->has_schedule = schedule_is_any(&r->schedule);
	r->name_hash = random_hash(0, r->name);
	r->threshold = r->percentage == RULE_PERCENTAGE_ALL ? UINT64_MAX : random_threshold(r->percentage, RULE_PERCENTAGE_ALL);
	/* The smallest block in which the percentage is a whole number of matches; each power of ten divides all. */
	r->even_block = EVEN_BLOCK_MIN;
	while (r->percentage % (RULE_PERCENTAGE_ALL / r->even_block) != 0)
		r->even_block *= 10;
	r->even_fires = r->percentage / (RULE_PERCENTAGE_ALL / r->even_block);
}

/* The next abort of the set from *at on, which counts the places where one may be: of each set its own and its quota's. */
static struct fault_abort *next_abort(struct rule *r, unsigned *at)
{
	while (*at < 2 * sets_count(r)) {
		struct fault_set *faults = set_at(r, *at / 2);
		struct fault_abort *abort = *at % 2 == 0 ? &faults->abort : faults->limit ? &faults->limit->refusal : NULL;

		(*at)++;
		if (abort && abort->status)
			return abort;
	}
	return NULL;
}

int ruleset_seal(struct ruleset *set)
{
	assert(set->n <= RULESET_RULES_MAX);
	set->n_aborts = 0;
	for (unsigned i = 0; i < set->n; i++) {
		struct fault_abort *abort;
		unsigned at = 0;

		rule_seal(&set->v[i]);
		while ((abort = next_abort(&set->v[i], &at)))
			abort->number = set->n_aborts++;
	}
	rule_index_free(set->index);
	set->index = rule_index_new(set->v, set->n);
	return set->index ? 0 : -ENOMEM;
}

int ruleset_each_abort(const struct ruleset *set, ruleset_abort_fn fn, void *context)
{
	for (unsigned i = 0; i < set->n; i++) {
		const struct fault_abort *abort;
		unsigned at = 0;

		while ((abort = next_abort(&set->v[i], &at))) {
			int r = fn(context, &set->v[i], abort);

			if (r != 0)
				return r;
		}
	}
	return 0;
}

void ruleset_deinit(struct ruleset *set)
{
	for (unsigned i = 0; i < set->n; i++)
		rule_deinit(&set->v[i]);
	free(set->v);
	for (unsigned i = 0; i < set->n_exclude; i++)
		pattern_deinit(&set->exclude[i]);
	free(set->exclude);
	rule_index_free(set->index);
	*set = (struct ruleset){ 0 };
}

/* ---- candidates -------------------------------------------------------------------------------------------------- */

void ruleset_candidates(const struct ruleset *set, struct span path, enum rule_phase phase, struct rule_cursor *cursor)
{
	assert(set->index || set->n == 0); /* sealed */
	cursor->set = set;
	cursor->phase = phase;
	cursor->n_lists = 0;
	if (set->index)
		rule_index_find(set->index, path, phase, cursor);
}

unsigned rule_cursor_next(struct rule_cursor *cursor)
{
	unsigned lowest = cursor->set->n;

	for (unsigned i = 0; i < cursor->n_lists; i++) {
		if (cursor->lists[i].at < cursor->lists[i].end && *cursor->lists[i].at < lowest)
			lowest = *cursor->lists[i].at;
	}
	/* A rule with several paths may head several lists. */
	for (unsigned i = 0; i < cursor->n_lists; i++) {
		if (cursor->lists[i].at < cursor->lists[i].end && *cursor->lists[i].at == lowest)
			cursor->lists[i].at++;
	}
	return lowest;
}

bool ruleset_has_phase(const struct ruleset *set, enum rule_phase phase)
{
	return set->index && rule_index_has_phase(set->index, phase);
}

bool ruleset_excludes(const struct ruleset *set, struct span path, struct pattern_scratch *scratch)
{
	for (unsigned i = 0; i < set->n_exclude; i++) {
		if (pattern_matches(&set->exclude[i], path, scratch))
			return true;
	}
	return false;
}
