/*
 * tally_piece: one logical request: how often it was tried, whether that was allowed, and how it ended. Its waits are in
 * tally_waits.c.
 */
#include "rehearsal/tally.h"

#include <stdio.h>

#define ATTEMPTS_CAP 30 /* so many are no policy any more but the lack of one */
#define STILL_WAITS 3 /* after so many times the last wait, nothing more is to be expected */

static uint64_t attempts_of(const struct piece *p)
{
	uint64_t n = p->n + (p->whole ? p->chain->n_lost : 0);

	for (unsigned i = 1; i < p->n; i++)
		n -= (p->v[i].flags & ATTEMPT_HEDGE) != 0;
	return n;
}

static bool is_ok(const struct piece *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		if (p->v[i].outcome == OUTCOME_OK)
			return true;
	}
	return false;
}

static bool was_faulted(const struct piece *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		if (p->v[i].flags & EVENT_FAULTED)
			return true;
	}
	return false;
}

static void evidence(struct tally *t, const struct piece *p, enum check_id check, double weight, const struct attempt *first,
	const struct attempt *second, const char *what)
{
	tally_evidence(t, check, weight, first, second, p->kind->request_text, p->kind->client_text, what);
}

static void count_attempts(struct tally *t, const struct piece *p, uint64_t n)
{
	char what[EVIDENCE_TEXT_BYTES];

	t->logical++;
	t->retries += n - 1;
	t->attempts[MIN(n, (uint64_t)TALLY_ATTEMPTS)]++;
	if (is_ok(p) && n == 1)
		return;
	tally_count(&t->attempts_seen, false, p->how);
	samples_add(&t->attempts_of_failed, (double)n);
	if (p->kind->parallel && p->how == CONFIDENCE_FINGERPRINT) {
		samples_add(&t->attempts_alike, (double)n);
		return;
	}
	if (n > t->attempts_max || (double)n > t->expect.limits[EXPECT_ATTEMPTS_MAX].value) {
		(void)snprintf(what, sizeof(what), "%llu attempt%s", (unsigned long long)n, n == 1 ? "" : "s");
		evidence(t, p, CHECK_ATTEMPTS, (double)n, &p->v[0], p->n > 1 ? &p->v[p->n - 1] : NULL, what);
	}
	t->attempts_max = MAX(t->attempts_max, n);
}

static void count_window(struct tally_window *w, const struct piece *p, uint64_t attempts, bool ok, bool failed)
{
	struct tally_window_sum *sum = p->v[0].first_ns <= w->last_ns ? &w->in : &w->since;

	if (p->v[0].first_ns < w->first_ns)
		return;
	sum->chains++;
	sum->attempts += attempts;
	sum->ok += ok;
	sum->failed += failed;
}

static void count_bins(struct tally *t, const struct piece *p)
{
	bins_add(&t->bins, p->v[0].first_ns, BIN_FIRSTS, 1);
	for (unsigned i = 1; i < p->n; i++) {
		if (!(p->v[i].flags & ATTEMPT_HEDGE))
			bins_add(&t->bins, p->v[i].first_ns, BIN_RETRIES, 1);
	}
	if (p->whole && p->chain->n_lost)
		bins_add(&t->bins, p->v[p->n - 1].first_ns, BIN_RETRIES, p->chain->n_lost);
}

/* ---- what may not be repeated just so ---------------------------------------------------------------------------- */

/* One key on both is the client's way to make a repeat safe. */
static bool shares_key(const struct attempt *a, const struct attempt *b)
{
	return a->key && a->key == b->key;
}

/* Of one logical request, attempt by attempt. */
struct executions {
	const struct attempt *before; /* the last that was executed; NULL: none yet */
	bool lost; /* the client was told that one failed, or nothing */
	bool again;
};

static void note_execution(struct tally *t, const struct piece *p, const struct attempt *a, struct executions *x)
{
	const struct attempt *before = x->before;
	char what[EVIDENCE_TEXT_BYTES];

	if (!(a->flags & EVENT_EXECUTED))
		return;
	x->before = a;
	x->lost = x->lost || a->outcome != OUTCOME_OK || a->flags & ATTEMPT_HEDGE;
	if (!before || shares_key(before, a) || (a->flags & ATTEMPT_HEDGE && a->how == CONFIDENCE_FINGERPRINT))
		return;
	x->again = true;
	(void)snprintf(what, sizeof(what), "executed twice, %.3f s apart", (double)(a->first_ns - before->first_ns) / 1e9);
	evidence(t, p, CHECK_DUPLICATES, 1, before, a, what);
}

/* The upstream executed it, and the client was told that it failed, or nothing. Was it executed once more? */
static void count_duplicates(struct tally *t, const struct piece *p)
{
	struct executions x = { .before = NULL };

	for (unsigned i = 0; i < p->n; i++) {
		/* Those that were not kept come before the last. */
		for (unsigned k = 0; p->whole && i == p->n - 1 && k < p->chain->n_executed; k++)
			note_execution(t, p, &p->chain->executed[k], &x);
		note_execution(t, p, &p->v[i], &x);
	}
	if (x.lost || x.again)
		tally_count(&t->lost_answers, x.again, p->how);
}

static void count_repeat(struct tally *t, const struct piece *p, const struct attempt *before, const struct attempt *a)
{
	bool sent = before->flags & EVENT_FORWARDED;
	bool refused = sent && (before->flags & EVENT_REFUSED_THERE);
	bool maybe_done = sent && !refused;

	t->unsafe_unsent += !sent;
	t->unsafe_refused += refused;
	tally_count(&t->unsafe, maybe_done && !shares_key(before, a), a->how);
	if (maybe_done && !shares_key(before, a))
		evidence(t, p, CHECK_UNSAFE_RETRIES, before->flags & EVENT_EXECUTED ? 1 : 0, before, a,
			before->flags & EVENT_EXECUTED ? "executed before" : "may have been executed before");
}

static void count_unsafe(struct tally *t, const struct piece *p)
{
	bool has_key = p->v[0].key, one_key = true;

	if (!(p->v[0].flags & EVENT_UNSAFE))
		return;
	count_duplicates(t, p);
	for (unsigned i = 1; i < p->n; i++) {
		has_key = has_key || p->v[i].key;
		one_key = one_key && !(p->v[i].flags & ATTEMPT_REKEYED);
		count_repeat(t, p, &p->v[i - 1], &p->v[i]);
	}
	if (p->n < 2 || !has_key)
		return;
	tally_count(&t->keys, !one_key, p->how);
	for (unsigned i = 1; i < p->n && !one_key; i++) {
		if (p->v[i].flags & ATTEMPT_REKEYED)
			evidence(t, p, CHECK_IDEMPOTENCY_KEY, 0, &p->v[i - 1], &p->v[i],
				p->v[i].key ? "a new key for another attempt" : "another attempt without the key");
	}
}

/* ---- repeats that the status before them is against --------------------------------------------------------------- */

static bool demands_something(unsigned status)
{
	return status == 401 || status == 417 || status == 421 || status == 425;
}

static void count_repeats(struct tally *t, const struct piece *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct attempt *a = &p->v[i], *next = i + 1 < p->n ? &p->v[i + 1] : NULL;
		bool repeated = next && (next->flags & ATTEMPT_POINTLESS);

		/* That a success was not repeated says nothing: only of a client with ids could it be seen. */
		if (a->outcome == OUTCOME_REFUSED || repeated)
			tally_count(&t->pointless, repeated, next ? next->how : CONFIDENCE_NONE);
		if (repeated)
			evidence(t, p, CHECK_POINTLESS_RETRIES, 0, a, next, "nothing better could come of it");
		if (!next || !demands_something(a->status))
			continue;
		tally_count(&t->handling, next->flags & ATTEMPT_MISHANDLED, next->how);
		if (next->flags & ATTEMPT_MISHANDLED)
			evidence(t, p, CHECK_HANDLING, 1, a, next, "repeated without the change that the status asks for");
	}
}

static void count_hedges(struct tally *t, const struct piece *p)
{
	bool hedged = false;
	unsigned how = CONFIDENCE_NONE;

	for (unsigned i = 1; i < p->n; i++) {
		const struct attempt *a = &p->v[i], *before = &p->v[i - 1];

		if (!(a->flags & ATTEMPT_HEDGE))
			continue;
		hedged = true;
		how = MAX(how, a->how);
		t->hedges++;
		t->hedges_cancelled += ((a->flags | before->flags) & EVENT_LEFT) != 0;
		evidence(t, p, CHECK_HEDGING, 0, before, a, "a copy while the first was under way");
	}
	tally_count(&t->hedged, hedged, how);
}

static void count_connections(struct tally *t, const struct piece *p)
{
	for (unsigned i = 1; i < p->n; i++) {
		if (!p->v[i].connection || !p->v[i - 1].connection || p->v[i].flags & ATTEMPT_HEDGE)
			continue;
		tally_count(&t->connections, !(p->v[i].flags & ATTEMPT_SAME_CONNECTION), p->v[i].how);
	}
}

/* ---- how it ended ------------------------------------------------------------------------------------------------ */

/* True where nothing more is to be expected of a logical request that failed. */
static bool has_given_up(const struct piece *p, const struct tally_end *end)
{
	const struct attempt *last = &p->v[p->n - 1];
	int64_t wait_ns = MAX(MAX(p->n > 1 ? last->gap_ns : 0, last->wait_ns), NS_PER_S);

	if (!p->ends_chain || end->over || end->end == JUDGE_END_CLIENT_LEFT)
		return true;
	return end->end != JUDGE_END_SO_FAR && end->at_ns - last->end_ns > STILL_WAITS * wait_ns;
}

static void count_end(struct tally *t, const struct piece *p, uint64_t attempts, const struct tally_end *end)
{
	const struct attempt *last = &p->v[p->n - 1];
	bool endless = attempts >= ATTEMPTS_CAP;
	double took_s = (double)(last->end_ns - p->v[0].first_ns) / 1e9;

	if (last->outcome == OUTCOME_REFUSED && !(last->flags & EVENT_FAULTED))
		return;
	if (!endless && end->forgotten && p->ends_chain)
		return;
	if (!endless && !has_given_up(p, end)) {
		if (end->end != JUDGE_END_TIME_LIMIT || p->n < 2) {
			t->still_retrying++;
			return;
		}
		endless = true;
	}
	tally_count(&t->gave_up, endless, p->how);
	samples_add(&t->give_up_times, took_s);
	if (endless)
		evidence(t, p, CHECK_GIVE_UP, took_s, &p->v[0], p->n > 1 ? last : NULL, "no end of retrying");
	if (last->wait_ns > 0)
		t->told_gave_up++;
}

static void count_yield(struct tally *t, const struct piece *p, bool ok)
{
	double took_s = (double)(p->v[p->n - 1].end_ns - p->v[0].first_ns) / 1e9;

	if (!was_faulted(p)) {
		if (ok)
			samples_add(&t->clean_times, took_s);
		return;
	}
	tally_count(&t->yield, !ok, p->how);
	if (ok)
		samples_add(&t->touched_times, took_s);
	else
		evidence(t, p, CHECK_YIELD, 0, &p->v[0], p->n > 1 ? &p->v[p->n - 1] : NULL, "failed for good");
}

/* What tally_piece comes to where there is one attempt, and nothing about it but that it went well. */
void tally_plain(struct tally *t, const struct attempt *a)
{
	const struct piece p = { .v = a, .n = 1 };

	t->logical++;
	t->attempts[1]++;
	count_window(&t->any, &p, 1, true, false);
	count_window(&t->during, &p, 1, true, false);
	bins_add(&t->bins, a->first_ns, BIN_FIRSTS, 1);
	tally_count(&t->hedged, false, CONFIDENCE_NONE);
	samples_add(&t->clean_times, (double)(a->end_ns - a->first_ns) / 1e9);
}

void tally_piece(struct tally *t, const struct piece *p, const struct tally_end *end)
{
	uint64_t attempts = attempts_of(p);
	bool ok = is_ok(p);
	/* Whether it will succeed is not known while it may go on. */
	bool known = ok || has_given_up(p, end) || end->end != JUDGE_END_SO_FAR;
	bool refused = !ok && p->v[p->n - 1].outcome == OUTCOME_REFUSED && !was_faulted(p);

	count_attempts(t, p, attempts);
	count_window(&t->any, p, attempts, ok, known && !ok && !refused);
	count_window(&t->during, p, attempts, ok, known && !ok && !refused);
	count_bins(t, p);
	count_unsafe(t, p);
	count_repeats(t, p);
	count_hedges(t, p);
	count_connections(t, p);
	if (!ok)
		count_end(t, p, attempts, end);
	if (known)
		count_yield(t, p, ok);
	tally_waits(t, p);
}
