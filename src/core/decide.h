/*
 * decide: which faults a request gets. A pure function of the rules, the facts and the counts: the same seed and the
 * same requests give the same faults at any concurrency and worker count. Each rule that was drawn leaves a record that says why.
 */
#ifndef BROWNOUT_CORE_DECIDE_H
#define BROWNOUT_CORE_DECIDE_H

#include "core/decide_key.h"
#include "core/rule_states.h"

enum decision_outcome {
	DECISION_FIRED,
	DECISION_NOT_DRAWN, /* the draw was at or above the threshold */
	DECISION_SKIPPED, /* after, every or first left it out */
	DECISION_OUTSIDE, /* not now: before or after its window, its time to live is over, or good times of a burst */
	DECISION_DRY_RUN, /* would have fired */
	DECISION_REFUSED, /* fired, but a ceiling (max_faults, max_active_faults, safety) kept it from acting */
	DECISION_PASSED, /* the outcome or turn was a pass, which ends the list; or rate_limit: within the quota */
};

struct decision {
	uint16_t rule;
	uint8_t outcome; /* enum decision_outcome */
	uint8_t phase; /* enum rule_phase */
	uint16_t choice; /* which outcome or place of the sequence, from 1 (rule_faults); 0: the rule's own faults */
	bool early; /* enforce: came back before the told wait was over, so it was refused again and nothing was drawn */
	bool asked; /* no decision at all: the request asked for the fault itself (header_control); nothing else here is set */
	uint64_t key_hash; /* 0 for ordinal */
	uint64_t occurrence; /* from 1 */
	/*
	 * Fires where draw < threshold. Sampling even: the place in the block's permutation, and how many of a block fire.
	 * Outcomes: the place in the sum of the weights, and that sum. All fire: 0 and UINT64_MAX.
	 */
	uint64_t draw;
	uint64_t threshold;
	int64_t since_ns; /* how long its schedule has run: what windows, ramps and the like depend on */
};

#define DECISIONS_MAX 16 /* records kept of one exchange; more rules still act, the rest of the records is counted */

/* One rule that fired, and what of it acts. */
struct fault_fired {
	const struct rule *rule;
	const struct fault_set *set;
	uint64_t key_hash; /* with occurrence: of its stream of random words */
	uint64_t occurrence;
};

#define FIRED_MAX 16 /* rules that act on one request in one phase; one that would be the 17th is refused (counted) */

/* A place that a request which passed a quota of CONCURRENCY has taken. */
struct limit_hold {
	const struct fault_limit *limit;
	uint64_t rule_hash;
	uint64_t key_hash;
};
#define LIMIT_HELD_MAX 4 /* a further quota of CONCURRENCY is not asked (its rule is refused, counted) */

/* The faults of one request, composed of all rules that fired in a phase. */
struct fault_plan {
	uint32_t kinds; /* bits of all faults in `fired` */
	unsigned n_fired;
	struct fault_fired fired[FIRED_MAX]; /* as the rules stand; each holds a place in the ceilings until decide_release */
	int end; /* which of them ends the list (abort, connection, hang, a refusal by rate_limit); -1: none */
	int64_t delay_ns; /* sum of the delays drawn that act on the head */
	int64_t body_delay_ns; /* of those that act on the body */
	const struct rule *delay_rule; /* the last rule that added one */
	struct limit_verdict limit; /* of the last rate_limit asked ... */
	const struct rule *limit_rule; /* ... its rule; NULL: none was asked */
	const struct fault_limit *quota; /* ... itself, of whichever set of the rule */
	uint64_t limit_key; /* ... and the hash of the key that it was asked for */
	unsigned n_held; /* may be more than 0 where limit_rule is NULL: a dry run counts too */
	struct limit_hold held[LIMIT_HELD_MAX]; /* places of CONCURRENCY taken by what passed, until decide_release_limit */
	int64_t retry_after_ns; /* told by the end's abort or refusal, drawn; -1: none */
	struct decision decisions[DECISIONS_MAX];
	unsigned n_decisions;
	unsigned n_decisions_lost;
};

/*
 * Walks the rules of this phase in order at now_ns (CLOCK_MONOTONIC). Counts every rule whose match holds, draws, composes.
 * `excluded` paths (facts.path against set->exclude) get nothing and count nothing. Any thread. What it has put into plan->fired
 * must be given back by decide_release when the exchange ends, what is in plan->held by decide_release_limit.
 */
void decide(const struct ruleset *set, struct rule_states *states, const struct facts *f, enum rule_phase phase, int64_t now_ns,
	struct pattern_scratch *scratch, struct fault_plan *plan);

/* The places in the ceilings that one fired rule holds; to be called once for each of plan->fired. Any thread. */
void decide_release(struct rule_states *states, unsigned rule);

/* Once for each of plan->held. Any thread. */
void decide_release_limit(struct rule_states *states, const struct limit_hold *hold);

/* Word number `word` (from RANDOM_WORD_FREE on) of a fired rule's stream, for what is drawn while acting. */
uint64_t decide_word(const struct ruleset *set, const struct fault_fired *fired, uint32_t word);

/*
 * The record of one rule for one occurrence, since_ns after the epoch: the pure heart, used by decide and for recomputing a
 * recorded decision. Ceilings, dry run and quotas come after it, and may turn FIRED into DRY_RUN, REFUSED or PASSED.
 */
struct decision decide_draw(const struct ruleset *set, unsigned rule, uint64_t key_hash, uint64_t occurrence,
	int64_t since_ns);

#endif
