/*
 * check_time: the client's patience, and what the traffic as a whole did before, during and after the faults (M13 to M16).
 */
#include "rehearsal/check.h"

#include <math.h>

#define BEYOND_GATEWAY_NS (10 * NS_PER_S) /* who has not left so long after the gateway's answer was due has no timeout */
#define BASELINE_MIN_NS NS_PER_S
#define BASELINE_REQUESTS 20
#define BREAKER_RATE_MIN 5.0 /* requests per second before the faults; with fewer a pause means nothing */
#define BREAKER_OPEN_NS NS_PER_S
#define BREAKER_OPEN_REQUESTS 10 /* of the baseline, in the time that counts as open */
#define BREAKER_SHARE 0.05 /* of the baseline is no traffic */
#define BREAKER_CLOSED_SHARE 0.5
#define CLEAR_CHANCE 0.01 /* that a pause in the faults comes by lot */
#define STEADY_NS (5 * NS_PER_S)
#define STEADY_REQUESTS 20
#define STEADY_SHARE 0.99
#define SUSTAINED_NS (10 * NS_PER_S)
#define SUSTAINED_FACTOR 1.2
#define SUSTAINED_RETRIES_MIN 0.05

/* ---- timeouts ---------------------------------------------------------------------------------------------------- */

static void judge_below_gateway(const struct check_run *r)
{
	const struct tally_count *c = &r->t->timeouts;
	struct check_value v = { .key = EXPECT_TIMEOUT_BELOW_GATEWAY, .value = (double)c->bad, .n = r->t->gateway_ns ? c->n : 0 };

	(void)check_measure(r, &v);
	if (r->t->gateway_ns && c->bad)
		check_say(r, CHECK_CLIENT_TIMEOUT, "; left before an answer that was to come after %.2f s at most: %llu",
			(double)r->t->gateway_ns / 1e9, N(c->bad));
}

/* Nobody left: what is known is that the timeout is longer than the longest wait. */
static void judge_patience(const struct check_run *r)
{
	const struct tally *t = r->t;
	struct check_value v = { .key = EXPECT_TIMEOUT_MAX, .value = (double)t->waited_longest_ns, .n = t->timeouts.n };
	struct measure *m;

	check_unmeasured(r, EXPECT_TIMEOUT_MIN);
	m = check_measure(r, &v);
	m->at_least = true;
	if (m->status == CHECK_PASS)
		m->status = CHECK_INCONCLUSIVE; /* it was not made to wait longer than it may */
	check_say(r, CHECK_CLIENT_TIMEOUT, "no client left; the longest wait for an answer was %.2f s",
		(double)t->waited_longest_ns / 1e9);
	if (t->gateway_ns && t->waited_longest_ns >= t->gateway_ns + BEYOND_GATEWAY_NS)
		check_say(r, CHECK_CLIENT_TIMEOUT, ": no timeout");
}

void check_client_timeout(const struct check_run *r)
{
	static const double q[3] = { 0.1, 0.5, 0.9 };
	const struct tally *t = r->t;
	struct check_value v = { .n = t->left_after.n };
	double p[3];

	if (t->timeouts.n == 0) {
		check_nothing(r, CHECK_CLIENT_TIMEOUT, "no answer took long enough to see how long the client waits");
		return;
	}
	if (t->left_after.n == 0) {
		judge_patience(r);
	} else {
		samples_quantiles(&t->left_after, q, p, 3);
		v.value = p[1] * 1e9;
		v.key = EXPECT_TIMEOUT_MIN;
		(void)check_measure(r, &v);
		v.key = EXPECT_TIMEOUT_MAX;
		(void)check_measure(r, &v);
		check_say(r, CHECK_CLIENT_TIMEOUT, "left by the client after %.2f s (median; 10 to 90 %%: %.2f..%.2f s): %llu",
			p[1], p[0], p[2], N(t->left_after.n));
	}
	judge_below_gateway(r);
	if (t->declared.n)
		check_say(r, CHECK_CLIENT_TIMEOUT, "; it declares %.2f s (median)", samples_quantile(&t->declared, 0.5));
}

/* ---- before and after -------------------------------------------------------------------------------------------- */

struct phases {
	bool has_baseline;
	double rate; /* requests per second before the first fault */
	double success; /* share */
	double retry_ratio;
	uint32_t first, clear; /* bins of the first fault, and of the first request after the last */
	bool has_clear; /* the faults have ended, and something came after */
};

static double per_second(const struct bins *b, uint64_t n, uint32_t bins)
{
	return bins ? (double)n * 1e9 / ((double)bins * (double)b->width_ns) : 0;
}

static void look_before(const struct tally *t, struct phases *p)
{
	const struct bins *b = &t->bins;
	uint64_t n = bins_sum(b, BIN_ARRIVALS, 0, p->first), ok = bins_sum(b, BIN_OK, 0, p->first);
	uint64_t failed = bins_sum(b, BIN_FAILED, 0, p->first);
	uint64_t firsts = bins_sum(b, BIN_FIRSTS, 0, p->first);

	p->has_baseline = (int64_t)p->first * b->width_ns >= BASELINE_MIN_NS && n >= BASELINE_REQUESTS;
	p->rate = per_second(b, n, p->first);
	p->success = ok + failed ? (double)ok / (double)(ok + failed) : 1;
	p->retry_ratio = firsts ? (double)bins_sum(b, BIN_RETRIES, 0, p->first) / (double)firsts : 0;
}

/* Faults that fall by lot pause by themselves now and then: they have ended where so long a pause would be a rare chance. */
static bool have_ended(const struct tally *t, const struct phases *p)
{
	const struct bins *b = &t->bins;
	uint64_t during = bins_sum(b, BIN_ARRIVALS, p->first, p->clear), after = bins_sum(b, BIN_ARRIVALS, p->clear, b->n);
	double share = during ? (double)t->faults / (double)during : 0;

	if (after == 0)
		return false;
	return share >= 1 || pow(1 - share, (double)after) < CLEAR_CHANCE;
}

static bool find_phases(const struct tally *t, struct phases *p)
{
	*p = (struct phases){ 0 };
	if (t->faults == 0)
		return false;
	p->first = bins_at(&t->bins, t->any.first_ns);
	p->clear = MIN(bins_at(&t->bins, t->any.last_ns) + 1, t->bins.n);
	look_before(t, p);
	p->has_clear = have_ended(t, p);
	return true;
}

/* ---- circuit breaker --------------------------------------------------------------------------------------------- */

struct pause {
	uint32_t from, to; /* bins */
	uint64_t failures; /* in a row before it */
	uint64_t probes; /* requests in it */
	bool resumed;
};

/* The first stretch after the first fault in which next to nothing came, and all of it. */
static bool find_pause(const struct tally *t, const struct phases *p, struct pause *out)
{
	const struct bins *b = &t->bins;
	int64_t open_ns = MAX(BREAKER_OPEN_NS, (int64_t)(BREAKER_OPEN_REQUESTS / p->rate * 1e9));
	uint32_t width = bins_of_ns(b, open_ns);
	double most = BREAKER_SHARE * p->rate * (double)open_ns / 1e9;
	uint32_t i = p->first;
	uint64_t after;

	while (i + width <= b->n && (double)bins_sum(b, BIN_ARRIVALS, i, i + width) > most)
		i++;
	if (i + width > b->n)
		return false;
	*out = (struct pause){ .from = i, .to = i + width };
	while (out->to < b->n && (double)bins_sum(b, BIN_ARRIVALS, out->to + 1 - width, out->to + 1) <= most)
		out->to++;
	/* Its edges are where nothing comes: what came before belongs to the failures, what comes after to the recovery. */
	while (out->from < out->to && b->v[out->from].v[BIN_ARRIVALS])
		out->from++;
	while (out->to > out->from && b->v[out->to - 1].v[BIN_ARRIVALS])
		out->to--;
	out->probes = bins_sum(b, BIN_ARRIVALS, out->from, out->to);
	for (uint32_t k = out->from; k-- > 0 && !b->v[k].v[BIN_OK];)
		out->failures += b->v[k].v[BIN_FAILED];
	after = bins_sum(b, BIN_ARRIVALS, out->to, out->to + width);
	out->resumed = per_second(b, after, width) >= BREAKER_CLOSED_SHARE * p->rate;
	return true;
}

void check_circuit_breaker(const struct check_run *r)
{
	const struct tally *t = r->t;
	struct check_value opens = { .key = EXPECT_BREAKER_OPENS, .n = 1 }, probes = { .key = EXPECT_BREAKER_PROBES, .n = 1 };
	struct phases p;
	struct pause pause;

	if (!find_phases(t, &p)) {
		check_nothing(r, CHECK_CIRCUIT_BREAKER, "no fault was active");
	} else if (!p.has_baseline || p.rate < BREAKER_RATE_MIN) {
		check_undecided(r, CHECK_CIRCUIT_BREAKER, "");
		check_say(r, CHECK_CIRCUIT_BREAKER, "not decidable: %.1f requests per second before the faults, %.0f are needed",
			p.rate, BREAKER_RATE_MIN);
	} else if (!find_pause(t, &p, &pause)) {
		opens.value = HUGE_VAL;
		(void)check_measure(r, &opens);
		check_unmeasured(r, EXPECT_BREAKER_PROBES);
		check_say(r, CHECK_CIRCUIT_BREAKER, "none seen: traffic never stopped (%.0f per second before the faults)",
			p.rate);
	} else if (!pause.resumed) {
		check_undecided(r, CHECK_CIRCUIT_BREAKER, "not decidable: traffic stopped and did not come back");
	} else {
		opens.value = (double)pause.failures;
		probes.value = (double)pause.probes;
		(void)check_measure(r, &opens);
		(void)check_measure(r, &probes);
		check_say(r, CHECK_CIRCUIT_BREAKER, "inferred: open after %llu failures, for %.1f s, %llu requests meanwhile",
			N(pause.failures), (double)(pause.to - pause.from) * (double)t->bins.width_ns / 1e9,
			N(pause.probes));
	}
}

/* ---- recovery ---------------------------------------------------------------------------------------------------- */

/* Where the first stretch begins that is as well as the time before the faults; UINT32_MAX: there is none. */
static uint32_t find_steady(const struct tally *t, const struct phases *p)
{
	const struct bins *b = &t->bins;
	uint32_t width = bins_of_ns(b, STEADY_NS);

	for (uint32_t i = p->clear; i < b->n; i++) {
		uint64_t ok = 0, failed = 0;

		for (uint32_t k = i; k < MIN(i + width, b->n) && ok + failed < STEADY_REQUESTS; k++) {
			ok += b->v[k].v[BIN_OK];
			failed += b->v[k].v[BIN_FAILED];
		}
		if (ok && (double)ok >= STEADY_SHARE * p->success * (double)(ok + failed))
			return i;
	}
	return UINT32_MAX;
}

static double highest_rate(const struct bins *b, uint32_t from)
{
	uint32_t width = bins_of_ns(b, NS_PER_S);
	uint64_t most = 0;

	for (uint32_t i = from; i < b->n; i++)
		most = MAX(most, bins_sum(b, BIN_ARRIVALS, i, i + width));
	return per_second(b, most, width);
}

void check_recovery(const struct check_run *r)
{
	const struct tally *t = r->t;
	struct check_value first = { .key = EXPECT_RECOVERY_FIRST, .n = 1 }, steady = { .key = EXPECT_RECOVERY_STEADY, .n = 1 };
	struct check_value overshoot = { .key = EXPECT_RECOVERY_OVERSHOOT, .n = 1 };
	struct phases p;
	uint32_t from;

	if (!find_phases(t, &p)) {
		check_nothing(r, CHECK_RECOVERY, "no fault was active");
		return;
	}
	if (!p.has_clear) {
		check_undecided(r, CHECK_RECOVERY, "the faults did not end while there was traffic");
		return;
	}
	first.value = t->recovered_ns ? (double)MAX(t->recovered_ns - t->any.last_ns, 0) : HUGE_VAL;
	(void)check_measure(r, &first);
	from = find_steady(t, &p);
	steady.value = from == UINT32_MAX ? HUGE_VAL : (double)MAX(bins_start_ns(&t->bins, from) - t->any.last_ns, 0);
	(void)check_measure(r, &steady);
	if (isfinite(first.value))
		check_say(r, CHECK_RECOVERY, "first success %.2f s after the last fault", first.value / 1e9);
	else
		check_say(r, CHECK_RECOVERY, "no success after the last fault");
	if (isfinite(steady.value))
		check_say(r, CHECK_RECOVERY, ", as well as before after %.1f s", steady.value / 1e9);
	else
		check_say(r, CHECK_RECOVERY, ", never as well as before");
	if (!p.has_baseline) {
		check_unmeasured(r, EXPECT_RECOVERY_OVERSHOOT);
		return;
	}
	overshoot.value = highest_rate(&t->bins, p.clear) / p.rate;
	(void)check_measure(r, &overshoot);
	check_say(r, CHECK_RECOVERY, "; up to x%.2f of the traffic before", overshoot.value);
}

/* ---- aftermath --------------------------------------------------------------------------------------------------- */

/* The longest time after the faults in which each second had more traffic, or a larger share of retries, than before. */
static double longest_raised_s(const struct tally *t, const struct phases *p)
{
	const struct bins *b = &t->bins;
	uint32_t width = bins_of_ns(b, NS_PER_S), run = 0, longest = 0;
	double retries_max = MAX(SUSTAINED_FACTOR * p->retry_ratio, SUSTAINED_RETRIES_MIN);

	for (uint32_t i = p->clear; i + width <= b->n; i += width) {
		uint64_t n = bins_sum(b, BIN_ARRIVALS, i, i + width), firsts = bins_sum(b, BIN_FIRSTS, i, i + width);
		uint64_t retries = bins_sum(b, BIN_RETRIES, i, i + width);
		bool raised = per_second(b, n, width) > SUSTAINED_FACTOR * p->rate ||
			      (double)retries > retries_max * (double)firsts;

		run = raised ? run + 1 : 0;
		longest = MAX(longest, run);
	}
	return (double)longest * (double)width * (double)b->width_ns / 1e9;
}

void check_aftermath(const struct check_run *r)
{
	const struct tally *t = r->t;
	struct check_value v = { .key = EXPECT_AFTERMATH_SUSTAINED,
		.n = 1, .forgotten = t->forgotten.failed, .worst = CHECK_ANY };
	struct phases p;
	double raised_s;

	if (!find_phases(t, &p)) {
		check_nothing(r, CHECK_AFTERMATH, "no fault was active");
		return;
	}
	if (!p.has_clear || !p.has_baseline || t->last_ns - t->any.last_ns < SUSTAINED_NS) {
		check_undecided(r, CHECK_AFTERMATH, "it takes a second of traffic before the faults and ten after them");
		return;
	}
	raised_s = longest_raised_s(t, &p);
	v.value = raised_s * 1e9 > (double)SUSTAINED_NS;
	(void)check_measure(r, &v);
	check_say(r, CHECK_AFTERMATH, "traffic or retries stayed raised for %.0f s after the faults had ended", raised_s);
}
