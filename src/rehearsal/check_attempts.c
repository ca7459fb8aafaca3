/*
 * check_attempts: how often was it tried, how much traffic did that make, did it end, and did it help? (M1, M2, M3, M12, M20)
 */
#include "rehearsal/check.h"

#include <math.h>

#define BUDGET_ALL_REQUESTS 100 /* in smaller runs no retries are free */

void check_attempts(const struct check_run *r)
{
	const struct tally *t = r->t;
	/* Of requests that are alike it cannot be told which worker follows whom, but how often they try on the whole. */
	double most = MAX((double)t->attempts_max, ceil(samples_quantile(&t->attempts_alike, 0.5)));
	struct check_value v = { .key = EXPECT_ATTEMPTS_MAX, .value = most, .n = t->attempts_seen.n,
		.how = t->attempts_seen.how, .forgotten = t->forgotten.failed, .worst = CHECK_ANY };
	static const double q[2] = { 0.5, 0.95 };
	double p[2];

	if (t->attempts_seen.n == 0) {
		check_nothing(r, CHECK_ATTEMPTS, "no request failed, so none could be tried again");
		return;
	}
	(void)check_measure(r, &v);
	samples_quantiles(&t->attempts_of_failed, q, p, 2);
	check_say(r, CHECK_ATTEMPTS, "%s %.0f (median %.0f, p95 %.0f), of logical requests that met a failure: %llu",
		t->attempts_alike.n ? "by the median of requests that are alike" : "at most", most, p[0], p[1],
		N(t->attempts_seen.n));
	if (t->declared_max)
		check_say(r, CHECK_ATTEMPTS, "; the client declares %llu", N(t->declared_max));
}

static double ratio(uint64_t n, uint64_t of)
{
	return of ? (double)n / (double)of : 0;
}

/* What was forgotten is nothing new, but belongs to another. */
static double highest_ratio(double n, uint64_t of, uint64_t forgotten)
{
	return of > forgotten ? n / (double)(of - forgotten) : HUGE_VAL;
}

void check_amplification(const struct check_run *r)
{
	const struct tally *t = r->t;
	const struct tally_window_sum *in = &t->during.in;
	struct check_value v = { .key = EXPECT_AMPLIFICATION_MAX, .n = in->chains, .n_min = 1, .how = t->attempts_seen.how,
		.value = ratio(in->attempts, in->chains), .forgotten = t->forgotten.failed,
		/* Each that was forgotten may have been the same as another that came later. */
		.worst = highest_ratio((double)in->attempts, in->chains, t->forgotten.failed) };

	if (in->chains == 0) {
		check_nothing(r, CHECK_AMPLIFICATION, "no fault was active");
		return;
	}
	(void)check_measure(r, &v);
	check_say(r, CHECK_AMPLIFICATION, "%llu requests for %llu logical ones while faults were active: x%.2f",
		N(in->attempts), N(in->chains), v.value);
}

/* ---- budget ------------------------------------------------------------------------------------------------------ */

struct budget {
	double ratio; /* the highest; what is always allowed is left out */
	double highest; /* the same if all that was forgotten were retries, in one window */
	uint64_t retries, firsts; /* of that window */
	uint64_t most; /* first attempts in any window */
};

static struct budget worst_window(const struct tally *t)
{
	const struct bins *b = &t->bins;
	uint32_t width = bins_of_ns(b, t->expect.budget_window_ns);
	double allowed = t->requests < BUDGET_ALL_REQUESTS
				 ? 0
				 : t->expect.budget_floor_per_s * (double)t->expect.budget_window_ns / (double)NS_PER_S;
	struct budget worst = { 0 };
	uint64_t retries = 0, firsts = 0, most = 0, hidden;

	for (uint32_t i = 0; i < b->n; i++) {
		double ratio;

		retries += b->v[i].v[BIN_RETRIES];
		firsts += b->v[i].v[BIN_FIRSTS];
		if (i >= width) {
			retries -= b->v[i - width].v[BIN_RETRIES];
			firsts -= b->v[i - width].v[BIN_FIRSTS];
		}
		most = MAX(most, firsts);
		if (firsts < t->expect.min_samples || firsts == 0)
			continue; /* one retry of one request is no storm yet */
		/* With fewer first attempts the window would not count. */
		hidden = MIN(t->forgotten.failed, firsts - MAX(t->expect.min_samples, 1u));
		worst.highest = MAX(worst.highest, highest_ratio((double)(retries + hidden) - allowed, firsts, hidden));
		ratio = ((double)retries - allowed) / (double)firsts;
		if (ratio > worst.ratio)
			worst = (struct budget){ .ratio = ratio, .highest = worst.highest, .retries = retries, .firsts = firsts };
	}
	worst.most = most;
	return worst;
}

static void say_tokens(const struct check_run *r)
{
	const struct tally *t = r->t;
	struct check_value v = { .key = EXPECT_RETRY_BUDGET_RATIO, .value = (double)t->tokens.bad, .n = t->tokens.n,
		.how = t->tokens.how };
	struct measure *m;

	if (t->tokens.n == 0) {
		check_nothing(r, CHECK_RETRY_BUDGET, "no retries");
		return;
	}
	m = check_measure(r, &v);
	m->value = (double)t->tokens.bad / (double)t->tokens.n;
	m->status = t->tokens.bad ? CHECK_FAIL : t->forgotten.failed ? CHECK_INCONCLUSIVE : CHECK_PASS;
	m->hidden = m->status == CHECK_INCONCLUSIVE;
	check_say(r, CHECK_RETRY_BUDGET, "%llu of %llu retries without a token left (%d at first, 5 or 10 for a retry)",
		N(t->tokens.bad), N(t->tokens.n), CLIENTS_TOKENS);
}

void check_retry_budget(const struct check_run *r)
{
	const struct tally *t = r->t;
	struct budget worst = worst_window(t);
	struct check_value v = { .key = EXPECT_RETRY_BUDGET_RATIO, .value = worst.ratio, .n = worst.most,
		.n_min = t->expect.min_samples, .how = t->attempts_seen.how, .forgotten = t->forgotten.failed,
		.worst = worst.highest };

	if (t->expect.budget_tokens && t->expect.limits[EXPECT_RETRY_BUDGET_RATIO].severity == EXPECT_OFF) {
		say_tokens(r);
		return;
	}
	if (t->attempts_seen.n == 0) {
		check_nothing(r, CHECK_RETRY_BUDGET, "no request failed, so none could be tried again");
		return;
	}
	(void)check_measure(r, &v);
	if (v.n < v.n_min)
		check_say(r, CHECK_RETRY_BUDGET, "at most %llu first attempts within %.0f s, %llu are needed", N(v.n),
			(double)t->expect.budget_window_ns / 1e9, N(v.n_min));
	else if (worst.ratio > 0)
		check_say(r, CHECK_RETRY_BUDGET, "at most %llu retries for %llu first attempts within %.0f s", N(worst.retries),
			N(worst.firsts), (double)t->expect.budget_window_ns / 1e9);
	else
		check_say(r, CHECK_RETRY_BUDGET, "no more retries than are always allowed");
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

void check_give_up(const struct check_run *r)
{
	const struct tally *t = r->t;
	double longest = samples_quantile(&t->give_up_times, 1);
	struct check_value within = { .key = EXPECT_GIVE_UP_WITHIN, .value = longest * 1e9, .n = t->gave_up.n,
		.how = t->gave_up.how, .forgotten = t->forgotten.failed, .worst = CHECK_ANY };
	struct check_value must = { .key = EXPECT_GIVE_UP_MUST, .value = t->gave_up.bad ? 0 : 1, .n = t->gave_up.n,
		.how = t->gave_up.how, .forgotten = t->forgotten.failed, .worst = CHECK_ANY };

	if (t->gave_up.n == 0) {
		if (t->still_retrying)
			check_undecided(r, CHECK_GIVE_UP, "what failed may still be tried again: the run ended too soon");
		else
			check_nothing(r, CHECK_GIVE_UP, "nothing failed for good");
		return;
	}
	(void)check_measure(r, &within);
	(void)check_measure(r, &must);
	check_say(r, CHECK_GIVE_UP, "logical requests that failed for good: %llu, after %.2f s (median), %.2f s at most",
		N(t->gave_up.n), samples_quantile(&t->give_up_times, 0.5), longest);
	if (t->gave_up.bad)
		check_say(r, CHECK_GIVE_UP, "; without an end in sight: %llu", N(t->gave_up.bad));
	if (t->still_retrying)
		check_say(r, CHECK_GIVE_UP, "; still open at the end: %llu", N(t->still_retrying));
}

void check_yield(const struct check_run *r)
{
	const struct tally *t = r->t;
	const struct tally_window_sum *in = &t->any.in;
	uint64_t n = in->ok + in->failed;
	struct check_value v = { .key = EXPECT_YIELD_SUCCESS, .value = ratio(in->ok, n), .n = n, .n_min = 1,
		.how = t->yield.how, .forgotten = t->forgotten.failed, .worst = ratio(in->ok, n + t->forgotten.failed) };

	if (n == 0) {
		check_nothing(r, CHECK_YIELD, "no fault was active");
		return;
	}
	(void)check_measure(r, &v);
	check_say(r, CHECK_YIELD, "%llu of %llu logical requests went well while faults were active, %llu of %llu touched ones",
		N(in->ok), N(n), N(t->yield.n - t->yield.bad), N(t->yield.n));
	if (t->touched_times.n && t->clean_times.n)
		check_say(r, CHECK_YIELD, "; these took %.2f s longer (median)",
			samples_quantile(&t->touched_times, 0.5) - samples_quantile(&t->clean_times, 0.5));
}
