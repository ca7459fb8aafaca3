/*
 * shape: what the faults of one exchange do to its bytes: pace, cut, change, edit. Made when a rule with such a fault fires, so
 * that an exchange without one carries only a NULL pointer.
 */
#ifndef BROWNOUT_PROXY_SHAPE_H
#define BROWNOUT_PROXY_SHAPE_H

#include "core/decide.h"
#include "fault/corrupt.h"
#include "proxy/pace.h"

struct client;
struct http_response;

/* The faults that need one. */
#define SHAPE_KINDS                                                                                                             \
	(FAULT_BIT(THROTTLE) | FAULT_BIT(DRIP) | FAULT_BIT(TRUNCATE) | FAULT_BIT(CORRUPT) | FAULT_BIT(MALFORMED) |              \
	 FAULT_BIT(REWRITE) | FAULT_BIT(REQUEST) | FAULT_BIT(EARLY_HINTS))

struct shape {
	struct pace to_client;
	struct pace to_upstream;
	const struct fault_edit *requests[FIRED_MAX]; /* in the order of the rules */
	const struct fault_edit *rewrites[FIRED_MAX];
	const struct fault_hints *hints;
	unsigned n_requests;
	unsigned n_rewrites;
	const struct fault_truncate *truncate; /* NULL: none */
	enum fault_malformed malformed;
	struct fault_fired corrupt; /* rule NULL: none; of its stream the places are drawn */
	struct corruptor corruptor; /* ready once the answer's length is known */
	int64_t body_delay_ns; /* the answer's head goes out, its body waits */
};

/*
 * Takes over what the plan's fired rules do to bytes; makes the exchange's shape where there is none yet. -ENOMEM. Later rules
 * win where only one can: malformed, truncate, corrupt; of rates the slowest counts.
 */
int shape_take(struct client *c, const struct fault_plan *plan) MUST_USE;
void shape_free(struct client *c);
/* From now on bytes leave as fast as they are taken. all: and as they are; nothing of what it is about has left yet. */
void shape_let_go(struct client *c, bool all);

/* An answer with a body of this length (UINT64_MAX: not told) is about to leave: where it is cut, which bytes change. */
void shape_body(struct client *c, uint64_t length);
/* The answer's head has been sent: nothing more leaves before the moment of the body, where that has one. */
void shape_hold_body(struct client *c);
/* At each step of sending the answer: measures the delay of the body once it is over, where something has waited for that. */
void shape_look_at_body(struct client *c);
/* So many bytes of content pass before the cut; UINT64_MAX: all. */
uint64_t shape_cut(const struct shape *s, uint64_t length);

#endif
