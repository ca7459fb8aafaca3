/*
 * control: faults that a request asks for itself (header_control): x-brownout-abort, x-brownout-delay, x-brownout-rule, with
 * x-brownout-token where a token is set. Off by default, bounded, and never passed on to the upstream.
 */
#ifndef BROWNOUT_PROXY_CONTROL_H
#define BROWNOUT_PROXY_CONTROL_H

#include "fault/answer.h"
#include "proxy/client.h"

struct facts;

#define CONTROL_FIELDS_MAX 2

/* What all workers share of it: an abort and its answer for each final status. */
struct control {
	struct rule rule; /* stands for "asked for by the request" in header, log and trace; not in the ruleset */
	struct fault_abort aborts[STATUS_MAX + 1]; /* by status, from 200 */
	struct fault_field fields[STATUS_MAX + 1][CONTROL_FIELDS_MAX]; /* that a status must carry */
};

/* NULL where memory is out. `number` is that of the first abort's answer. */
struct control *control_new(unsigned number) MUST_USE;
void control_free(struct control *control);
#define CONTROL_ABORTS (STATUS_MAX - 200 + 1)

enum control_result {
	CONTROL_NOTHING, /* it asks for nothing: the rules decide */
	CONTROL_TAKEN, /* the claim's effect is what it asked for */
	CONTROL_REFUSED, /* *step is the answer that says why */
};

/* Looks at what the parsed request asks for. */
enum control_result control_take(struct client *c, struct http_request *r, const struct facts *f, enum step *step);

/* Marks the fields that ask, and all of their kind, so that http_write_request_head leaves them out. */
void control_hide(struct http_request *r);

#endif
