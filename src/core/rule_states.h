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

/* What changes while serving, for one rule. Written by all workers; a line of its own each. */
struct rule_state {
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t matched;
	_Atomic uint64_t fired;
	_Atomic uint64_t dry; /* would have fired */
	_Atomic uint64_t refused; /* by a ceiling */
	_Atomic uint64_t early; /* returns before the told wait was over (enforce) */
	_Atomic int64_t active; /* faults of it that are acting now */
};

/* All counts of a ruleset; made by rule_states_init, found again by name and text hash on reload. */
struct rule_states {
	struct rule_state *v;
	unsigned n;
	struct keytable *keys;
	struct limiter *limiter;
	_Atomic int64_t epoch_ns; /* CLOCK_MONOTONIC of start or arming, from which schedules count */
	_Atomic uint64_t faults; /* in all, for the ceiling of all */
	_Atomic int64_t active;
	uint64_t max_faults; /* safety: 0: no limit */
	int64_t max_active;
	int64_t stop_after_ns; /* no fault any more after this, from the epoch; 0: none */
};
int rule_states_init(struct rule_states *s, const struct ruleset *set) MUST_USE;
void rule_states_deinit(struct rule_states *s);

/*
 * A place for one fault of rule number `rule`, which is `r`, in its own ceilings and in those of all; counted as fired
 * and active. False, and nothing changed, where one of them is full or the time of all faults is over. Where several
 * threads meet at a ceiling a place that one of them gives back may come too late for another: then one fault less acts,
 * never one more.
 */
bool rule_states_reserve(struct rule_states *s, unsigned rule, const struct rule *r, int64_t since_ns) MUST_USE;
/* Gives the active place back; what has fired has fired. Once for each reserved place. */
void rule_states_release(struct rule_states *s, unsigned rule);

#endif
