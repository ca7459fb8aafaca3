/*
 * schedule: whether a rule acts at a time, with which percentage, and in which state of its bursts it is. Pure functions of
 * the rule, the time since the epoch and, for bursts, the occurrence.
 */
#ifndef BROWNOUT_CORE_SCHEDULE_H
#define BROWNOUT_CORE_SCHEDULE_H

#include "core/rule.h"

/*
 * Whether since_ns lies in a window: not before start_after, not when ttl is over, and in the first `duration` of it, or of
 * each `period` since start_after. *into_ns: how far into its window.
 */
bool schedule_is_open(const struct rule_schedule *s, int64_t since_ns, int64_t *into_ns);

/* The percentage so far into a window: linear from ramp_from, in whole millionths of a percent, rounded down. */
uint32_t schedule_percentage(const struct rule *r, int64_t into_ns);

/*
 * Whether the chain of bursts is in its bad state at an occurrence of a key. Before the first occurrence it is good; at each
 * occurrence one word u decides: good turns bad where u < enter, bad turns good where u >= 2^64 - leave. One word for both, so
 * that some words force the state whatever it was: the state is found by walking back to the last of these, and needs no
 * memory. The walk ends after SCHEDULE_BURST_STEPS occurrences, where good is assumed: for chances so small that it gets
 * there (together below about 0.01 %), bursts longer than that end.
 */
#define SCHEDULE_BURST_STEPS 100000
bool schedule_burst_is_bad(uint64_t seed, const struct rule *r, uint64_t key_hash, uint64_t occurrence);

#endif
