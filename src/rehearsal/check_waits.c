/*
 * check_waits: were told waits kept, do the client's own waits grow and spread, and does everyone come back at once? (M4 to M7)
 */
#include "rehearsal/check.h"

#include <math.h>

#define MAYBE_SHARE 5 /* one of so many */
#define SPREAD_SAMPLES_MIN 20 /* fewer do not tell the classes of spread apart */
#define ALIKE 0.5 /* a spread of less than half of the usual one is no chance */
#define INTERVAL 1.96 /* standard errors of a 95 % interval */

static void say_maybe(const struct check_run *r)
{
	check_say(r, CHECK_RETRY_AFTER,
		"%llu came before their wait was over, or were first attempts of others: name a header that tells them apart "
		"(observe: logical_key)",
		N(r->t->maybe_early));
}

/* Many that may have been early outweigh those that are known to have kept the wait. */
static bool has_too_many_maybes(const struct tally *t)
{
	return t->maybe_early * MAYBE_SHARE > t->early.n + t->maybe_early;
}

void check_retry_after(const struct check_run *r)
{
	const struct tally *t = r->t;
	bool chains = t->expect.retry_after_scope == EXPECT_SCOPE_CHAIN;
	uint64_t kept = t->early.n - t->early.bad, forgotten = chains ? t->forgotten.told : t->forgotten.places;
	struct check_value v = { .key = EXPECT_RETRY_AFTER_HONOURED, .n = t->early.n, .n_min = 1, .how = t->early.how,
		.value = t->early.n ? (double)kept / (double)t->early.n : 0, .forgotten = forgotten,
		.worst = t->early.n ? (double)kept / (double)(t->early.n + forgotten) : 0 };
	struct measure *m;

	if (t->early.n == 0 && t->maybe_early) {
		check_undecided(r, CHECK_RETRY_AFTER, "");
		say_maybe(r);
		return;
	}
	if (t->early.n == 0) {
		check_nothing(r, CHECK_RETRY_AFTER,
			t->told_gave_up ? "told to wait, the client gave up instead" : "nobody who was told to wait came back");
		return;
	}
	m = check_measure(r, &v);
	if (m->status == CHECK_PASS && has_too_many_maybes(t))
		m->status = CHECK_INCONCLUSIVE;
	check_say(r, CHECK_RETRY_AFTER, "%llu of %llu follow-ups kept the wait (%.1f %%)", N(kept),
		N(t->early.n), 100 * v.value);
	if (t->early.bad)
		check_say(r, CHECK_RETRY_AFTER, "; %llu early, by %.2f s (p95), %.2f s at most", N(t->early.bad),
			samples_quantile(&t->early_by, 0.95), samples_quantile(&t->early_by, 1));
	if (has_too_many_maybes(t)) {
		check_say(r, CHECK_RETRY_AFTER, "; ");
		say_maybe(r);
	}
	if (t->over_wait.n)
		check_say(r, CHECK_RETRY_AFTER, "; those that kept it waited %.0f %% longer (median)",
			100 * samples_quantile(&t->over_wait, 0.5));
	if (t->pressure)
		check_say(r, CHECK_RETRY_AFTER, "; others to the same %s meanwhile: %llu",
			t->expect.retry_after_scope == EXPECT_SCOPE_PATH ? "path" : "host", N(t->pressure));
}

/* ---- growth ------------------------------------------------------------------------------------------------------ */

bool check_growth(const struct tally *t, struct growth *out)
{
	const struct tally_growth *g = &t->growth;
	double slope, rest, free, error;

	if (g->sxx <= 0)
		return false;
	slope = g->sxy / g->sxx;
	rest = MAX(g->syy - slope * g->sxy, 0);
	free = (double)g->waits - (double)g->chains - 1;
	error = free > 0 ? sqrt(rest / free / g->sxx) : HUGE_VAL;
	out->factor = exp(slope);
	out->low = exp(slope - INTERVAL * error);
	out->high = exp(slope + INTERVAL * error);
	return true;
}

static const char *class_of(double factor)
{
	if (factor < 0.9)
		return "shrinking";
	if (factor <= 1.25)
		return "constant";
	return factor <= 1.6 ? "slowly growing" : "exponential";
}

/* A few that are missing change no average; where they are many in proportion it says little of what the clients did. */
static uint64_t forgotten_of(const struct tally *t, uint64_t samples)
{
	return t->forgotten.failed * MAYBE_SHARE > t->forgotten.failed + samples ? t->forgotten.failed : 0;
}

static void judge_first(const struct check_run *r)
{
	const struct samples *s = &r->t->first_waits;
	struct check_value v = { .key = EXPECT_BACKOFF_FIRST, .value = samples_quantile(s, 0.5) * 1e9, .n = s->n, .n_min = 1,
		.how = r->t->waves_how, .forgotten = forgotten_of(r->t, s->n), .worst = CHECK_ANY };

	(void)check_measure(r, &v);
}

static const char *why_no_growth(const struct tally *t)
{
	if (t->waits_below_floor)
		return "the waits are below the noise floor: growth cannot be seen";
	return t->first_waits.n ? "no second wait that nobody told" : "no wait that the client chose itself";
}

void check_backoff(const struct check_run *r)
{
	const struct tally *t = r->t;
	struct check_value v = { .key = EXPECT_BACKOFF_GROWTH, .n = t->growth.waits, .n_min = t->expect.min_samples,
		.how = t->growth.how, .forgotten = forgotten_of(t, t->growth.waits), .worst = CHECK_ANY };
	struct growth g = { 0 };
	struct measure *m;

	judge_first(r);
	if (!check_growth(t, &g)) {
		check_unmeasured(r, EXPECT_BACKOFF_GROWTH);
		m = &r->v->checks[CHECK_BACKOFF].measures[1];
		if (t->waits_below_floor && m->limit.severity != EXPECT_OFF)
			m->status = CHECK_INCONCLUSIVE;
		check_say(r, CHECK_BACKOFF, "%s", why_no_growth(t));
		return;
	}
	v.value = g.factor;
	m = check_measure(r, &v);
	m->has_interval = isfinite(g.high);
	m->low = g.low;
	m->high = g.high;
	/* A client's clock is not ours: what may well be as it should is not held against it. */
	if (m->status >= CHECK_WARN && expect_holds(&m->limit, g.high))
		m->status = CHECK_INCONCLUSIVE;
	check_say(r, CHECK_BACKOFF, "%s: each wait x%.2f of the one before", class_of(g.factor), g.factor);
	if (m->has_interval)
		check_say(r, CHECK_BACKOFF, " [%.2f..%.2f]", g.low, g.high);
	check_say(r, CHECK_BACKOFF, ", by %llu waits of %llu logical requests; the first %.3f s (median)",
		N(t->growth.waits), N(t->growth.chains), samples_quantile(&t->first_waits, 0.5));
	if (v.n < v.n_min)
		check_say(r, CHECK_BACKOFF, "; %llu waits are needed", N(v.n_min));
}

/* ---- spread ------------------------------------------------------------------------------------------------------ */

double check_spread(const struct samples *s)
{
	static const double q[3] = { 0.1, 0.5, 0.9 };
	double p[3];

	samples_quantiles(s, q, p, 3);
	return p[1] > 0 ? (p[2] - p[0]) / p[1] : 0;
}

struct spread {
	const struct tally_group *group; /* NULL: none had enough samples */
	unsigned wait; /* from 1 */
	double value;
	uint64_t n;
	uint64_t most; /* samples of any */
};

/* In order of their values. */
static void put_sorted(struct spread *v, unsigned n, struct spread new)
{
	while (n > 0 && v[n - 1].value > new.value) {
		v[n] = v[n - 1];
		n--;
	}
	v[n] = new;
}

/*
 * Of the retries of one group: the narrowest where it stands out, since one retry without jitter is enough for a herd; the middle
 * one where they are alike and differ by chance. Where not each is judged by itself, the widest.
 */
static struct spread choose_spread(const struct tally *t, const struct spread *sorted, unsigned n)
{
	if (!t->expect.jitter_per_attempt)
		return sorted[n - 1];
	return sorted[0].value < sorted[n / 2].value * ALIKE ? sorted[0] : sorted[n / 2];
}

/* That of the group whose waits are spread least. */
static struct spread find_in(const struct tally *t, const struct tally_group *groups, unsigned n_groups, uint64_t n_min)
{
	struct spread found = { 0 };
	uint64_t most = 0;

	for (unsigned i = 0; i < n_groups; i++) {
		struct spread sorted[TALLY_WAITS], mine;
		unsigned n = 0;

		for (unsigned k = 0; k < TALLY_WAITS; k++) {
			const struct samples *s = &groups[i].waits[k];

			if (samples_quantile(s, 0.5) * 1e9 < (double)t->noise_floor_ns)
				continue;
			most = MAX(most, s->n);
			if (s->n >= n_min)
				put_sorted(sorted, n++, (struct spread){ &groups[i], k + 1, check_spread(s), s->n, 0 });
		}
		if (n == 0)
			continue;
		mine = choose_spread(t, sorted, n);
		if (!found.group || mine.value < found.value)
			found = mine;
	}
	found.most = most;
	return found;
}

/* Of each client by itself; where none has enough waits, of all of them as if they were one. */
static struct spread find_spread(const struct tally *t, uint64_t n_min)
{
	struct spread found = find_in(t, t->groups, t->n_groups, n_min);

	return found.group ? found : find_in(t, t->all, t->n_all, n_min);
}

static const char *class_of_spread(double spread)
{
	if (spread < 0.05)
		return "none";
	if (spread < 0.15)
		return "weak";
	return spread < 1 ? "present" : "full";
}

void check_jitter(const struct check_run *r)
{
	const struct tally *t = r->t;
	uint64_t n_min = MAX(t->expect.min_samples, SPREAD_SAMPLES_MIN);
	struct spread s = find_spread(t, n_min);
	struct check_value v = { .key = EXPECT_JITTER_SPREAD, .value = s.value, .n = s.group ? s.n : s.most, .n_min = n_min,
		.how = t->waves_how, .worst = CHECK_ANY,
		/* So few waits would not have been judged by themselves. */
		.forgotten = t->forgotten.failed < n_min ? 0 : t->forgotten.failed };

	if (!s.group && s.most == 0) {
		if (t->waits_below_floor)
			check_undecided(r, CHECK_JITTER, "the waits are below the noise floor: not enough signal");
		else
			check_nothing(r, CHECK_JITTER, "no wait that the client chose itself");
		return;
	}
	(void)check_measure(r, &v);
	if (!s.group) {
		r->v->checks[CHECK_JITTER].measures[0].measured = false;
		check_say(r, CHECK_JITTER, "not enough signal: %llu waits before one retry, %llu are needed",
			N(s.most), N(n_min));
		return;
	}
	check_say(r, CHECK_JITTER, "%s: spread %.2f of the wait before retry %u after %u (%llu waits)", class_of_spread(s.value),
		s.value, s.wait, s.group->status, N(s.n));
	memcpy(r->v->checks[CHECK_JITTER].scope, s.group->client_text, JUDGE_CLIENT_BYTES);
}

/* ---- herd -------------------------------------------------------------------------------------------------------- */

static void show_wave(const struct check_run *r, const struct wave *w)
{
	struct check *c = &r->v->checks[CHECK_HERD];

	c->n_evidence = 1;
	c->evidence_total = r->t->waves.n_waves;
	c->evidence[0] = (struct evidence){ .id = w->first_id, .next_id = w->last_id, .source = w->source,
		.at_ns = w->first_ns - r->t->begin_ns, .next_at_ns = w->last_ns - r->t->begin_ns };
}

void check_herd(const struct check_run *r)
{
	const struct wave *w = &r->t->waves.worst;
	uint32_t needed = MAX(r->t->waves.min_wave, 2u);
	struct check_value v = { .key = EXPECT_HERD_PEAK, .value = w->share, .n = w->share > 0 ? w->n : r->t->waves.largest,
		.n_min = needed, .how = r->t->waves_how, .forgotten = r->t->forgotten.failed, .worst = CHECK_ANY };

	if (r->t->waves.largest < 2) {
		check_nothing(r, CHECK_HERD, "no two retries had failed at the same time");
		return;
	}
	(void)check_measure(r, &v);
	if (w->share <= 0) {
		r->v->checks[CHECK_HERD].measures[0].measured = false;
		check_say(r, CHECK_HERD, "at most %u retries had failed at the same time, %u are needed",
			r->t->waves.largest, needed);
		return;
	}
	check_say(r, CHECK_HERD, "%s: %u of %u retries (retry %u) within %.0f ms",
		w->share >= 0.8 ? "synchronised" : w->share >= 0.5 ? "partly synchronised" : "spread", w->at_once, w->n,
		w->attempt, (double)w->window_ns / 1e6);
	show_wave(r, w);
}
