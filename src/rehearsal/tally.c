/*
 * tally: exchanges by themselves, evidence, and the cutting of chains that may be none.
 */
#include "rehearsal/tally.h"

#include <stdio.h>

/* Two clocks that are both in order differ by no more: the largest slew of a disciplined one, 500 ppm. */
#define DRIFT 2000
#define BURST 5
#define BURST_GAP_NS (50 * NS_PER_MS)
#define NOISE_FLOOR_NS (50 * NS_PER_MS)
#define ANSWERED_LATE_NS NS_PER_S /* an exchange shorter than this says nothing about a client's patience */

static void init_window(struct tally_window *w)
{
	*w = (struct tally_window){ .first_ns = INT64_MAX, .last_ns = INT64_MIN };
}

static int32_t rule_of_name(const struct judge_options *options, struct span name)
{
	if (name.n == 0)
		return -1;
	for (unsigned i = 0; i < options->n_rules; i++) {
		if (span_eq(options->rules[i].name, name))
			return (int32_t)i;
	}
	return -2;
}

void tally_init(struct tally *t, const struct judge_options *options)
{
	memset(t, 0, sizeof(*t));
	if (options->expect)
		t->expect = *options->expect;
	else
		expect_init(&t->expect, EXPECT_PROFILE_RECOMMENDED);
	t->noise_floor_ns = options->noise_floor_ns ? options->noise_floor_ns : NOISE_FLOOR_NS;
	t->begin_ns = INT64_MAX;
	t->during_rule = rule_of_name(options, t->expect.amplification_during);
	t->waves.min_wave = t->expect.herd_min_wave;
	init_window(&t->any);
	init_window(&t->during);
}

int64_t tally_owed_ns(const struct tally *t, int64_t told_ns)
{
	return t->expect.retry_after_max_wait_ns ? MIN(told_ns, t->expect.retry_after_max_wait_ns) : told_ns;
}

int64_t tally_tolerance_ns(const struct tally *t, int64_t wait_ns)
{
	return t->expect.retry_after_tolerance_ns + wait_ns / DRIFT;
}

void tally_count(struct tally_count *c, bool bad, unsigned how)
{
	c->n++;
	c->bad += bad;
	c->how = (uint8_t)MAX(c->how, how);
}

/* ---- exchanges --------------------------------------------------------------------------------------------------- */

/* What has come since the last fault is within the window now that there is another. */
static void extend_window(struct tally_window *w, const struct event *e)
{
	w->first_ns = MIN(w->first_ns, e->first_ns);
	w->last_ns = MAX(w->last_ns, e->end_ns);
	w->in.chains += w->since.chains;
	w->in.attempts += w->since.attempts;
	w->in.ok += w->since.ok;
	w->in.failed += w->since.failed;
	w->since = (struct tally_window_sum){ 0 };
}

static void note_left(struct tally *t, const struct event *e, int64_t waited_ns)
{
	const struct attempt a = { .id = e->id, .source = e->source, .first_ns = e->first_ns };
	bool below = e->delay_ns > waited_ns;

	samples_add(&t->left_after, (double)waited_ns / 1e9);
	tally_count(&t->timeouts, below, CONFIDENCE_NONE);
	tally_evidence(t, CHECK_CLIENT_TIMEOUT, below ? 1 : 0, &a, NULL, e->request_text, e->client_text,
		below ? "left before the answer that it was to get" : "left");
}

/* A client that leaves shows its own timeout; one that stays for long shows that it is longer, or that there is none. */
static void note_patience(struct tally *t, const struct event *e)
{
	int64_t from_ns = e->last_ns ? e->last_ns : e->first_ns;
	int64_t waited_ns = event_known_ns(e) - from_ns;

	if (e->deadline_ns)
		samples_add(&t->declared, (double)e->deadline_ns / 1e9);
	if (e->flags & EVENT_FAULTED)
		t->gateway_ns = MAX(t->gateway_ns, e->delay_ns);
	if ((e->flags & EVENT_LEFT) && !e->hdr_ns) {
		note_left(t, e, waited_ns);
		return;
	}
	t->waited_longest_ns = MAX(t->waited_longest_ns, waited_ns);
	if (waited_ns >= ANSWERED_LATE_NS)
		tally_count(&t->timeouts, false, CONFIDENCE_NONE);
}

void tally_exchange(struct tally *t, const struct event *e)
{
	bool faulted = e->flags & EVENT_FAULTED;
	struct bin *bin;

	t->requests++;
	t->begin_ns = MIN(t->begin_ns, e->first_ns);
	t->last_ns = MAX(t->last_ns, e->end_ns);
	t->declared_max = MAX(t->declared_max, e->attempt_max);
	bin = bins_of(&t->bins, e->first_ns);
	bin->v[BIN_ARRIVALS]++;
	bin->v[e->outcome == OUTCOME_FAILED ? BIN_FAILED : BIN_OK]++;
	bin->connections = MAX(bin->connections, e->connections);
	if (faulted)
		t->recovered_ns = 0;
	else if (e->outcome == OUTCOME_OK && !t->recovered_ns)
		t->recovered_ns = e->end_ns;
	if (faulted) {
		t->faults++;
		bin->v[BIN_FAULTED]++;
		extend_window(&t->any, e);
		if (t->during_rule == -1 || e->rule == t->during_rule)
			extend_window(&t->during, e);
	}
	note_patience(t, e);
	t->closed.n += (e->flags & EVENT_CLOSES) != 0;
}

/*
 * A client that sends requests ahead of their answers may have sent it before it could read the last one: how long the way
 * between it and brownout is, only the noise floor tells.
 */
void tally_after_close(struct tally *t, const struct event *e)
{
	struct attempt came = { .id = e->id, .source = e->source, .first_ns = e->first_ns };
	char what[EVIDENCE_TEXT_BYTES];

	if (e->after_close_ns <= t->noise_floor_ns)
		return;
	t->closed.bad++;
	(void)snprintf(what, sizeof(what), "%.3f s after the answer that closes the connection",
		(double)e->after_close_ns / 1e9);
	tally_evidence(t, CHECK_CONNECTIONS, (double)e->after_close_ns, &came, NULL, e->request_text, e->client_text, what);
}

/* ---- evidence ---------------------------------------------------------------------------------------------------- */

static bool is_heavier(const struct tally_evidence *a, const struct tally_evidence *b)
{
	if (a->weight < b->weight || a->weight > b->weight)
		return a->weight > b->weight;
	return a->e.at_ns != b->e.at_ns ? a->e.at_ns < b->e.at_ns : a->e.id < b->e.id;
}

static void copy_text(char *to, size_t cap, const char *from)
{
	size_t n = MIN(strlen(from), cap - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

void tally_evidence(struct tally *t, enum check_id check, double weight, const struct attempt *first,
	const struct attempt *second, const char *request, const char *client, const char *what)
{
	struct tally_evidence *v = t->evidence[check];
	uint64_t kept = MIN(t->evidence_total[check], (uint64_t)EVIDENCE_MAX);
	struct tally_evidence new = { .weight = weight, .e = { .id = first->id, .source = first->source } };
	uint64_t i = kept;

	t->evidence_total[check]++;
	new.e.at_ns = second ? first->end_ns : first->first_ns;
	if (second) {
		new.e.next_id = second->id;
		new.e.next_at_ns = second->first_ns;
	}
	while (i > 0 && is_heavier(&new, &v[i - 1]))
		i--;
	if (i == EVIDENCE_MAX)
		return;
	memmove(&v[i + 1], &v[i], (size_t)(MIN(kept, (uint64_t)EVIDENCE_MAX - 1) - i) * sizeof(*v));
	copy_text(new.e.request, sizeof(new.e.request), request);
	copy_text(new.e.client, sizeof(new.e.client), client);
	copy_text(new.e.what, sizeof(new.e.what), what);
	v[i] = new;
}

/* ---- chains ------------------------------------------------------------------------------------------------------ */

/*
 * Linked by nothing but its fingerprint, and so late that the client's next request of the kind is as likely; or so soon, where
 * there are several workers, that it may be the next one's.
 */
static bool is_doubtful(const struct attempt *a, int64_t gap_ns, int64_t horizon_ns, const struct kind *kind)
{
	if (a->how != CONFIDENCE_FINGERPRINT || a->flags & ATTEMPT_HEDGE)
		return false;
	return gap_ns >= horizon_ns || (kind->parallel && gap_ns < BURST_GAP_NS);
}

static void give_up_link(struct tally *t, uint64_t n, bool rhythm)
{
	if (rhythm)
		t->pollers += n;
	else
		t->ambiguous += n;
}

/* Attempts that were not kept, each a request of its own: nothing more is known of them. */
static void count_alone(struct tally *t, uint64_t n, int64_t about_ns)
{
	t->logical += n;
	t->attempts[1] += n;
	bins_add(&t->bins, about_ns, BIN_FIRSTS, (uint32_t)n);
}

/*
 * Many at once, each right after the failure of another and each on a connection of its own: no client retries so often without
 * a pause, but many workers look like it where every connection breaks.
 */
static bool is_burst(const struct chain *c)
{
	unsigned n = 0;

	for (unsigned i = 1; i < c->n; i++) {
		const struct attempt *a = &c->v[i];

		if (a->how != CONFIDENCE_FINGERPRINT || a->flags & (ATTEMPT_HEDGE | ATTEMPT_SAME_CONNECTION))
			continue;
		n += a->gap_ns < BURST_GAP_NS;
	}
	return n > BURST;
}

void tally_chain(struct tally *t, const struct chain *c, const struct kind *kind, const struct tally_end *end)
{
	bool alone = c->n == 1; /* nothing to doubt */
	int64_t horizon_ns = alone ? 0 : contrast_horizon_ns(&kind->contrast);
	bool rhythm = !alone && contrast_is_rhythm(&kind->contrast);
	const struct attempt *last = &c->v[c->n - 1];
	bool cut_lost;
	struct piece p = { .v = c->v, .n = 1, .chain = c, .kind = kind };

	if (is_burst(c))
		horizon_ns = 0;
	cut_lost = c->n_lost && is_doubtful(last, c->lost_gap_ns, horizon_ns, kind);

	for (unsigned i = 1; i < c->n; i++) {
		const struct attempt *a = &c->v[i];

		if (is_doubtful(a, a->gap_ns, horizon_ns, kind) || (cut_lost && a == last)) {
			give_up_link(t, 1, rhythm);
			tally_piece(t, &p, end);
			p = (struct piece){ .v = a, .n = 1, .chain = c, .kind = kind };
			continue;
		}
		if (!(a->flags & ATTEMPT_HEDGE) && a->how == CONFIDENCE_FINGERPRINT)
			t->linked_by_print++;
		p.how = MAX(p.how, a->how);
		p.n++;
	}
	if (cut_lost) {
		give_up_link(t, c->n_lost, rhythm);
		count_alone(t, c->n_lost, last->first_ns);
	}
	p.whole = !cut_lost;
	p.ends_chain = true;
	tally_piece(t, &p, end);
}

void tally_forget(struct tally *t, const struct chain *c, int64_t now_ns)
{
	struct tally_forgotten *f = &t->forgotten;
	bool unsafe = c->v[0].flags & EVENT_UNSAFE, executed = c->n_executed;

	for (unsigned i = 0; i < c->n; i++)
		executed = executed || c->v[i].flags & EVENT_EXECUTED;
	t->evicted++;
	f->any++;
	f->executed += unsafe && executed;
	if (!c->open)
		return;
	f->failed++;
	f->told += chain_last(c)->wait_ns > 0 && c->due_ns > now_ns;
	f->unsafe += unsafe;
}

void tally_lose(struct tally *t)
{
	struct tally_forgotten *f = &t->forgotten;

	t->evicted++;
	f->any++;
	f->failed++;
	f->told++;
	f->unsafe++;
	f->executed++;
	f->places++;
	f->quotas++;
}
