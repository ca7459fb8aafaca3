/*
 * rule_states: what changes while serving: counts of each rule, occurrences per key, quotas, and the ceilings, which are
 * exact: a place is reserved before a fault acts, so that no number of threads exceeds them. Any thread; no locks but
 * those of the tables.
 */
#ifndef BROWNOUT_CORE_RULE_STATES_H
#define BROWNOUT_CORE_RULE_STATES_H

#include <stdatomic.h>

#include "core/keytable.h"
#include "core/rule.h"

/*
 * What changes while serving, for one rule. Written by all workers; a line of its own each. Shared by every load of the rules in
 * which the rule stands unchanged.
 */
struct rule_state {
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t matched;
	_Atomic uint64_t fired;
	_Atomic uint64_t dry; /* would have fired */
	_Atomic uint64_t refused; /* by a ceiling */
	_Atomic uint64_t early; /* returns before the told wait was over (enforce) */
	_Atomic int64_t active; /* faults of it that are acting now */
	_Atomic int64_t epoch_ns; /* CLOCK_MONOTONIC of the rule's first load, or of arming, from which its schedule counts */
	_Atomic uint64_t unarmed; /* matched when the rule was armed last */
	_Atomic int64_t opened_ns; /* of the first match after start_after_requests; 0: not yet */
	_Atomic uint64_t table_key; /* of its keys in the tables: another one, and they are forgotten */
	_Atomic unsigned references;
	unsigned n_choices; /* outcomes, or places of a sequence; 0: the rule has one set of faults */
	_Atomic uint64_t *chosen; /* owned; by choice from 1, how often it fired; NULL where there is none to choose */
};

/* What rules share, over all loads of them. */
struct rule_common {
	struct keytable *keys;
	struct limiter *limiter;
	_Atomic uint64_t faults; /* in all, for the ceiling of all */
	_Atomic int64_t active;
	_Atomic int64_t epoch_ns; /* of start or arming, for stop_after_ns */
	_Atomic uint64_t births; /* states made so far: no two rules of one name have the same table_key */
	_Atomic unsigned references;
};

/* All counts of one load of the rules. */
struct rule_states {
	struct rule_state **v; /* by rule */
	unsigned n;
	struct rule_common *common;
	uint64_t max_faults; /* safety: 0: no limit */
	int64_t max_active;
	int64_t stop_after_ns; /* no fault any more after this, from the epoch; 0: none */
};
/* All counts 0. now_ns is the epoch. -ENOMEM. */
int rule_states_init(struct rule_states *s, const struct ruleset *set, int64_t now_ns) MUST_USE;
/*
 * For the rules loaded anew while `old_set` acts by `old`: a rule with the name and the state_hash of one of those goes on with
 * its counts, occurrences and quotas; any other starts at 0 with now_ns as its epoch. Ceilings of all hold over both. The caller
 * keeps others from doing the same at the same time; deciding by `old` may go on. -ENOMEM.
 */
int rule_states_init_from(struct rule_states *s, const struct ruleset *set, const struct rule_states *old,
	const struct ruleset *old_set, int64_t now_ns) MUST_USE;
void rule_states_deinit(struct rule_states *s);

/* Schedules, and the time after which no fault is wanted, count from now_ns. */
void rule_states_arm(struct rule_states *s, int64_t now_ns);
/*
 * How long the schedule of a rule has run at now_ns, where this is its match number `matched` (from 1): since its epoch, or since
 * the first match after start_after_requests; negative before that.
 */
int64_t rule_state_since(struct rule_state *state, const struct rule *r, uint64_t matched, int64_t now_ns);
/*
 * Counts begin at 0, keys, quotas and what was told are forgotten. What acts now stays counted as active. A place that another
 * thread gives back at this very moment (see rule_states_reserve) may be taken from one that came after the reset: that one
 * time, one fault more than max_faults can act.
 */
void rule_states_reset(struct rule_states *s);

/*
 * A place for one fault of rule number `rule`, which is `r`, in its own ceilings and in those of all; counted as fired
 * and active. False, and nothing changed, where one of them is full or the time of all faults is over at now_ns. Where several
 * threads meet at a ceiling a place that one of them gives back may come too late for another: then one fault less acts,
 * never one more.
 */
bool rule_states_reserve(struct rule_states *s, unsigned rule, const struct rule *r, int64_t now_ns) MUST_USE;
/* One that took this choice of its rule has fired. */
static inline void rule_state_count_choice(struct rule_state *state, unsigned choice)
{
	if (UNLIKELY(choice && choice <= state->n_choices))
		atomic_fetch_add_explicit(&state->chosen[choice], 1, memory_order_relaxed);
}
/* How many faults of each kind have acted, of the rule `r` whose state this is; `kinds` gets the bits of those that may. */
void rule_state_faults(const struct rule_state *state, const struct rule *r, uint64_t faults[FAULT_KIND_COUNT], uint32_t *kinds);

/* Gives the active place back; what has fired has fired. Once for each reserved place. */
void rule_states_release(struct rule_states *s, unsigned rule);

#endif
