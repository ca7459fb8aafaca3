/*
 * answer: the answer of a rule with abort, rendered once when the rules are loaded, so that injecting it is a few copies.
 * What changes from one injection to the next (Date, the exchange's id, Connection) is left to who sends it.
 */
#ifndef BROWNOUT_FAULT_ANSWER_H
#define BROWNOUT_FAULT_ANSWER_H

#include "core/rule.h"
#include "core/status.h"

struct fault_answer {
	struct status_response shape; /* for status_validate */
	bool has_date; /* the rule gave its own */
	bool upgrade; /* carries Upgrade, which Connection must name (RFC 9110 section 7.8) */
	struct span head; /* status line and fields, each with CRLF, without the empty line */
	struct span body;
	char *memory; /* holds both */
};

/* -ENOMEM. proxy_status: add the field that says that the answer was made here (RFC 9209). */
int fault_answer_init(struct fault_answer *a, const struct rule *rule, bool proxy_status) MUST_USE;
void fault_answer_deinit(struct fault_answer *a);

#endif
