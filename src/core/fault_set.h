/*
 * fault_set: what can happen to one request, as plain data: one struct per fault, and the set of them that a rule, one of
 * its outcomes or one place of its sequence stands for. Made by the loader, immutable afterwards. What a fault does is in
 * src/fault and src/proxy; here is only what was asked for. All spans are owned by the rule's memory.
 */
#ifndef BROWNOUT_CORE_FAULT_SET_H
#define BROWNOUT_CORE_FAULT_SET_H

#include "base/span.h"

/* Every fault once: FAULT(id, "name", "what it does"). Log, header, metrics, help and schema take the names from here. */
enum fault_kind {
#define FAULT(id, name, text) FAULT_##id,
#include "core/faults.def"
#undef FAULT
	FAULT_KIND_COUNT
};
const char *fault_kind_name(enum fault_kind kind);
const char *fault_kind_text(enum fault_kind kind);

struct fault_field {
	struct span name;
	struct span value;
};

/* ---- abort ---- */

enum retry_after_kind {
	RETRY_AFTER_NONE,
	RETRY_AFTER_SECONDS, /* drawn from min to max, rounded up to whole seconds */
	RETRY_AFTER_DATE, /* the same as an HTTP-date that never tells less than the wait */
	RETRY_AFTER_VERBATIM, /* text as it is: a past date, a negative or huge number, garbage */
};

struct fault_retry_after {
	enum retry_after_kind kind;
	int64_t min_ns;
	int64_t max_ns;
	struct span text;
};

struct fault_abort {
	uint16_t status; /* 0: none */
	uint32_t number; /* of this abort among all of the ruleset's (ruleset_seal) */
	struct span reason; /* empty: the canonical one */
	struct fault_field *fields; /* as given and as filled (MUST fields of the code) */
	unsigned n_fields;
	struct span body; /* may be empty */
	bool has_body; /* a body was given, even an empty one; else a short explanation is made */
	struct span content_type; /* that goes with the body; empty: text/plain */
	struct fault_retry_after retry_after;
	bool enforce; /* who comes back before the told wait is over is refused again, and counted */
	uint8_t profile; /* enum gateway of fault/gateway.h + 1; 0: none */
	int64_t hold_ns; /* a gateway's own timeout to wait before answering; 0: none */
};

/* ---- time ---- */

enum delay_kind {
	DELAY_NONE,
	DELAY_FIXED, /* a */
	DELAY_UNIFORM, /* a to b */
	DELAY_NORMAL, /* mean a, standard deviation b */
	DELAY_LOGNORMAL, /* median a, 99th percentile b */
	DELAY_PARETO, /* scale a, shape `shape` */
	DELAY_PERCENTILES, /* points: linear between them */
	DELAY_SAMPLES, /* one of points, each as likely */
};

struct delay_point {
	uint64_t quantile; /* of 2^32 */
	int64_t ns;
};

struct fault_delay {
	enum delay_kind kind;
	int64_t a_ns;
	int64_t b_ns;
	double shape;
	struct delay_point *points; /* ascending */
	unsigned n_points;
	int64_t min_ns; /* the result is kept within these; 0: not given */
	int64_t max_ns;
	bool at_body; /* the head goes out in time, the body waits */
};

struct fault_hang {
	int64_t max_ns; /* 0: none. Closed then, unless the client leaves first */
};

/* ---- bytes ---- */

struct fault_throttle {
	uint64_t download; /* bytes per second towards the client; 0: not throttled */
	uint64_t upload; /* towards the upstream */
};

struct fault_drip {
	uint32_t bytes; /* 0: none */
	int64_t every_ns;
};

enum truncate_kind { TRUNCATE_NONE, TRUNCATE_BYTES, TRUNCATE_PERCENT };

struct fault_truncate {
	enum truncate_kind kind;
	uint64_t bytes; /* of content */
	uint32_t percent_e6; /* of the content's length, in millionths of a percent */
	bool reset; /* end with a reset, not a close */
};

struct fault_corrupt {
	uint32_t bytes; /* so many bytes of the content are changed, its length kept; 0: none */
};

enum fault_connection { FAULT_CONNECTION_NONE, FAULT_CONNECTION_CLOSE, FAULT_CONNECTION_RESET, FAULT_CONNECTION_REFUSE };

enum fault_malformed {
	MALFORMED_NONE,
#define MALFORMED(id, name, text) MALFORMED_##id,
#include "core/malformed.def"
#undef MALFORMED
	MALFORMED_COUNT
};

/* ---- messages ---- */

/* Changes to a head (and, of an answer, its body). */
struct fault_edit {
	bool is_set; /* something is asked for */
	uint16_t status; /* 0: as it is */
	struct fault_field *set; /* replaces all lines of the name, or adds one */
	unsigned n_set;
	struct fault_field *add;
	unsigned n_add;
	struct span *remove; /* lower case */
	unsigned n_remove;
	bool has_body;
	struct span body;
	struct span content_type; /* of body; empty: as it is */
	struct span path; /* of a request: instead of the path, the query stays; empty: as it is */
};

struct fault_hints { /* 103 before the answer */
	struct fault_field *fields;
	unsigned n_fields;
};

/* ---- the set ---- */

struct fault_limit; /* limiter.h */

struct fault_set {
	uint32_t kinds; /* bit per enum fault_kind of what is in it (fault_set_seal) */
	bool pass; /* ends the list, and nothing happens */
	struct fault_abort abort;
	struct fault_delay delay;
	struct fault_hang hang;
	struct fault_throttle throttle;
	struct fault_drip drip;
	struct fault_truncate truncate;
	struct fault_corrupt corrupt;
	enum fault_connection connection;
	enum fault_malformed malformed;
	struct fault_edit rewrite;
	struct fault_edit request;
	struct fault_hints hints;
	struct fault_limit *limit; /* rate_limit; NULL: none */
};

#define FAULT_BIT(id) (UINT32_C(1) << FAULT_##id)
/* These end the list of rules. */
#define FAULT_TERMINAL (FAULT_BIT(ABORT) | FAULT_BIT(CONNECTION) | FAULT_BIT(HANG) | FAULT_BIT(PASS))

void fault_set_seal(struct fault_set *set);
/* The first of the faults in a sealed set, in the order of faults.def; FAULT_NONE where it is empty. */
enum fault_kind fault_set_first(const struct fault_set *set);
void fault_set_deinit(struct fault_set *set);
static inline bool fault_set_is_terminal(const struct fault_set *set)
{
	return (set->kinds & FAULT_TERMINAL) != 0;
}

#endif
