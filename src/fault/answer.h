/*
 * answer: the answer of a rule with abort, rendered once when the rules are loaded, so that injecting it is a few copies.
 * What changes from one injection to the next (Date, Retry-After, the exchange's id, Connection) is left to who sends it.
 */
#ifndef BROWNOUT_FAULT_ANSWER_H
#define BROWNOUT_FAULT_ANSWER_H

#include "base/text.h"
#include "core/rule.h"
#include "core/status.h"
#include "fault/gateway.h"

struct fault_answer {
	struct status_response shape; /* for status_validate */
	bool has_date; /* the rule gave its own, or the gateway's manner is to have its own or none */
	bool upgrade; /* carries Upgrade, which Connection must name (RFC 9110 section 7.8) */
	struct span head; /* status line and fields, each with CRLF, without Retry-After and the empty line */
	struct span body;
	char *memory; /* holds both */
	/* In the manner of a gateway (fault/gateway.h): */
	size_t dates[GATEWAY_DATES_MAX]; /* places in head for the date */
	unsigned n_dates;
	bool closes; /* the connection must end after it */
	bool says_keep_alive;
	bool lower_case;
};

/* -ENOMEM. proxy_status: add the field that says that the answer was made here (RFC 9209). */
int fault_answer_init_abort(struct fault_answer *a, const struct fault_abort *abort, struct span rule_name, bool proxy_status)
	MUST_USE;
void fault_answer_deinit(struct fault_answer *a);

/* The head,
	with the date (an IMF-fixdate) where the rule or its gateway has one. Where has_date is false Date is still to come. */
void fault_answer_put_head(struct text *out, const struct fault_answer *a, struct span date);
/* The line Connection, or nothing. keep_alive is what comes of it, http_minor the version of the request. */
void fault_answer_put_connection(struct text *out, const struct fault_answer *a, bool keep_alive, unsigned http_minor);

/*
 * The line Retry-After (RFC 9110 section 10.2.3) that an abort asks for, or nothing. The wait, retry_after_ns, is never told
 * shorter than it is: seconds and dates are rounded up. unix_now_ns is the wall clock's time.
 */
void fault_answer_put_retry_after(struct text *out, const struct fault_abort *abort, int64_t retry_after_ns, int64_t unix_now_ns);
/* The same by kind; nothing of RETRY_AFTER_NONE and RETRY_AFTER_VERBATIM, nor of a negative wait. */
void fault_answer_put_wait(struct text *out, enum retry_after_kind kind, int64_t wait_ns, int64_t unix_now_ns);

#endif
