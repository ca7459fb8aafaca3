/*
 * judge_feed: exchanges as records or traces have them, on their way to a judge. Rules are known to the judge by
 * number; here is who has which.
 */
#ifndef BROWNOUT_CLI_JUDGE_FEED_H
#define BROWNOUT_CLI_JUDGE_FEED_H

#include "observe/trace.h"
#include "rehearsal/judge.h"

/* Which number a rule has, by its name. */
struct judge_names {
	struct span *v; /* owned; by number */
	unsigned n;
	uint16_t *places; /* hash table of n_places, a power of two: number + 1; 0: free */
	unsigned n_places;
};

void judge_names_init(struct judge_names *names);
void judge_names_deinit(struct judge_names *names);
/* UINT16_MAX where there is none of this name. */
uint16_t judge_names_find(const struct judge_names *names, struct span name);
/* The next number. UINT16_MAX where there is no room, or memory is out. */
uint16_t judge_names_add(struct judge_names *names, struct span name);

/*
 * The exchange but for its rules (judge_feed_rules). base_ns: what the clock of `at` must be put forward by, the
 * same for all exchanges of one run.
 */
void judge_feed_exchange(struct judge_exchange *to, const struct trace_exchange *e, int64_t base_ns);
/* What a repeat has of its own (trace_exchange_repeat), but for its id. */
void judge_feed_repeat(struct judge_repeat *to, const struct trace_exchange *e, int64_t base_ns);
/*
 * The rule that shaped it, and in *fired that rule and the n that are there already. UINT16_MAX: it has no number, or there is
 * none.
 */
void judge_feed_rules(struct judge_exchange *to, uint16_t shaped_by, uint16_t fired[JUDGE_FIRED_MAX], unsigned n);
/* Of rules one after the other, from 0: the same for the same rules in the same order. */
uint64_t judge_feed_rules_hash(uint64_t hash, struct span name, uint64_t text_hash);
/* For the first exchange of a run: so that `at` becomes Unix time. */
int64_t judge_feed_base_ns(const struct trace_exchange *e);

#endif
