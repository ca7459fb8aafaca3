/*
 * fault: from what was decided to what is to be done next. A verdict is a value: the proxy carries it out. Nothing here
 * touches a socket, a timer, the clock or the log; time comes in as a number.
 */
#ifndef BROWNOUT_FAULT_FAULT_H
#define BROWNOUT_FAULT_FAULT_H

#include "core/decide.h"

/* What of a decision an exchange keeps while it lives. */
struct fault_effect {
	int64_t delay_ns; /* 0: none */
	bool delay_counted; /* it is over, and its error was measured */
	const struct rule *delay_rule;
	const struct rule *end_rule; /* whose fault ends the exchange; NULL: none */
	const struct fault_set *end_set; /* what it is; NULL: none */
	const struct fault_abort *end_abort; /* the answer that ends it: of abort, or of a quota's refusal; NULL: none */
};

enum fault_verdict_kind {
	FAULT_CONTINUE, /* nothing (more) to do in this phase */
	FAULT_WAIT, /* ask again at until_ns, not earlier */
	FAULT_REPLY, /* answer by `rule` (abort) */
	FAULT_CLOSE, /* close without an answer */
	FAULT_RESET, /* reset the connection without an answer */
	FAULT_REFUSE, /* the same, and the next connection is refused */
	FAULT_HOLD, /* hang: nothing until until_ns, then close */
};

struct fault_verdict {
	enum fault_verdict_kind kind;
	int64_t until_ns;
	const struct rule *rule;
	const struct fault_abort *abort; /* of FAULT_REPLY */
};

void fault_effect_take(struct fault_effect *e, const struct fault_plan *plan);

/* since_ns is when the phase began (the head was complete): a delay counts from there. */
struct fault_verdict fault_next(const struct fault_effect *e, int64_t since_ns, int64_t now_ns);

/* The fault that names the exchange in header, log and counters: what ended it, else the delay. */
enum fault_kind fault_effect_kind(const struct fault_effect *e);
const struct rule *fault_effect_rule(const struct fault_effect *e);

#endif
