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

void rule_deinit(struct rule *r)
{
	owned_span_free(&r->name);
	match_deinit(&r->match);
	owned_span_free(&r->key_name);
	fault_set_deinit(&r->faults);
	*r = (struct rule){ 0 };
}

void rule_seal(struct rule *r)
{
	assert(r->percentage <= RULE_PERCENTAGE_ALL);
	fault_set_seal(&r->faults);
	r->name_hash = random_hash(0, r->name);
	r->threshold = r->percentage == RULE_PERCENTAGE_ALL ? UINT64_MAX : random_threshold(r->percentage, RULE_PERCENTAGE_ALL);
	/* The smallest block in which the percentage is a whole number of matches; each power of ten divides all. */
	r->even_block = EVEN_BLOCK_MIN;
	while (r->percentage % (RULE_PERCENTAGE_ALL / r->even_block) != 0)
		r->even_block *= 10;
	r->even_fires = r->percentage / (RULE_PERCENTAGE_ALL / r->even_block);
}

int ruleset_seal(struct ruleset *set)
{
	assert(set->n <= RULESET_RULES_MAX);
	set->n_aborts = 0;
	for (unsigned i = 0; i < set->n; i++) {
		rule_seal(&set->v[i]);
		if (set->v[i].faults.abort.status)
			set->v[i].faults.abort.number = (uint16_t)set->n_aborts++;
	}
	rule_index_free(set->index);
	set->index = rule_index_new(set->v, set->n);
	return set->index ? 0 : -ENOMEM;
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
