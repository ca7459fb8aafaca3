/*
 * status_line: one line at the bottom of a terminal that says how the run goes, drawn anew in place a few times a second.
 * Lines of the log and of the access log lift it. Where standard error is no terminal it does nothing.
 */
#ifndef BROWNOUT_CLI_STATUS_LINE_H
#define BROWNOUT_CLI_STATUS_LINE_H

#include "base/text.h"
#include "observe/counters.h"

#define STATUS_LINE_EVERY_NS (250 * NS_PER_MS)

struct status_line {
	bool on;
	bool color;
	bool shown; /* guarded by console_hold */
	int64_t start_ns;
	int64_t last_ns; /* of the draw before, with its count, for the rate */
	uint64_t last_requests;
	double rate; /* requests per second, smoothed */
};

/* Hooks into the console. Off where standard error is no terminal or TERM is unset or "dumb"; no colours with NO_COLOR set. */
void status_line_init(struct status_line *s, int64_t now_ns);
/* lost: lines of the logs. */
void status_line_draw(struct status_line *s, const struct counters *total, uint64_t lost, int64_t now_ns);
/* Wipes it; the console goes on without. */
void status_line_deinit(struct status_line *s);

/* The text alone, at most `columns` wide (0: as wide as it is), without what places it. */
void status_line_write(const struct status_line *s, const struct counters *total, uint64_t lost, int64_t now_ns,
	unsigned columns, struct text *out);

#endif
