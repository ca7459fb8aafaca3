/*
 * judge_repeats: which exchange a repeat (observe/record.h) is like. Keeps what the judge made of those that begin a likeness;
 * for the collector's thread alone.
 */
#ifndef BROWNOUT_CLI_JUDGE_REPEATS_H
#define BROWNOUT_CLI_JUDGE_REPEATS_H

#include "cli/judge_feed.h"
#include "rehearsal/live.h"

struct judge_known;

struct judge_repeats {
	struct judge_known **v; /* owned; RECORD_LIKENESSES of each worker that there was one of; or NULL */
	unsigned n;
	struct trace_exchange exchange; /* what is written down of each */
};

void judge_repeats_init(struct judge_repeats *s);
/* Once no judge has repeats any more. */
void judge_repeats_deinit(struct judge_repeats *s);

/* A record that begins a likeness, and what the judge is told of it. Without memory its repeats will not be known. */
void judge_repeats_learn(struct judge_repeats *s, struct live_judge *judge, const struct record *r,
	const struct judge_exchange *e);
/* For the judge. base_ns: as for judge_feed_exchange. False where what it repeats has found no memory. */
bool judge_repeats_feed(struct judge_repeats *s, const struct record *r, int64_t base_ns, struct judge_repeat *to);

#endif
