/*
 * tally_waits: the waits between the attempts of one logical request: those that were told and whether they were kept, those that
 * the client chose itself and how they grow and spread, and what comes at once.
 */
#include "rehearsal/tally.h"

#include <math.h>
#include <stdio.h>

#define LOST_SAMPLES 16u /* of one chain: enough for a share of all of them */

static bool is_own_wait(const struct tally *t, const struct attempt *a)
{
	return a->told_ns < 0 && !(a->flags & ATTEMPT_HEDGE) && a->gap_ns >= t->noise_floor_ns;
}

/*
 * By how much it was too early; not positive where it was not. Early is only what came before the wait was over by any clock: it
 * is counted from before the answer left to after the request came, and every delay on the way makes it longer.
 */
static int64_t early_by_ns(const struct tally *t, const struct attempt *a)
{
	int64_t wait_ns = tally_owed_ns(t, a->told_ns), by_ns = wait_ns - a->told_gap_ns;

	return by_ns > tally_tolerance_ns(t, wait_ns) ? by_ns : 0;
}

static void show_early(struct tally *t, const struct piece *p, const struct attempt *before, const struct attempt *a,
	int64_t by_ns)
{
	char what[EVIDENCE_TEXT_BYTES];

	samples_add(&t->early_by, (double)by_ns / 1e9);
	(void)snprintf(what, sizeof(what), "after %.3f s instead of %.3f s", (double)a->told_gap_ns / 1e9,
		(double)a->told_ns / 1e9);
	tally_evidence(t, CHECK_RETRY_AFTER, (double)by_ns, before, a, p->kind->request_text, p->kind->client_text, what);
}

static bool is_judged_here(const struct tally *t, const struct attempt *a)
{
	return !(a->flags & ATTEMPT_HEDGE) && t->expect.retry_after_scope == EXPECT_SCOPE_CHAIN;
}

static void note_told(struct tally *t, const struct piece *p, const struct attempt *a)
{
	const struct attempt before = { .id = a->before_id, .source = a->source, .end_ns = a->first_ns - a->gap_ns };
	int64_t wait_ns = tally_owed_ns(t, a->told_ns), by_ns = early_by_ns(t, a);
	bool early = by_ns > 0;

	if (!is_judged_here(t, a))
		return;
	/* It may follow another failure, or none: another worker's first attempt comes when it likes. */
	if (a->flags & ATTEMPT_UNSURE || (early && a->how == CONFIDENCE_FINGERPRINT && p->kind->parallel)) {
		t->maybe_early += early;
		return;
	}
	tally_count(&t->early, early, a->how);
	if (early)
		show_early(t, p, &before, a, by_ns);
	else if (wait_ns > 0)
		samples_add(&t->over_wait, (double)a->told_gap_ns / (double)wait_ns - 1);
}

/* ---- of attempts that are not kept ------------------------------------------------------------------------------- */

static void lose_early(struct lost_waits *w, const struct attempt *a, int64_t by_ns)
{
	if (a->how == CONFIDENCE_FINGERPRINT)
		w->early_by_print++;
	else
		w->early++;
	w->early_sum_ns += (double)by_ns;
	if (by_ns <= w->worst_ns)
		return;
	w->worst_ns = by_ns;
	w->worst_gap_ns = a->told_gap_ns;
	w->worst_told_ns = a->told_ns;
	w->worst_first_ns = a->first_ns;
	w->worst_before_end_ns = a->first_ns - a->gap_ns;
	w->worst_id = a->id;
	w->worst_before_id = a->before_id;
	w->worst_source = a->source;
}

void tally_lose_wait(const struct tally *t, struct chain *c, const struct attempt *a)
{
	struct lost_waits *w = &c->lost;
	int64_t by_ns = early_by_ns(t, a);

	if (a->told_ns < 0 && !(a->flags & ATTEMPT_HEDGE))
		w->below_floor += a->gap_ns < t->noise_floor_ns;
	if (a->told_ns < 0 || !is_judged_here(t, a))
		return;
	if (a->flags & ATTEMPT_UNSURE) {
		w->unsure += by_ns > 0;
		return;
	}
	w->how = (uint8_t)MAX(w->how, a->how);
	if (by_ns > 0)
		lose_early(w, a, by_ns);
	else
		w->kept++;
}

static void note_lost(struct tally *t, const struct piece *p)
{
	const struct lost_waits *w = &p->chain->lost;
	const struct attempt before = { .id = w->worst_before_id, .source = w->worst_source, .end_ns = w->worst_before_end_ns };
	const struct attempt a = { .id = w->worst_id, .source = w->worst_source, .first_ns = w->worst_first_ns,
		.told_gap_ns = w->worst_gap_ns, .told_ns = w->worst_told_ns };
	uint32_t all = w->early + w->early_by_print, early = p->kind->parallel ? w->early : all;

	t->waits_below_floor += w->below_floor;
	t->maybe_early += w->unsure + (all - early);
	t->early.n += w->kept + early;
	t->early.bad += early;
	if (w->kept + early)
		t->early.how = MAX(t->early.how, w->how);
	if (!early)
		return;
	/* Of the others it is known by how much they were early on average. */
	for (uint32_t i = 1; i < MIN(early, LOST_SAMPLES); i++)
		samples_add(&t->early_by, (w->early_sum_ns - (double)w->worst_ns) / (double)(all - 1) / 1e9);
	show_early(t, p, &before, &a, w->worst_ns);
	t->evidence_total[CHECK_RETRY_AFTER] += early - 1;
}

/*
 * The k-th wait of a logical request against k, within each; what the requests differ in altogether does not count. The first
 * ones alone: nearly all waits stop growing at a bound of the client's, and those beyond it would hide how they grew.
 */
static void note_growth(struct tally *t, const struct piece *p)
{
	double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0;
	unsigned how = CONFIDENCE_NONE;

	for (unsigned i = 1; i < p->n && i < CHAIN_ATTEMPTS - 1; i++) {
		double x = i, y;

		if (!is_own_wait(t, &p->v[i]))
			continue;
		y = log((double)p->v[i].gap_ns / 1e9);
		how = MAX(how, p->v[i].how);
		n++;
		sx += x;
		sy += y;
		sxx += x * x;
		sxy += x * y;
		syy += y * y;
	}
	if (n < 2)
		return;
	t->growth.chains++;
	t->growth.waits += (uint64_t)n;
	t->growth.sxx += sxx - sx * sx / n;
	t->growth.sxy += sxy - sx * sy / n;
	t->growth.syy += syy - sy * sy / n;
	t->growth.how = (uint8_t)MAX(t->growth.how, how);
}

/* The group of this client and status, made where there is room. */
static struct tally_group *group_of(struct tally_group *v, unsigned *n, unsigned max, const struct piece *p, uint16_t status)
{
	uint64_t client = p ? p->kind->client : 0;

	for (unsigned i = 0; i < *n; i++) {
		if (v[i].client == client && v[i].status == status)
			return &v[i];
	}
	if (*n == max)
		return NULL;
	v[*n].client = client;
	v[*n].status = status;
	if (p)
		memcpy(v[*n].client_text, p->kind->client_text, JUDGE_CLIENT_BYTES);
	return &v[(*n)++];
}

static void note_spread(struct tally *t, const struct piece *p, unsigned i)
{
	uint16_t status = p->v[i - 1].status;
	double wait_s = (double)p->v[i].gap_ns / 1e9;
	struct tally_group *g, *all;

	if (i > TALLY_WAITS)
		return;
	g = group_of(t->groups, &t->n_groups, TALLY_GROUPS, p, status);
	all = group_of(t->all, &t->n_all, TALLY_STATUSES, NULL, status);
	if (g)
		samples_add(&g->waits[i - 1], wait_s);
	if (all)
		samples_add(&all->waits[i - 1], wait_s);
}

static void note_wave(struct tally *t, const struct piece *p, unsigned i)
{
	const struct attempt *a = &p->v[i];
	struct wave_retry retry = { .failed_ns = a->first_ns - a->gap_ns, .came_ns = a->first_ns, .id = a->id,
		.source = a->source };

	waves_add(&t->waves, i, a->told_ns >= 0, &retry);
	t->waves_how = (uint8_t)MAX(t->waves_how, a->how);
}

/*
 * Of several workers whose requests are alike the first failure is followed up first, whoever does it: from the second retry on
 * the single waits come out more even than they are.
 */
static bool has_true_wait(const struct piece *p, unsigned i)
{
	return i == 1 || !p->kind->parallel || p->v[i].how != CONFIDENCE_FINGERPRINT;
}

void tally_waits(struct tally *t, const struct piece *p)
{
	for (unsigned i = 1; i < p->n; i++) {
		const struct attempt *a = &p->v[i];

		if (a->flags & ATTEMPT_HEDGE)
			continue;
		if (a->told_ns >= 0)
			note_told(t, p, a);
		else if (i == 1)
			samples_add(&t->first_waits, (double)a->gap_ns / 1e9);
		/* Where attempts are missing before the last, its number is not known. */
		if (i == CHAIN_ATTEMPTS - 1 && p->whole && p->chain->n_lost)
			break;
		if (has_true_wait(p, i))
			note_wave(t, p, i);
		if (has_true_wait(p, i) && a->told_ns < 0)
			note_spread(t, p, i);
		t->waits_below_floor += a->told_ns < 0 && a->gap_ns < t->noise_floor_ns;
	}
	if (p->whole && p->chain->n_lost)
		note_lost(t, p);
	note_growth(t, p);
}
