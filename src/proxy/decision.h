/*
 * decision: asks the rules of a phase about the running exchange, notes what they said, and carries it out as far as that is
 * the same in both phases: waiting, answering, ending.
 */
#ifndef BROWNOUT_PROXY_DECISION_H
#define BROWNOUT_PROXY_DECISION_H

#include "proxy/client.h"

struct facts;

/*
 * What an exchange holds of the rules' ceilings and quotas, and what was decided when it got that. Made when a rule fires or a
 * quota is asked, so that any other exchange carries only a NULL pointer.
 */
struct claim {
	struct decision decision; /* of the rule that names the exchange */
	const struct fault_limit *quota; /* the last one that was asked, and what was said of it; NULL: none */
	struct limit_verdict limit;
	struct limit_hold quota_held[2 * LIMIT_HELD_MAX]; /* places of concurrency quotas, of both phases */
	uint16_t fired[2 * FIRED_MAX]; /* rules whose places in ceilings are held, of both phases */
	uint8_t n_fired;
	uint8_t n_quota_held;
};

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

/*
 * Faults are disarmed: what they hold now goes on as if no rule had fired, at its task's next turn. Bytes that a fault has
 * changed stay changed.
 */
void decision_let_go(struct client *c);

/* Gives back places in ceilings and quotas. Safe to call twice. */
void decision_release(struct client *c);

/* "X-Brownout: rule=NAME; fault=KIND; id=HEX CRLF", by which a fault is told from a real failure. */
void decision_put_line(const struct client *c, struct text *out, const struct rule *rule, enum fault_kind kind);

#endif
