/*
 * verdict: what the judge found, as plain values that every report is made from: terminal, JSON, JUnit, TAP, annotations and the
 * admin API read it and nothing else. It owns all of its texts; verdict_deinit frees what is on the heap.
 */
#ifndef BROWNOUT_REHEARSAL_VERDICT_H
#define BROWNOUT_REHEARSAL_VERDICT_H

#include "rehearsal/expect.h"

enum check_id {
#define CHECK(id, number, name, text) CHECK_##id,
#include "rehearsal/checks.def"
#undef CHECK
	CHECK_COUNT
};

enum check_status {
	CHECK_NOT_APPLICABLE, /* nothing was asked, or this traffic has nothing of the kind: the text says which */
	CHECK_PASS,
	CHECK_INCONCLUSIVE, /* asked, but there was too little to go by: the text says what */
	CHECK_WARN,
	CHECK_FAIL,
};

/* By what the attempts of one logical request were recognised, strongest first. */
enum confidence {
	CONFIDENCE_NONE, /* nothing had to be recognised */
	CONFIDENCE_ID, /* ids that the client sends */
	CONFIDENCE_ORDINAL, /* attempt numbers that it sends */
	CONFIDENCE_FINGERPRINT, /* the same request again after a failure */
	CONFIDENCE_STATISTICAL, /* only the contrast of requests with and without faults */
};

/* One limit of `expect:` against what was measured; or a figure that nothing was asked of. */
struct measure {
	uint8_t key; /* enum expect_key */
	uint8_t status; /* enum check_status */
	uint8_t confidence; /* of its samples: the weakest */
	bool measured; /* value is there */
	bool has_interval; /* low and high are the ends of its 95 % interval */
	bool at_least; /* something was forgotten for want of room: the true count may be higher */
	bool hidden; /* what was forgotten may hide that the limit does not hold */
	double value; /* in the unit of its key (expect_key_unit) */
	double low, high;
	struct expect_limit limit; /* severity OFF: nothing was asked */
	uint64_t n; /* samples */
	uint64_t n_min; /* that are needed for a judgement */
};

#define EVIDENCE_MAX 8
#define EVIDENCE_TEXT_BYTES 112

/* One exchange, or two of which the second followed the first. Times count from the first byte of the run. */
struct evidence {
	uint64_t id;
	uint64_t next_id; /* 0: there is only one */
	uint16_t source; /* which trace (from 0) it is in */
	int64_t at_ns; /* end of the first, where there are two; else its beginning */
	int64_t next_at_ns; /* beginning of the second */
	char request[EVIDENCE_TEXT_BYTES]; /* "GET /api/items", an ellipsis at its end where it is longer; control bytes as '?' */
	char client[48];
	char what[EVIDENCE_TEXT_BYTES]; /* "1.62 s before 2 s" */
};

#define CHECK_MEASURES_MAX 4
#define CHECK_TEXT_BYTES 512

struct check {
	uint8_t id; /* enum check_id: also its place in verdict.checks */
	uint8_t status; /* the worst of its measures */
	uint8_t confidence; /* the weakest of its samples */
	uint8_t n_measures;
	struct measure measures[CHECK_MEASURES_MAX];
	uint64_t n; /* samples of the measure that made the status */
	char text[CHECK_TEXT_BYTES]; /* one line for people, NUL-terminated UTF-8; never empty; " …" at its end: there is more */
	char scope[EVIDENCE_TEXT_BYTES]; /* the client or rule it is about, where it is one; else "" */
	unsigned n_evidence;
	uint64_t evidence_total; /* may be more than is shown */
	struct evidence evidence[EVIDENCE_MAX];
};

/* Whether a rule did what it is there for. */
struct verdict_rule {
	char *name;
	bool required;
	uint64_t fired;
};

struct verdict_totals {
	uint64_t requests;
	uint64_t logical; /* requests as the client meant them */
	uint64_t retries;
	uint64_t faults; /* exchanges that a rule shaped */
	uint64_t clients;
	uint64_t gave_up; /* logical requests that failed for good */
	uint64_t evicted; /* requests that were forgotten for want of room: counts are "at least" */
	uint64_t not_identifiable; /* follow-ups that may as well be the client's next request */
};

/*
 * What the randomised experiment says: faults fall on requests by lot, so that what follows on the others shows what would have
 * followed anyway (polling, other workers).
 */
struct verdict_contrast {
	bool measured;
	bool identifiable; /* false: the next request comes too soon to tell it from a retry: a logical key is needed */
	int64_t window_ns;
	uint64_t n_faulted, n_others;
	double p_faulted, p_others; /* followed within the window */
	double retries_per_fault; /* a lower bound */
	double standard_error;
};

/*
 * For the head of a report and the line that reproduces it. The judge fills in the times; the rest is for whoever ran it.
 */
struct verdict_run {
	const char *rules_file; /* NULL: none. These texts are the caller's and outlive the verdict */
	const char *const *command; /* NULL: none; NULL-terminated */
	int child_exit; /* -1: there was no child or it has not ended */
	bool has_seed;
	uint64_t seed;
	uint64_t rules_hash; /* of names and texts; 0: there are none, or not the same all the time */
	int64_t started_wall_ns; /* first byte of the first request; 0: none */
	int64_t duration_ns; /* to the end of the last */
	bool live; /* the verdict so far: the run goes on */
	bool unjudged; /* verdict_expect_nothing: it is told what was seen, and nothing comes of it */
	const char *reproduce; /* the command line that runs it again; NULL: none */
	unsigned rules_line; /* of rules_file, where it says what is expected; 0: not known */
};

struct verdict {
	enum check_status status; /* of the whole: PASS, WARN, FAIL or INCONCLUSIVE; never NOT_APPLICABLE */
	enum expect_profile profile;
	enum expect_inconclusive inconclusive; /* what was asked to come of one */
	struct verdict_totals totals;
	struct verdict_contrast contrast;
	struct verdict_run run;
	struct verdict_rule *rules; /* owned */
	unsigned n_rules;
	char policy[160]; /* "looks like exponential 0.5 s x2, x0.75..1 jitter, 3 attempts"; "": too little to see */
	struct check checks[CHECK_COUNT]; /* by id */
};

/* Behind what a check says that is about who repeats what, where too many follow-ups may be retries or not. */
#define VERDICT_UNSURE                                                                                                          \
	"not identifiable: the client's next request comes as soon as a retry would; name a header that tells logical requests " \
	"apart (observe: logical_key)"

void verdict_deinit(struct verdict *v);
/* Nothing was expected, so nothing has failed: what is wrong all the same (no traffic) becomes a warning. */
void verdict_expect_nothing(struct verdict *v);
/* How many checks have this status. */
unsigned verdict_count(const struct verdict *v, enum check_status status);

/* Rows of checks.def, and words. */
const char *check_number(enum check_id id); /* "M4" */
const char *check_name(enum check_id id); /* "retry_after" */
const char *check_help(enum check_id id);
const char *check_status_name(enum check_status status); /* "pass", "fail", "warn", "inconclusive", "not_applicable" */
const char *confidence_name(enum confidence confidence); /* "none", "id", "ordinal", "fingerprint", "statistical" */

#endif
