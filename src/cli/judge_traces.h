/*
 * judge_traces: reads traces side by side, as replicas have written them, and judges what they say in the order of time.
 */
#ifndef BROWNOUT_CLI_JUDGE_TRACES_H
#define BROWNOUT_CLI_JUDGE_TRACES_H

#include "config/plan.h"
#include "rehearsal/judge.h"

#define JUDGE_TRACES_MAX 64

/*
 * plan: rules that must have fired, and what the traces were recorded by; NULL: only what the traces themselves say. 0: *out is
 * set and wants verdict_deinit. Otherwise an exit code, after one line on standard error.
 */
int judge_traces(const char *const *names, unsigned n, const struct expect *expect, const struct plan *plan, struct verdict *out)
	MUST_USE;

#endif
