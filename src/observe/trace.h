/*
 * trace: what was decided, and from what, as JSON Lines: enough to decide it again. A file may hold several runs, each with a
 * header line, one line for each rule, one line for each exchange, and one line of how it ended:
 *
 *   {"trace":1,"seed":"42","rules":2,"run":"5d41402abc4b2a76"}
 *   {"rule":"one-in-ten","text":"9f86d081884c7d65"}
 *   {"id":"1000000000001","time":"2026-01-31T23:59:59.999Z","method":"GET","target":"/","status":503,"close":"complete",
 *    ...,"decisions":[{"rule":"one-in-ten","phase":"request","key":"0","occurrence":11,"draw":"3d70a3d70a3d70a","threshold":
 *    "1999999999999999","outcome":"fired","choice":0,"since":1200345678}]}
 *   {"end":"command_ended"}
 *
 * Words of 64 bits are texts, since most readers of JSON keep 53: the seed decimal, hashes, draws and ids hexadecimal. `since` is
 * in nanoseconds. "early":true stands where somebody came back before the wait that was told was over, and nothing was drawn.
 * All members are those of trace.def, and for an exchange of trace_exchange.def: enough to judge its client by.
 * The texts of rules stand as hashes: they tell whether two runs had the same rules.
 * A reload begins with a header and rules again, and so does a file that is opened anew; `run` says that it is the same run, with
 * the same clock. The last line is not there where brownout did not come to its end, or wrote into another file by then.
 */
#ifndef BROWNOUT_OBSERVE_TRACE_H
#define BROWNOUT_OBSERVE_TRACE_H

#include "base/text.h"
#include "observe/trace_exchange.h"

#define TRACE_VERSION 1
#define TRACE_SINCE_NS_MIN (-60 * NS_PER_S) /* next to nothing, and so that what is reckoned from it cannot overflow */
#define TRACE_LINE_BYTES_MAX 65536 /* without its LF; the writer stays far below */

/* ---- writing: each appends one line with its LF ---- */

void trace_write_header(struct text *out, const struct ruleset *rules, uint64_t run);
void trace_write_rule(struct text *out, const struct rule *rule);
/* The decisions are by `rules`. */
void trace_write_exchange(struct text *out, const struct ruleset *rules, const struct record *r);

/* How a run ended. */
enum trace_end {
	TRACE_END_UNKNOWN, /* no line says it */
#define TRACE_END(id, name, help) TRACE_END_##id,
#include "observe/trace_end.def"
#undef TRACE_END
	TRACE_END_COUNT
};
void trace_write_end(struct text *out, enum trace_end end);

/* What each member of a line means, for `brownout help trace`. */
void trace_write_reference(struct text *out);

const char *trace_outcome_name(enum decision_outcome outcome);
const char *trace_phase_name(enum rule_phase phase);
const char *trace_end_name(enum trace_end end);

/* ---- reading ---- */

enum trace_kind { TRACE_HEADER, TRACE_RULE, TRACE_EXCHANGE, TRACE_CLOSING };

/* decision.rule is not set: a trace has names. */
struct trace_decision {
	struct span rule;
	struct decision decision;
};

/* One line. The spans live until trace_line_deinit, and no longer than what was read. */
struct trace_line {
	enum trace_kind kind;
	/* TRACE_HEADER */
	uint64_t seed;
	unsigned n_rules;
	uint64_t run; /* 0: it does not say which */
	/* TRACE_RULE */
	struct span rule;
	uint64_t text_hash;
	/* TRACE_EXCHANGE */
	struct span id;
	struct trace_exchange exchange;
	struct trace_decision decisions[RECORD_DECISIONS_MAX];
	unsigned n_decisions;
	uint64_t decisions_lost;
	/* TRACE_CLOSING */
	enum trace_end end;

	void *json; /* what the spans point into */
};

#define TRACE_ERROR_BYTES 200

/*
 * Takes one line (with or without its LF) apart. Any bytes: what is no line of a trace is refused with a text for people in
 * error. 0: out is set and wants trace_line_deinit. 1: refused. -ENOMEM. Members that are not known are passed over.
 */
int trace_read_line(struct span line, struct trace_line *out, char error[TRACE_ERROR_BYTES]) MUST_USE;
void trace_line_deinit(struct trace_line *line);

#endif
