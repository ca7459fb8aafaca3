/*
 * rule: one rule of the file, compiled, and the set of them. Immutable once loaded; what changes while serving (counts)
 * is in struct rule_state. Reading order is file order; a rule that ends the list hides the rest.
 */
#ifndef BROWNOUT_CORE_RULE_H
#define BROWNOUT_CORE_RULE_H

#include "core/fault_set.h"
#include "core/limiter.h"
#include "core/match.h"

enum rule_phase { RULE_PHASE_REQUEST, RULE_PHASE_RESPONSE };
enum rule_sampling { RULE_SAMPLING_INDEPENDENT, RULE_SAMPLING_EVEN };

/* What an occurrence is counted for, and what the draw depends on. */
enum rule_key {
	RULE_KEY_ORDINAL, /* the rule's own count of matches */
	RULE_KEY_CLIENT, /* address without port */
	RULE_KEY_FINGERPRINT, /* method, host, target */
	RULE_KEY_HEADER,
	RULE_KEY_COOKIE,
	RULE_KEY_QUERY,
};

/* 100 % in the unit that percentages have inside: a millionth of a percent. */
#define RULE_PERCENTAGE_ALL UINT32_C(100000000)

/* One of several outcomes of a rule: one draw takes exactly one, by weight. */
struct rule_outcome {
	uint32_t weight;
	struct fault_set faults;
};

/*
 * When, how often and how many at most. Zeroed: always. Times count from rule_state.epoch_ns (start, or arming), or, with
 * start_after_requests, from the first match after so many.
 */
struct rule_schedule {
	uint64_t start_after_requests; /* matches, over all keys; 0: times count from the start */
	int64_t start_after_ns;
	int64_t duration_ns; /* 0: without end */
	int64_t period_ns; /* the window comes again; 0: once */
	int64_t ttl_ns; /* 0: none; then the rule is disarmed */
	uint32_t ramp_from; /* percentage (of RULE_PERCENTAGE_ALL) at the start, growing to the rule's ... */
	int64_t ramp_over_ns; /* ... in this time; 0: no ramp */
	bool burst; /* two states: bad, in which the rule's percentage holds, and good, in which nothing fires */
	uint64_t burst_enter; /* thresholds of a word: good to bad, bad to good */
	uint64_t burst_leave;
	uint64_t max_faults; /* 0: no limit */
	uint32_t max_active; /* 0: no limit */
};

struct rule {
	struct span name; /* owned; unique in the file */
	uint64_t name_hash;
	uint64_t text_hash; /* of the rule's decoded content: equal in two loads where nothing changed */
	uint64_t state_hash; /* the same without enabled, percentage and dry_run: equal where counts go on over a reload */
	struct match match;
	enum rule_phase phase;
	bool enabled;
	uint32_t percentage; /* of RULE_PERCENTAGE_ALL */
	uint64_t threshold; /* draws below fire; unused where percentage is all */
	enum rule_sampling sampling;
	uint32_t even_block; /* EVEN: matches per block (100, 1000, ... as fine as the percentage needs) */
	uint32_t even_fires; /* EVEN: how many of a block fire */
	enum rule_key key;
	struct span key_name; /* owned; HEADER, COOKIE, QUERY; lower case for HEADER */
	/*
	 * Which matches of the key are considered at all, by number alone: not the first `after`; of the rest each
	 * `every`th (0 or 1: each); of those the first `first` (0: no limit). Only then comes the draw: with a percentage
	 * `first` bounds the matches considered, not the faults.
	 */
	uint64_t after;
	uint64_t first;
	uint64_t every;
	bool dry_run; /* decide and count, do not act */
	bool required; /* a rehearsal in which it never acted does not pass */
	struct rule_schedule schedule;
	/* What happens where the rule fires: `faults`, or one of `outcomes` (these take the place of the percentage), or the one
	 * of `sequence` whose turn it is (per key). All owned. */
	struct fault_set faults;
	struct rule_outcome *outcomes;
	unsigned n_outcomes;
	uint64_t outcomes_total; /* sum of the weights (rule_seal) */
	struct fault_set *sequence;
	unsigned n_sequence;
	bool sequence_once; /* then pass; else from the beginning again */
	/* What the usual rule need not look at (rule_seal). */
	bool has_schedule; /* windows, ramp or burst */
	bool has_enforce; /* some answer of it enforces the wait that it tells */
};

/* Ends the list whenever it fires, whichever of its sets is taken. */
bool rule_is_terminal(const struct rule *r);
/* The set that a decision's choice means: the rule's own for 0, a pass beyond the last of the sequence. */
const struct fault_set *rule_faults(const struct rule *r, unsigned choice);

struct rule_index; /* finds the candidates by path without asking each rule (rule_index.h) */

struct ruleset {
	uint64_t seed;
	struct rule *v; /* owned */
	unsigned n;
	struct pattern *exclude; /* owned: paths that no rule may touch */
	unsigned n_exclude;
	struct rule_index *index; /* owned; made by ruleset_seal */
	unsigned n_aborts; /* aborts in all sets of all rules, refusals of quotas too, numbered from 0 (ruleset_seal) */
};
#define RULESET_RULES_MAX 10000

void rule_deinit(struct rule *r);

/*
 * Seals all sets and computes from the decoded values what each decision needs: name_hash, threshold, even_block, even_fires,
 * outcomes_total, has_schedule, has_enforce. percentage is at most all.
 */
void rule_seal(struct rule *r);
/* After all rules are in: seals each and builds the index. -ENOMEM. */
int ruleset_seal(struct ruleset *set) MUST_USE;
/*
 * Calls fn for each abort of a sealed set, in the order of their numbers: those of faults, outcomes and sequence, and the
 * refusals of quotas. What fn returns other than 0 ends the walk and is returned.
 */
typedef int (*ruleset_abort_fn)(void *context, const struct rule *rule, const struct fault_abort *abort);
int ruleset_each_abort(const struct ruleset *set, ruleset_abort_fn fn, void *context) MUST_USE;
void ruleset_deinit(struct ruleset *set);

/*
 * The candidates of a path: all enabled rules of the phase whose path condition may hold, in ascending order, each once.
 * Cost does not grow with the number of rules whose paths are exact or begin with literal segments and do not fit.
 * The set is sealed or has no rules (asserted).
 */
struct rule_cursor {
	const struct ruleset *set;
	enum rule_phase phase;
	unsigned n_lists;
	struct {
		const uint16_t *at;
		const uint16_t *end;
	} lists[40]; /* of the index, ascending: without an indexable path, by whole path, by each leading part of it */
};
void ruleset_candidates(const struct ruleset *set, struct span path, enum rule_phase phase, struct rule_cursor *cursor);
unsigned rule_cursor_next(struct rule_cursor *cursor); /* set->n at the end */

/* True where some enabled rule of this phase exists at all (lets the proxy skip work). */
bool ruleset_has_phase(const struct ruleset *set, enum rule_phase phase);
/* True where no rule may touch this path. */
bool ruleset_excludes(const struct ruleset *set, struct span path, struct pattern_scratch *scratch);

#endif
