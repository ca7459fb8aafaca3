/*
 * told: see the header.
 */
#include "rehearsal/told.h"

#include <stdio.h>

/*
 * Sent by somebody who could have read it. What comes on another connection may have been on its way while the answer was: nobody
 * but the noise floor knows how long that way is. On the same connection the next request comes after the answer was read.
 */
static bool could_know(const struct tally *t, const struct stay_away *told, const struct event *e)
{
	bool other = !e->connection || e->connection != told->connection;

	return e->first_ns > told->since_ns + (other ? t->noise_floor_ns : 0);
}

static void came_early(struct tally *t, const struct stay_away *w, const struct event *e)
{
	const struct attempt told = { .id = w->id, .source = w->source, .end_ns = w->since_ns };
	const struct attempt came = { .id = e->id, .source = e->source, .first_ns = e->first_ns };
	int64_t by_ns = w->until_ns - e->first_ns;
	char what[EVIDENCE_TEXT_BYTES];

	(void)snprintf(what, sizeof(what), "%.2f s before %.2f s were over", (double)by_ns / 1e9, (double)w->told_ns / 1e9);
	samples_add(&t->early_by, (double)by_ns / 1e9);
	tally_evidence(t, CHECK_RETRY_AFTER, (double)by_ns, &told, &came, e->request_text, e->client_text, what);
}

/* What the client was told about a whole path, host or quota, and whether it keeps to it. */
static void note_waits(struct clients *c, struct tally *t, const struct event *e)
{
	bool by_path = t->expect.retry_after_scope == EXPECT_SCOPE_PATH;
	uint64_t where = by_path ? e->path : e->host;
	/* That of a redirect is about the place where it points to alone. */
	int64_t wait_ns = event_is_redirect(e) ? -1 : tally_owed_ns(t, e->wait_ns);
	struct stay_away *w = clients_find_wait(&c->waits, where);

	if (w && !could_know(t, w, e))
		w = NULL;
	if (w && e->first_ns < w->until_ns)
		t->pressure++;
	if (w && t->expect.retry_after_scope != EXPECT_SCOPE_CHAIN && (!w->followed || e->first_ns < w->until_ns)) {
		w->followed = true;
		tally_count(&t->early, e->first_ns < w->until_ns, CONFIDENCE_NONE);
		if (e->first_ns < w->until_ns)
			came_early(t, w, e);
	}
	if (wait_ns > 0)
		t->forgotten.places += clients_set_wait(&c->waits, where, e, wait_ns,
			event_known_ns(e) + wait_ns - tally_tolerance_ns(t, wait_ns));
}

static void came_within_quota(struct tally *t, const struct stay_away *q, const struct event *e)
{
	const struct attempt told = { .id = q->id, .source = q->source, .end_ns = q->since_ns };
	const struct attempt came = { .id = e->id, .source = e->source, .first_ns = e->first_ns };

	t->quota.bad++;
	tally_evidence(t, CHECK_QUOTA, (double)(q->until_ns - e->first_ns), &told, &came, e->request_text, e->client_text,
		"while the quota is used up");
}

static void note_quota(struct clients *c, struct tally *t, const struct event *e)
{
	const struct stay_away *q = clients_find_wait(&c->quotas, e->host);

	if (q && could_know(t, q, e) && e->first_ns < q->until_ns)
		came_within_quota(t, q, e);
	if (e->quota_ns < 0)
		return;
	t->quota.n++;
	t->forgotten.quotas += clients_set_wait(&c->quotas, e->host, e, e->quota_ns,
		event_known_ns(e) + e->quota_ns - tally_tolerance_ns(t, e->quota_ns));
}

void told_note(struct clients *c, struct tally *t, const struct event *e)
{
	if (c->waits.n || e->wait_ns >= 0)
		note_waits(c, t, e);
	if (c->quotas.n || e->quota_ns >= 0)
		note_quota(c, t, e);
}
