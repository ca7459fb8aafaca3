/*
 * hint: the waits that the fields of an answer tell (reference: hints.def). Only what every client must understand
 * counts: a value that is malformed, negative or has a fraction where none is allowed tells nothing.
 */
#ifndef BROWNOUT_CORE_HINT_H
#define BROWNOUT_CORE_HINT_H

#include "base/span.h"

enum hint {
	HINT_NONE,
#define HINT(id, name) HINT_##id,
#include "core/hints.def"
#undef HINT
	HINT_COUNT
};

/* Of one answer. */
struct hints {
	int64_t wait_ns; /* the shortest of all that are told, since a client need not know them all; -1: none */
	enum hint kind; /* how that one is told */
	int64_t quota_ns; /* RateLimit says that nothing remains, and for so long; -1: it does not */
};

static inline void hints_init(struct hints *h)
{
	*h = (struct hints){ .wait_ns = -1, .quota_ns = -1 };
}

/* A quick look: false where no field that tells a wait begins so. */
static inline bool hint_may_begin_with(char c)
{
	c = ascii_lower(c);
	return c == 'r' || c == 'x' || c == 'g';
}

/* One field of the answer; any field. wall_ns: Unix time when the answer leaves, which dates are reckoned from. */
void hints_take(struct hints *h, struct span name, struct span value, int64_t wall_ns);

/* Host and target as one number, which tells where a redirect points to and what comes there. */
uint64_t hint_place(struct span host, struct span target);

/* The field's name; "" for HINT_NONE. */
const char *hint_name(enum hint kind);

/* IMF-fixdate (RFC 9110 section 5.6.7) as Unix seconds; 1 where it is none. */
int hint_parse_date(struct span s, int64_t *unix_s) MUST_USE;

/* "20240229T235959Z", as AWS's SDKs write a moment, as Unix seconds; 1 where it is none. */
int hint_parse_stamp(struct span s, int64_t *unix_s) MUST_USE;

#endif
