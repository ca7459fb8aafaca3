/*
 * judge_repeats: which exchange a repeat (observe/record.h) is. Keeps the exchanges that begin a likeness, with their texts; for
 * the collector's thread alone.
 */
#ifndef BROWNOUT_CLI_JUDGE_REPEATS_H
#define BROWNOUT_CLI_JUDGE_REPEATS_H

#include "cli/judge_feed.h"

struct judge_likeness;

struct judge_repeats {
	struct judge_likeness **v; /* owned; RECORD_LIKENESSES of each worker that there was one of; or NULL */
	unsigned n;
};

void judge_repeats_deinit(struct judge_repeats *s);

/* A record that begins a likeness, and the exchange that was made from it. Without memory its repeats will not be known. */
void judge_repeats_learn(struct judge_repeats *s, const struct record *r, const struct trace_exchange *e);
/*
 * The exchange that the repeat is, which no rule has touched; what it points to holds until the next call. base_ns: as for
 * judge_feed_exchange. False where what it repeats has found no memory.
 */
bool judge_repeats_feed(struct judge_repeats *s, const struct record *r, int64_t base_ns, struct judge_exchange *to);

#endif
