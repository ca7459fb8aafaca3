/*
 * redirects: see the header. Of each place those redirects are kept that nobody has followed yet, the oldest first.
 */
#include "rehearsal/redirects.h"

#include <stdio.h>

#define PLACES_MAX 1024
#define WAITING_MAX 8
#define AT_ONCE_NS (100 * NS_PER_MS) /* who follows so soon has not looked at the wait */
#define AT_ONCE_MIN 3 /* times, by a client of many requests at a time: once may be the request of another part of it */

/* A redirect that nobody has followed yet. */
struct waiting {
	int64_t since_ns; /* when the client could know */
	int64_t told_ns;
	uint64_t id;
	uint16_t source;
};

/* Where some client was sent with a wait. */
struct place {
	struct lru_node node;
	struct waiting waiting[WAITING_MAX];
	uint8_t n_waiting;
	bool alone; /* somebody came without being sent */
	bool crowded;
	uint32_t kept, at_once, early; /* followed; at once: of the early ones */
	/* The first of those at once. */
	struct waiting told;
	uint64_t came_id;
	int64_t came_ns;
	uint16_t came_source;
	char request_text[JUDGE_REQUEST_BYTES];
	char client_text[JUDGE_CLIENT_BYTES];
};

void redirects_init(struct lru *places)
{
	lru_init(places, sizeof(struct place), PLACES_MAX);
}

static struct place *find(struct lru *places, uint64_t where)
{
	return (struct place *)lru_find(places, lru_hash(0, where), 0, where);
}

static struct place *find_or_add(struct lru *places, uint64_t where)
{
	struct place *p = find(places, where);
	struct lru_node node;
	bool evicted;

	if (p)
		return p;
	p = (struct place *)lru_add(places, lru_hash(0, where), 0, where, &evicted);
	if (!p)
		return NULL;
	node = p->node;
	*p = (struct place){ .node = node };
	return p;
}

static void note_told(struct lru *places, const struct tally *t, const struct event *e)
{
	struct place *p = find_or_add(places, e->redirect);

	if (!p)
		return;
	if (p->n_waiting == WAITING_MAX) {
		p->alone = true; /* who follows which cannot be told any more */
		return;
	}
	p->waiting[p->n_waiting++] = (struct waiting){ .since_ns = event_known_ns(e), .told_ns = tally_owed_ns(t, e->wait_ns),
		.id = e->id, .source = e->source };
}

static void note_at_once(struct place *p, const struct waiting *told, const struct event *e)
{
	if (p->at_once++)
		return;
	p->told = *told;
	p->came_id = e->id;
	p->came_ns = e->first_ns;
	p->came_source = e->source;
	memcpy(p->request_text, e->request_text, sizeof(p->request_text));
	memcpy(p->client_text, e->client_text, sizeof(p->client_text));
}

static void note_came(struct place *p, const struct tally *t, const struct event *e, bool crowded)
{
	struct waiting told = p->waiting[0];
	int64_t gap_ns = e->first_ns - told.since_ns;

	p->crowded = p->crowded || crowded;
	if (p->n_waiting == 0 || gap_ns < 0) {
		p->alone = true;
		return;
	}
	p->n_waiting--;
	memmove(&p->waiting[0], &p->waiting[1], p->n_waiting * sizeof(told));
	if (gap_ns + tally_tolerance_ns(t, told.told_ns) >= told.told_ns) {
		p->kept++;
		return;
	}
	p->early++;
	if (gap_ns < AT_ONCE_NS)
		note_at_once(p, &told, e);
}

void redirects_note(struct lru *places, const struct tally *t, const struct event *e, bool crowded)
{
	struct place *p = places->n ? find(places, e->place) : NULL;

	if (p)
		note_came(p, t, e, crowded);
	if (e->redirect && e->wait_ns > 0)
		note_told(places, t, e);
}

static void accuse(struct tally *t, const struct place *p)
{
	const struct attempt told = { .id = p->told.id, .source = p->told.source, .end_ns = p->told.since_ns };
	const struct attempt came = { .id = p->came_id, .source = p->came_source, .first_ns = p->came_ns };
	char what[EVIDENCE_TEXT_BYTES];

	(void)snprintf(what, sizeof(what), "followed a redirect after %.3f s instead of %.3f s",
		(double)(p->came_ns - p->told.since_ns) / 1e9, (double)p->told.told_ns / 1e9);
	tally_evidence(t, CHECK_HANDLING, (double)p->told.told_ns / 1e9, &told, &came, p->request_text, p->client_text, what);
}

void redirects_tally(const struct lru *places, struct tally *t)
{
	for (uint32_t i = 0; i < places->n; i++) {
		const struct place *p = (const struct place *)lru_at(places, i);
		bool certain = !p->alone && p->at_once >= (p->crowded ? AT_ONCE_MIN : 1u);
		uint32_t bad = certain ? p->at_once : 0;

		t->handling.n += p->kept + bad;
		t->handling.bad += bad;
		if (p->kept + bad)
			t->handling.how = MAX(t->handling.how, CONFIDENCE_FINGERPRINT);
		t->maybe_followed_early += p->early - bad;
		if (bad)
			accuse(t, p);
	}
}
