/*
 * decide: which faults a request gets. A pure function of the rules, the facts and the counts: the same seed and the
 * same requests give the same faults at any concurrency and worker count. Each rule that was drawn leaves a record that says why.
 */
#ifndef BROWNOUT_CORE_DECIDE_H
#define BROWNOUT_CORE_DECIDE_H

#include <stdatomic.h>

#include "core/keytable.h"
#include "core/rule.h"

enum decision_outcome {
	DECISION_FIRED,
	DECISION_NOT_DRAWN, /* the draw was at or above the threshold */
	DECISION_SKIPPED, /* after, every or first left it out */
};

struct decision {
	uint16_t rule;
	uint8_t outcome; /* enum decision_outcome */
	uint8_t phase; /* enum rule_phase */
	uint64_t key_hash; /* 0 for ordinal */
	uint64_t occurrence; /* from 1 */
	uint64_t draw; /* fires below the threshold; sampling even: the place in the block's permutation */
	uint64_t threshold; /* sampling even: how many of a block fire. UINT64_MAX, with draw 0, where all fire */
};

/* What changes while serving, for one rule. Written by all workers; a line of its own each. */
struct rule_state {
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t matched;
	_Atomic uint64_t fired;
	_Atomic int64_t first_ns; /* reserved for schedules: 0 */
};

/* All counts of a ruleset; made by rule_states_new, found again by name and text hash on reload. */
struct rule_states {
	struct rule_state *v;
	unsigned n;
	struct keytable *keys;
};
int rule_states_init(struct rule_states *s, const struct ruleset *set) MUST_USE;
void rule_states_deinit(struct rule_states *s);

#define DECISIONS_MAX 16 /* records kept of one exchange; more rules still act, the rest of the records is counted */

/* The faults of one request, composed of all rules that fired in a phase. */
struct fault_plan {
	int64_t delay_ns; /* sum of the delays drawn */
	const struct rule *delay_rule; /* the last rule that added one */
	const struct rule *end_rule; /* the rule that ends the list: abort or connection; NULL: go on */
	struct decision decisions[DECISIONS_MAX];
	unsigned n_decisions;
	unsigned n_decisions_lost;
};

/*
 * Walks the rules of this phase in order. Counts every rule whose match holds, draws, composes. `excluded` paths
 * (facts.path against set->exclude) get nothing and count nothing. Any thread.
 */
void decide(const struct ruleset *set, struct rule_states *states, const struct facts *f, enum rule_phase phase,
	struct pattern_scratch *scratch, struct fault_plan *plan);

/* The record of one rule for one occurrence: the pure heart, used by decide and for recomputing a recorded decision. */
struct decision decide_draw(const struct ruleset *set, unsigned rule, uint64_t key_hash, uint64_t occurrence);

/* The key hash of this rule for these facts (0 for ordinal; an absent header, cookie or parameter hashes as empty). */
uint64_t decide_key_hash(const struct ruleset *set, const struct rule *r, const struct facts *f);


#endif
