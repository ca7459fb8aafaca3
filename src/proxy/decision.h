/*
 * decision: asks the rules of a phase about the running exchange, notes what they said, and carries it out as far as that is
 * the same in both phases: waiting, answering, ending.
 */
#ifndef BROWNOUT_PROXY_DECISION_H
#define BROWNOUT_PROXY_DECISION_H

#include "proxy/client.h"

struct facts;

/* So many rules of one exchange need no more than a claim. */
#define CLAIM_FIRED_MAX 3

/*
 * What rules have to do with an exchange: what is to happen, what was decided, which places in ceilings it holds. Made when a
 * rule fires or a quota is asked, so that any other exchange carries only a NULL pointer; a held request is this, its client and
 * its head, and should stay small.
 */
struct claim {
	struct fault_effect effect; /* of the running phase */
	struct decision decision; /* of the rule that names the exchange */
	int64_t retry_after_ns; /* the wait to be told, drawn; -1: none */
	struct claim_more *more; /* NULL: nothing */
	uint16_t fired[CLAIM_FIRED_MAX]; /* rules whose places are held, of both phases; further ones in `more` */
	uint8_t n_fired; /* in both */
};

/* What few exchanges need. */
struct claim_more {
	const struct fault_limit *quota; /* the last one that was asked, and what was said of it; NULL: none */
	struct limit_verdict limit;
	struct limit_hold quota_held[2 * LIMIT_HELD_MAX]; /* places of concurrency quotas, of both phases */
	uint16_t fired[2 * FIRED_MAX - CLAIM_FIRED_MAX];
	uint8_t n_quota_held;
};

/* The exchange's claim, made now where there is none; NULL where memory is out. */
struct claim *claim_get(struct client *c);
/* The quota that the exchange was asked by last; NULL: none was. */
static inline const struct claim_more *claim_quota(const struct claim *claim)
{
	return claim && claim->more && claim->more->quota ? claim->more : NULL;
}

/* Decides, counts, keeps what must be given back at the end. -ENOMEM. */
int decision_take(struct client *c, const struct facts *f, enum rule_phase phase) MUST_USE;

/*
 * Counts each fault of each rule that fired (at least one), and remembers the rule that names the exchange in header and log:
 * the one that ends it, else the one that delays it, else the first. Of two phases only an end outdoes the earlier one. The
 * effect of the plan is the exchange's already.
 */
void decision_note(struct client *c, const struct fault_plan *plan);

/*
 * What is due now of the phase that was decided last. True: nothing (more) stands in the way, go on. False: *step says what
 * has become of the exchange, or that it waits in HOLD or HOLD_ANSWER.
 */
bool decision_goes_on(struct client *c, enum rule_phase phase, enum step *step);

/* A delay was waited for to its end. */
void decision_count_delay(struct client *c, int64_t intended_ns, int64_t actual_ns);

/*
 * Faults are disarmed: what they hold now goes on as if no rule had fired, at its task's next turn. An exchange that is held is
 * let go of altogether, also by what would still change its bytes; one whose bytes are on their way only by what slows them.
 */
void decision_let_go(struct client *c);

/* Gives back places in ceilings and quotas. Safe to call twice. */
void decision_release(struct client *c);

/* "X-Brownout: rule=NAME; fault=KIND; id=HEX CRLF", by which a fault is told from a real failure. */
void decision_put_line(const struct client *c, struct text *out, const struct rule *rule, enum fault_kind kind);

#endif
