/*
 * summary: what one run came to. Plain values, taken from the server at its end, so that writing it can be tested.
 */
#ifndef BROWNOUT_CLI_SUMMARY_H
#define BROWNOUT_CLI_SUMMARY_H

#include "base/text.h"
#include "observe/counters.h"
#include "proxy/server.h"

struct summary {
	struct counters total;
	struct server_rule_count *rules; /* in file order; the caller's */
	unsigned n_rules;
	uint64_t log_lost; /* lines that the access log or the trace could not take */
	uint64_t keys_forgotten; /* of rules and quotas, for want of room */
	uint64_t seed;
	bool seed_drawn;
	int64_t elapsed_ns;
};

/* For people, several lines. */
void summary_write_text(const struct summary *s, struct text *out);
/* One JSON object and a line end. */
void summary_write_json(const struct summary *s, struct text *out);

#endif
