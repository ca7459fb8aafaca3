/*
 * replay: compares recorded decisions: with those that rules give (replay.c), or with those of another trace (replay_sets.c).
 */
#ifndef BROWNOUT_CLI_REPLAY_H
#define BROWNOUT_CLI_REPLAY_H

#include "cli/trace_file.h"

/*
 * Makes every decision of the trace again, by the rules, with *seed or (NULL) the seed of its run. The report (the first
 * difference, the counts) goes to out. Sets rules->seed. EXIT_CODE_OK where all are equal, EXIT_CODE_DIFFERENT,
 * EXIT_CODE_USAGE where the trace is none (said on standard error), EXIT_CODE_FAILED.
 */
int replay_by_rules(struct trace_file *trace, struct ruleset *rules, const uint64_t *seed, struct text *out) MUST_USE;

/*
 * Compares the decisions of two traces as sets: those of the same rule, phase, key and occurrence belong together, wherever
 * they stand. When they were made does not count. Otherwise as above.
 */
int replay_against(struct trace_file *trace, struct trace_file *other, struct text *out) MUST_USE;

/* "rule NAME, request, key HEX, occurrence N" and "OUTCOME, draw HEX, threshold HEX, choice N" */
void replay_put_identity(struct text *out, struct span rule, const struct decision *d);
void replay_put_result(struct text *out, const struct decision *d);

#endif
