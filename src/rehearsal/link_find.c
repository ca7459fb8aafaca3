/*
 * link_find: strongest evidence first. Lists are looked through for a bounded number of places.
 */
#include "rehearsal/link_find.h"

#include "core/random.h"

#define LOOKS 64
#define SIBLING_NS (50 * NS_PER_MS)
#define NOTICED_LATE_NS (50 * NS_PER_MS) /* that a client left may be seen so long after it sent its next request */
#define CUT_NS (100 * NS_PER_US)
#define CANCELLED_NS (100 * NS_PER_MS) /* the copy that lost is cancelled so soon after the answer to the other */

uint64_t link_soft_id(const struct event *e)
{
	return random_word(0, e->maybe_id, e->loose, 0, 0);
}

/* True where the key has come before with another body, which no client should do. */
static bool find_by_key(struct linker *l, struct tally *t, const struct event *e, struct found *found)
{
	uint32_t i = chains_find_id(&l->chains, e->idempotency_key);
	const struct chain *c;
	bool other_body;

	if (i == CHAIN_NONE)
		return false;
	c = &l->chains.v[i];
	other_body = c->body_hash && e->body_hash && c->body_hash != e->body_hash;
	tally_count(&t->keys_used, other_body, CONFIDENCE_ID);
	if (other_body) {
		struct attempt again = { .id = e->id, .source = e->source, .first_ns = e->first_ns };

		tally_evidence(t, CHECK_IDEMPOTENCY_KEY, 1, chain_last(c), &again, e->request_text, e->client_text,
			"the same key with another body");
		return true;
	}
	*found = (struct found){ .chain = i, .how = CONFIDENCE_ID };
	return true;
}

/* The client knew how it went when it sent the other. Times are cut to microseconds; that it left is seen a little late. */
bool link_was_known(const struct attempt *a, const struct event *e)
{
	return a->known_ns <= e->first_ns + (a->flags & EVENT_LEFT ? NOTICED_LATE_NS : CUT_NS);
}

/* Of those whose next attempt this may be by its number, the one that was free to come back first. */
static uint32_t find_by_ordinal(const struct chains *s, const struct kind *kind, const struct event *e)
{
	uint32_t i = kind->open_first;

	for (unsigned looks = 0; i != CHAIN_NONE && looks < LOOKS; looks++, i = s->v[i].next) {
		const struct chain *c = &s->v[i];

		if (chain_count(c) + 1 == e->attempt && link_was_known(chain_last(c), e))
			return i;
	}
	/* It went well, and is repeated all the same? */
	i = kind->closed;
	if (i != CHAIN_NONE && s->v[i].generation == kind->closed_generation && chain_count(&s->v[i]) + 1 == e->attempt)
		return i;
	return CHAIN_NONE;
}

static uint64_t connection_bit(uint64_t connection)
{
	return UINT64_C(1) << connection / ARRAY_LEN(((struct kind *)NULL)->connections) % 64;
}

static bool has_seen(const struct kind *kind, uint64_t connection)
{
	return kind->connections[connection % ARRAY_LEN(kind->connections)] & connection_bit(connection);
}

void link_note_connection(struct kind *kind, uint64_t connection)
{
	kind->connections[connection % ARRAY_LEN(kind->connections)] |= connection_bit(connection);
}

/*
 * Comes as soon as one of many workers would that has not heard of the failure yet, and on another connection though the old one
 * can be used; or in one go with the one that failed, on a connection of its own. Where there is no old one to be used it is
 * taken for a retry as long as there is one worker only.
 */
static bool is_sibling(const struct kind *kind, const struct attempt *failed, const struct event *e)
{
	bool keeps = failed->flags & EVENT_KEEPS;

	if (e->connection && e->connection == failed->connection)
		return false;
	if (e->first_ns - failed->end_ns < SIBLING_NS)
		return kind->parallel || keeps;
	return kind->parallel && keeps && failed->first_ns >= kind->burst_ns && e->connection && !has_seen(kind, e->connection);
}

static bool may_follow(const struct chain *c, const struct event *e)
{
	if (c->expires_ns < e->first_ns || c->has_ordinals || !link_was_known(chain_last(c), e))
		return false;
	return !c->body_hash || !e->body_hash || c->body_hash == e->body_hash;
}

/*
 * A failure that the client knew of when it began, the one that was free to be followed up first. Of several workers
 * with the same request one that comes before any told wait is over may as well be one that was told nothing.
 */
static struct found find_by_print(const struct chains *s, struct kind *kind, struct tally *t, const struct event *e)
{
	struct found none = { .chain = CHAIN_NONE };
	uint32_t i = kind->open_first;

	for (unsigned looks = 0; i != CHAIN_NONE && looks < LOOKS; looks++, i = s->v[i].next) {
		const struct chain *c = &s->v[i];
		const struct attempt *last = chain_last(c);

		if (!may_follow(c, e))
			continue;
		if (is_sibling(kind, last, e)) {
			kind->parallel = true;
			/* On a connection of old it may as well be a retry that waits for nothing. */
			t->ambiguous += has_seen(kind, e->connection);
			return none;
		}
		if (kind->parallel && c->due_ns > e->first_ns) {
			t->maybe_early++;
			return none;
		}
		return (struct found){ .chain = i, .how = CONFIDENCE_FINGERPRINT, .unsure = kind->unordered };
	}
	return none;
}

/* The same, where the body of one of the two is not known, as it was answered before it was read. */
static struct found find_failure(struct chains *s, struct kind *kind, struct tally *t, const struct event *e)
{
	struct found found = find_by_print(s, kind, t, e);
	struct kind *loose;

	if (found.chain != CHAIN_NONE)
		return found;
	if (e->kind != e->loose) {
		loose = chains_find_kind(s, e->loose);
		return loose ? find_by_print(s, loose, t, e) : found;
	}
	if (kind->embodied != CHAIN_NONE && s->v[kind->embodied].generation == kind->embodied_generation &&
		s->v[kind->embodied].open && may_follow(&s->v[kind->embodied], e))
		found = (struct found){ .chain = kind->embodied, .how = CONFIDENCE_FINGERPRINT };
	return found;
}

/*
 * Exchanges come in the order of their ends. One that came before another and ended after it finds the failure taken that it
 * may have followed: that it seems to be early is then no fault of its own.
 */
bool link_was_robbed(const struct kind *kind, const struct event *e)
{
	unsigned n = MIN(kind->n_taken, KIND_TAKEN);

	for (unsigned i = 0; i < n; i++) {
		if (kind->taken[i].first_ns > e->first_ns && kind->taken[i].due_ns <= e->first_ns)
			return true;
	}
	return kind->taken_before_ns > e->first_ns;
}

void link_note_taken(struct kind *kind, const struct chain *c, const struct event *e)
{
	unsigned i = kind->n_taken % KIND_TAKEN;

	if (kind->n_taken++ >= KIND_TAKEN)
		kind->taken_before_ns = MAX(kind->taken_before_ns, kind->taken[i].first_ns);
	kind->taken[i].due_ns = c->due_ns;
	kind->taken[i].first_ns = e->first_ns;
}

static bool overlap(const struct attempt *a, const struct event *e)
{
	return a->first_ns < e->end_ns && e->first_ns < a->end_ns;
}

/* Two copies at a time, of which one was left as soon as the other was answered: nothing else looks like that. */
bool link_is_cancelled_copy(const struct attempt *a, const struct event *e)
{
	bool e_lost = (e->flags & EVENT_LEFT) && a->outcome == OUTCOME_OK;
	bool a_lost = (a->flags & EVENT_LEFT) && e->outcome == OUTCOME_OK;
	int64_t after_ns = e_lost ? e->end_ns - a->known_ns : a->end_ns - event_known_ns(e);

	return (e_lost || a_lost) && overlap(a, e) && after_ns >= 0 && after_ns <= CANCELLED_NS;
}

static uint32_t find_hedge(const struct chains *s, const struct kind *kind, const struct event *e)
{
	uint32_t i = kind->closed;

	if (i != CHAIN_NONE && s->v[i].generation == kind->closed_generation && link_is_cancelled_copy(chain_last(&s->v[i]), e))
		return i;
	i = kind->open_last;
	for (unsigned looks = 0; i != CHAIN_NONE && looks < LOOKS; looks++, i = s->v[i].before) {
		if (link_is_cancelled_copy(chain_last(&s->v[i]), e))
			return i;
	}
	return CHAIN_NONE;
}

struct found link_find(struct linker *l, struct tally *t, struct kind *kind, const struct client_row *client,
	const struct event *e)
{
	struct found none = { .chain = CHAIN_NONE }, found = none;

	if (e->logical_id) {
		found = (struct found){ .chain = chains_find_id(&l->chains, e->logical_id), .how = CONFIDENCE_ID };
		return found;
	}
	if (e->idempotency_key && find_by_key(l, t, e, &found))
		return found;
	if (e->maybe_id) {
		/* Some clients send one such id for everything: it says something only where there is a reason to come back. */
		found = (struct found){ .chain = chains_find_id(&l->chains, link_soft_id(e)), .how = CONFIDENCE_ID };
		if (found.chain != CHAIN_NONE && !l->chains.v[found.chain].ok)
			return found;
	}
	if (e->attempt == 1)
		return none;
	if (e->attempt > 1)
		return (struct found){ .chain = find_by_ordinal(&l->chains, kind, e), .how = CONFIDENCE_ORDINAL };
	found = (struct found){ .chain = find_hedge(&l->chains, kind, e), .how = CONFIDENCE_FINGERPRINT };
	if (found.chain != CHAIN_NONE)
		return found;
	/* Who sends the same key again when it means the same request means another one by another key. */
	if (e->idempotency_key && client && client->keeps_keys)
		return none;
	return find_failure(&l->chains, kind, t, e);
}
