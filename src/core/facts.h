/*
 * facts: all that a rule may look at for one request (and, in phase response, its answer). Plain values and spans; the
 * proxy fills it from the parsed head, a test from literals. Deciding needs nothing else: no socket, no clock, no global.
 */
#ifndef BROWNOUT_CORE_FACTS_H
#define BROWNOUT_CORE_FACTS_H

#include "base/span.h"

/* The nth field value (from 0) with this lower-case name; false where there is none. */
typedef bool (*facts_field_fn)(const void *source, struct span name, unsigned nth, struct span *value);

struct facts {
	struct span method;
	struct span host; /* without port, as received (compared without case) */
	struct span path; /* normalised (see http_path_normalize); "*" for OPTIONS * */
	struct span query; /* raw, without '?' */
	struct span target; /* as received */
	facts_field_fn field;
	const void *field_source;
	uint8_t client[16]; /* IPv6 form, IPv4 mapped; all zero for a unix socket */
	uint16_t listener; /* index in the plan */
	uint16_t upstream; /* index in the plan */
	uint16_t status; /* the upstream's answer; 0 in phase request */
};

/* Without a field function there are no fields. */
static inline bool facts_field(const struct facts *f, struct span name, unsigned nth, struct span *value)
{
	return f->field && f->field(f->field_source, name, nth, value);
}

#endif
