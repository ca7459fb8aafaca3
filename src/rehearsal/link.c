/*
 * link: every step costs the same however many chains there are: lists are looked through for a bounded number of places.
 */
#include "rehearsal/link_find.h"
#include "rehearsal/told.h"

#define MAX_CHAINS 65536u
#define UNTOLD_NS (30 * NS_PER_S) /* a follow-up that nobody told to wait comes within twice of this */
#define AFTER_SUCCESS_NS (2 * NS_PER_S) /* a chain that went well is kept so long, to see whether it is repeated all the same */
#define AFTER_REFUSAL_NS (10 * NS_PER_S)
#define LEARNT 20 /* requests that went well */
#define LEARNING_NS (120 * NS_PER_S)
#define DROPS_PER_ADD 2
#define BURST_NS (50 * NS_PER_MS)
#define REDIRECT_NS (100 * NS_PER_MS) /* a redirect is followed so soon */
#define TOKENS_RETRY 5
#define TOKENS_AFTER_TIMEOUT 10

void linker_init(struct linker *l, const struct judge_options *options)
{
	*l = (struct linker){ .link_ns = options->link_ns };
	chains_init(&l->chains, options->max_chains ? options->max_chains : MAX_CHAINS);
	clients_init(&l->clients);
	redirects_init(&l->redirects);
}

void linker_deinit(struct linker *l)
{
	chains_deinit(&l->chains);
	clients_deinit(&l->clients);
	lru_deinit(&l->redirects);
}

/* ---- chains that are over ---------------------------------------------------------------------------------------- */

static void settle(struct linker *l, struct tally *t, uint32_t chain, int64_t now_ns, bool forgotten)
{
	const struct chain *c = &l->chains.v[chain];
	struct tally_end end = { .over = now_ns > c->expires_ns, .forgotten = forgotten, .at_ns = now_ns };

	tally_chain(t, c, chains_kind_at(&l->chains, c->kind), &end);
	chains_drop(&l->chains, chain);
}

/* Whether what only the fingerprint has linked belongs together shows once more is known of requests of its kind. */
static bool is_worth_keeping(const struct linker *l, const struct chain *c, int64_t now_ns)
{
	const struct kind *kind = chains_kind_at(&l->chains, c->kind);

	return c->n > 1 && c->v[c->n - 1].how == CONFIDENCE_FINGERPRINT && kind->contrast.side[0].n < LEARNT &&
	       now_ns < c->expires_ns + LEARNING_NS;
}

/* The few that ended longest ago: those whose time is over go, the others are looked at again after all others. */
static void expire(struct linker *l, struct tally *t, int64_t now_ns)
{
	for (unsigned i = 0; i < DROPS_PER_ADD && l->chains.oldest != CHAIN_NONE; i++) {
		uint32_t oldest = l->chains.oldest;

		if (l->chains.v[oldest].expires_ns < now_ns && !is_worth_keeping(l, &l->chains.v[oldest], now_ns))
			settle(l, t, oldest, now_ns, false);
		else if (oldest != l->chains.newest)
			chains_touch(&l->chains, oldest);
		else
			return; /* there is no other */
	}
}

static void evict(struct linker *l, struct tally *t, int64_t now_ns)
{
	const struct chain *c = &l->chains.v[l->chains.oldest];
	bool early = c->expires_ns >= now_ns;

	if (early)
		tally_forget(t, c, now_ns);
	settle(l, t, l->chains.oldest, now_ns, early);
}

/* ---- what the attempt is ----------------------------------------------------------------------------------------- */

/* The same request would be answered the same (reference: M10). */
static bool is_final(const struct attempt *before, const struct event *e)
{
	switch (before->status) {
	case 401:
		return before->credentials == e->credentials;
	case 400: case 403: case 404: case 405: case 406: case 410: case 411: case 413: case 414: case 415: case 422: case 426:
	case 431: case 451: case 501: case 505:
		return before->outcome == OUTCOME_REFUSED;
	default:
		return before->outcome == OUTCOME_OK && before->status < 300;
	}
}

static bool is_mishandled(const struct attempt *before, const struct event *e)
{
	switch (before->status) {
	case 401: return before->credentials == e->credentials;
	case 417: return e->flags & EVENT_EXPECT;
	case 421: return e->connection && before->connection == e->connection;
	case 425: return e->flags & EVENT_EARLY_DATA;
	default: return false;
	}
}

/* Began while the one before was under way. One that the client left is over when it left, which is seen a little late. */
static bool is_hedge(const struct attempt *before, const struct event *e)
{
	return link_is_cancelled_copy(before, e) || !link_was_known(before, e);
}

static void describe(struct attempt *a, const struct attempt *before, const struct event *e)
{
	unsigned flags = a->flags;

	a->before_id = before->id;
	a->gap_ns = MAX(e->first_ns - before->end_ns, 0);
	a->told_gap_ns = MAX(e->first_ns - before->known_ns, 0);
	a->told_ns = before->wait_ns;
	if (is_hedge(before, e)) {
		a->flags = (uint16_t)(flags | ATTEMPT_HEDGE);
		return;
	}
	if (is_final(before, e))
		flags |= ATTEMPT_POINTLESS;
	if (is_mishandled(before, e))
		flags |= ATTEMPT_MISHANDLED;
	if (e->connection && e->connection == before->connection)
		flags |= ATTEMPT_SAME_CONNECTION;
	if (e->idempotency_key != before->key)
		flags |= ATTEMPT_REKEYED;
	a->flags = (uint16_t)flags;
}

static struct attempt attempt_of(const struct event *e, const struct found *found)
{
	return (struct attempt){
		.id = e->id,
		.key = e->idempotency_key,
		.connection = e->connection,
		.credentials = e->credentials,
		.first_ns = e->first_ns,
		.known_ns = event_known_ns(e),
		.end_ns = e->end_ns,
		.wait_ns = e->wait_ns,
		.told_ns = -1,
		.rule = e->rule,
		.source = e->source,
		.status = e->status,
		.flags = (uint16_t)(e->flags | (found->unsure ? ATTEMPT_UNSURE : 0)),
		.outcome = e->outcome,
		.how = found->how,
		.hint = e->hint,
	};
}

static void append(struct chain *c, const struct tally *t, const struct event *e, const struct found *found)
{
	struct attempt a = attempt_of(e, found);

	if (c->n)
		describe(&a, chain_last(c), e);
	if (c->n == CHAIN_ATTEMPTS) {
		const struct attempt *lost = chain_last(c);

		c->lost_gap_ns = c->n_lost ? MIN(c->lost_gap_ns, lost->gap_ns) : lost->gap_ns;
		if (lost->flags & EVENT_EXECUTED) {
			c->executed[c->n_executed ? 1 : 0] = *lost;
			c->n_executed = c->n_executed ? 2 : 1;
		}
		tally_lose_wait(t, c, lost);
		c->n_lost++;
		c->n--;
	}
	c->v[c->n++] = a;
	c->plain = c->n == 1 && e->plain;
	c->ok = c->ok || e->outcome == OUTCOME_OK;
	c->n_failed += e->outcome != OUTCOME_OK;
	c->has_ordinals = c->has_ordinals || e->attempt;
	if (!c->body_hash)
		c->body_hash = e->body_hash;
}

/* ---- what follows from it ---------------------------------------------------------------------------------------- */

static int64_t window_ns(const struct linker *l, const struct chain *c, const struct event *e)
{
	if (c->ok)
		return AFTER_SUCCESS_NS;
	if (e->outcome == OUTCOME_REFUSED)
		return AFTER_REFUSAL_NS;
	if (l->link_ns)
		return l->link_ns + MAX(e->wait_ns, 0);
	return 2 * MAX(e->wait_ns, UNTOLD_NS);
}

static void set_ids(struct linker *l, struct tally *t, const struct event *e, uint32_t chain)
{
	bool lost = false;

	if (!e->logical_id && !e->idempotency_key && !e->maybe_id)
		return;
	l->chains.v[chain].has_id = true;
	if (e->logical_id)
		lost |= chains_set_id(&l->chains, e->logical_id, chain);
	if (e->idempotency_key)
		lost |= chains_set_id(&l->chains, e->idempotency_key, chain);
	if (e->maybe_id)
		lost |= chains_set_id(&l->chains, link_soft_id(e), chain);
	if (lost)
		tally_lose(t);
}

/* The next attempt may be answered before its body was read. */
static void note_embodied(struct linker *l, uint32_t chain, const struct event *e)
{
	struct kind *loose = e->kind != e->loose ? chains_kind(&l->chains, e, e->loose) : NULL;

	if (!loose)
		return;
	loose->embodied = chain;
	loose->embodied_generation = l->chains.v[chain].generation;
}

/*
 * One that went well at once and has no id can be found as the last of its kind alone: when another takes that place it is over.
 * So what is remembered of a client that has nothing to retry stays small, however fast it is.
 */
static void settle_lost(struct linker *l, struct tally *t, const struct kind *kind, uint32_t next, int64_t now_ns)
{
	uint32_t i = kind->closed;
	const struct chain *c;

	if (i == CHAIN_NONE || i == next)
		return;
	c = &l->chains.v[i];
	if (c->generation == kind->closed_generation && c->ok && c->n == 1 && !c->has_id)
		settle(l, t, i, now_ns, false);
}

static void contrast(struct kind *kind, const struct event *e, bool known_retry)
{
	bool faulted = e->flags & EVENT_FAULTED;

	if (!known_retry)
		contrast_arrival(&kind->contrast, e->first_ns);
	if (faulted ? e->outcome != OUTCOME_OK : e->outcome == OUTCOME_OK)
		contrast_ended(&kind->contrast, e->end_ns, faulted);
}

/*
 * Most requests go well, as the one of their kind before them did, and nothing failed that they may follow. What all of the long
 * way would come to is then that the new one takes the place of the other. False where it has to be gone all the same.
 */
static bool replace_plain(struct linker *l, struct tally *t, struct kind *kind, const struct event *e)
{
	uint32_t i = kind->closed;
	struct chain *c;

	if (!e->plain || e->kind == e->loose || kind->open_first != CHAIN_NONE || l->chains.n_open_loose || i == CHAIN_NONE)
		return false;
	c = &l->chains.v[i];
	if (c->generation != kind->closed_generation || !c->plain)
		return false;
	contrast(kind, e, false);
	link_note_connection(kind, e->connection);
	tally_plain(t, &c->v[0]);
	c->v[0] = attempt_of(e, &(struct found){ .how = CONFIDENCE_NONE });
	c->due_ns = e->end_ns;
	c->expires_ns = e->end_ns + AFTER_SUCCESS_NS;
	chains_touch(&l->chains, i);
	return true;
}

/*
 * A chain that failed waits for its follow-up. One that was refused for good does so only where a rule made the refusal: that
 * something is asked for again which is not there is no sign of a retry.
 */
static void await(struct linker *l, struct tally *t, uint32_t chain, const struct event *e)
{
	struct chain *c = &l->chains.v[chain];
	struct kind *kind = chains_kind_at(&l->chains, c->kind);
	int64_t owed_ns = tally_owed_ns(t, e->wait_ns);
	bool follows = e->outcome == OUTCOME_FAILED || (e->outcome == OUTCOME_REFUSED && (e->flags & EVENT_FAULTED));

	chains_close(&l->chains, chain);
	c->expires_ns = e->end_ns + window_ns(l, c, e);
	c->due_ns = e->wait_ns >= 0 ? event_known_ns(e) + owed_ns - tally_tolerance_ns(t, owed_ns) : e->end_ns;
	if (follows && !c->ok) {
		chains_open(&l->chains, chain);
		note_embodied(l, chain, e);
		return;
	}
	settle_lost(l, t, kind, chain, e->end_ns);
	kind->closed = chain;
	kind->closed_generation = c->generation;
}

/*
 * Where a redirect points to is not known. A loop is what goes round at once between the same two places; a client that does not
 * follow, or that is sent elsewhere each time, gets as many.
 */
static void note_redirect(struct client_row *client, const struct event *e)
{
	bool at_once = e->first_ns - client->redirected_ns < REDIRECT_NS;
	bool back = e->kind == client->redirected[0] || e->kind == client->redirected[1];

	client->redirects = (uint16_t)(at_once && back && client->redirects < UINT16_MAX ? client->redirects + 1 : 1);
	client->redirected_ns = event_known_ns(e);
	if (e->kind == client->redirected[1])
		return;
	client->redirected[0] = client->redirected[1];
	client->redirected[1] = e->kind;
}

static void note_client(struct tally *t, struct client_row *client, const struct chain *c, const struct event *e)
{
	const struct attempt *a = chain_last(c);
	bool retry = chain_count(c) > 1 && !(a->flags & ATTEMPT_HEDGE);
	double cost = TOKENS_RETRY;

	if (retry && a->key && !(a->flags & ATTEMPT_REKEYED))
		client->keeps_keys = true;
	if (retry) {
		if (c->n > 1 && (c->v[c->n - 2].flags & EVENT_LEFT))
			cost = TOKENS_AFTER_TIMEOUT;
		tally_count(&t->tokens, client->tokens < cost, a->how);
		client->tokens = MAX(client->tokens - cost, 0);
	} else if (e->outcome == OUTCOME_OK) {
		client->tokens = MIN(client->tokens + 1, CLIENTS_TOKENS);
	}
	switch (e->status) {
	case 301: case 302: case 303: case 307: case 308:
		note_redirect(client, e);
		break;
	default:
		client->redirects = 0;
		return;
	}
	if (client->redirects == 21) {
		tally_count(&t->handling, true, CONFIDENCE_FINGERPRINT);
		tally_evidence(t, CHECK_HANDLING, 2, a, NULL, e->request_text, e->client_text, "more than 20 redirects in a row");
	}
}

/* ---- one exchange ------------------------------------------------------------------------------------------------ */

static struct kind *kind_of(struct linker *l, struct tally *t, const struct event *e)
{
	struct kind *kind = chains_kind(&l->chains, e, e->kind);

	while (!kind && l->chains.oldest != CHAIN_NONE) {
		evict(l, t, e->end_ns);
		kind = chains_kind(&l->chains, e, e->kind);
	}
	return kind;
}

static uint32_t begin(struct linker *l, struct tally *t, struct kind *kind, const struct event *e)
{
	uint32_t chain = chains_add(&l->chains, kind);

	while (chain == CHAIN_NONE && l->chains.oldest != CHAIN_NONE) {
		evict(l, t, e->end_ns);
		chain = chains_add(&l->chains, kind);
	}
	return chain;
}

/* Under way at a time with another of its kind, that the client has not left. What comes in one go is a burst. */
static void note_overlap(struct kind *kind, const struct event *e)
{
	if (e->first_ns - kind->latest_ns >= BURST_NS)
		kind->burst_ns = e->first_ns;
	kind->latest_ns = MAX(kind->latest_ns, e->first_ns);
	if (e->flags & EVENT_LEFT)
		return;
	kind->parallel = kind->parallel || e->first_ns < kind->known_ns;
	kind->known_ns = MAX(kind->known_ns, event_known_ns(e));
}

void linker_add(struct linker *l, struct tally *t, const struct event *e)
{
	struct client_row *client = clients_see(&l->clients, e);
	struct kind *kind;
	struct found found;
	uint32_t chain;

	if (e->after_close_ns) {
		tally_after_close(t, e);
		return;
	}
	expire(l, t, e->end_ns);
	tally_exchange(t, e);
	told_note(&l->clients, t, e);
	redirects_note(&l->redirects, t, e, client && client->crowded);
	kind = kind_of(l, t, e);
	if (!kind) {
		tally_lose(t);
		return;
	}
	note_overlap(kind, e);
	if (replace_plain(l, t, kind, e)) {
		if (client)
			note_client(t, client, &l->chains.v[kind->closed], e);
		return;
	}
	found = link_find(l, t, kind, client, e);
	chain = found.chain != CHAIN_NONE ? found.chain : begin(l, t, kind, e);
	if (chain == CHAIN_NONE) {
		tally_lose(t);
		return;
	}
	contrast(kind, e, found.chain != CHAIN_NONE && found.how < CONFIDENCE_FINGERPRINT);
	if (found.chain == CHAIN_NONE) {
		found.how = CONFIDENCE_NONE;
		kind->shuffled = kind->shuffled || e->attempt > 1;
	} else if (found.how > CONFIDENCE_ID) {
		kind->shuffled = kind->shuffled || link_was_robbed(kind, e);
		found.unsure = found.unsure || kind->shuffled;
		link_note_taken(kind, &l->chains.v[chain], e);
	}
	link_note_connection(kind, e->connection);
	chains_touch(&l->chains, chain);
	append(&l->chains.v[chain], t, e, &found);
	set_ids(l, t, e, chain);
	await(l, t, chain, e);
	if (client)
		note_client(t, client, &l->chains.v[chain], e);
}

void linker_tally_rest(const struct linker *l, struct tally *t, const struct tally_end *end)
{
	redirects_tally(&l->redirects, t);
	for (uint32_t i = l->chains.oldest; i != CHAIN_NONE; i = l->chains.v[i].newer) {
		const struct chain *c = &l->chains.v[i];
		struct tally_end mine = *end;

		mine.over = end->at_ns > c->expires_ns;
		tally_chain(t, c, chains_kind_at(&l->chains, c->kind), &mine);
	}
}
