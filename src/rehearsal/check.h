/*
 * check: how the checks of a verdict are made from a tally. Each fills in its measures, its text, and leaves the rest (limits,
 * statuses, evidence) to the helpers here.
 */
#ifndef BROWNOUT_REHEARSAL_CHECK_H
#define BROWNOUT_REHEARSAL_CHECK_H

#include <math.h>

#include "rehearsal/tally.h"

struct check_run {
	const struct tally *t;
	struct verdict *v;
	enum judge_end end;
	bool unsure; /* too many follow-ups could not be told from other requests */
};

/* A value that was measured by n samples, of which n_min are needed; judged by the limit of its key. */
struct check_value {
	enum expect_key key;
	double value;
	uint64_t n, n_min;
	unsigned how; /* enum confidence */
	bool at_least; /* a count that may be higher */
	uint64_t forgotten; /* for want of room: of what each may have been against the client ... */
	double worst; /* ... and the value if all of them had been; CHECK_ANY: it could be any */
};
#define CHECK_ANY ((double)NAN)
struct measure *check_measure(const struct check_run *r, const struct check_value *value);
/* A key of which nothing could be measured. */
void check_unmeasured(const struct check_run *r, enum expect_key key);
/* Once all measures of a check are in: its status is the worst of theirs. */
void check_settle(const struct check_run *r, struct check *c);

/* A count as printf takes it: "%llu". */
#define N(count) ((unsigned long long)(count))

/* Appends to the text of a check. */
void check_say(const struct check_run *r, enum check_id id, const char *format, ...) PRINTF_LIKE(3, 4);
/* Nothing of the kind happened: the check is not applicable, for this reason. */
void check_nothing(const struct check_run *r, enum check_id id, const char *why);
/* It was asked, and there is a reason why it cannot be said; not applicable where it was not asked. */
void check_undecided(const struct check_run *r, enum check_id id, const char *why);

/* All of them, each by its own function (check_*.c). */
#define CHECK_FN(name) void check_##name(const struct check_run *r)
CHECK_FN(attempts);
CHECK_FN(amplification);
CHECK_FN(retry_budget);
CHECK_FN(give_up);
CHECK_FN(yield);
CHECK_FN(retry_after);
CHECK_FN(backoff);
CHECK_FN(jitter);
CHECK_FN(herd);
CHECK_FN(duplicates);
CHECK_FN(unsafe_retries);
CHECK_FN(idempotency_key);
CHECK_FN(pointless_retries);
CHECK_FN(hedging);
CHECK_FN(client_timeout);
CHECK_FN(circuit_breaker);
CHECK_FN(recovery);
CHECK_FN(aftermath);
CHECK_FN(connections);
CHECK_FN(quota);
CHECK_FN(handling);
#undef CHECK_FN

/* "looks like ..." (policy.c). */
void policy_describe(const struct tally *t, char *text, size_t cap);

/* The growth of waits as a factor, with its 95 % interval; false where there is too little of it (check_waits.c). */
struct growth {
	double factor, low, high;
};
bool check_growth(const struct tally *t, struct growth *out);
/* (p90 - p10) / p50. */
double check_spread(const struct samples *s);

#endif
