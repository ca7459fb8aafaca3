/*
 * notice_repeat: most exchanges of a client that nobody disturbs are alike. A head that was read before is not taken apart again,
 * and one of which a judge is to know no more than of one before it leaves the collector a number and what differs
 * (observe/record.h).
 */
#include "proxy/notice.h"

#include "core/random.h"
#include "proxy/worker.h"

/* ---- heads ---- */

/* From the method to the end of the last field. Empty where it has none, or is too long to be remembered. */
static struct span head_of(const struct http_request *r)
{
	const struct http_field *last = r->fields.n ? &r->fields.v[r->fields.n - 1] : NULL;
	size_t n = last ? (size_t)(last->name.p - r->method.p) + last->name.n : 0;

	/* The value of an empty one may lie nowhere. */
	if (last && last->value.n)
		n = (size_t)(last->value.p - r->method.p) + last->value.n;

	return n >= sizeof(uint64_t) && n <= NOTICE_HEAD_BYTES ? span_of(r->method.p, n) : SPAN_EMPTY;
}

static uint64_t word_at(struct span s, size_t at)
{
	uint64_t word;

	memcpy(&word, s.p + at, sizeof(word));
	return word;
}

/* Targets stand in front, and what a client says of itself behind: both tell heads apart. */
static struct notice_head *place_of_head(struct worker *w, struct span head)
{
	uint64_t mix = word_at(head, 0) ^ word_at(head, head.n / 2) * 3 ^ word_at(head, head.n - sizeof(uint64_t)) * 5 ^ head.n;

	return &w->heads[(mix * UINT64_C(0x9e3779b97f4a7c15) >> 32) % NOTICE_HEADS];
}

bool notice_knows_head(struct client *c, const struct http_request *r)
{
	struct span head = head_of(r);
	const struct notice_head *known;
	struct notice *n = c->ex.notice;

	if (!head.n)
		return false;
	known = place_of_head(c->worker, head);
	if (known->n != head.n || known->generation != c->ex.generation->shared->number ||
		memcmp(known->bytes, head.p, head.n) != 0)
		return false;
	n->witness.fingerprint = known->fingerprint;
	n->witness.credentials = known->credentials;
	n->has_query = known->has_query;
	n->is_silent = true;
	return true;
}

/* It says of itself what is the same for all, or nothing. */
static bool is_silent(const struct witness *w)
{
	if (w->client_n || w->from_header || w->wants_process || w->expect || w->early_data || w->deadline_ns)
		return false;
	return !(w->logical_id | w->maybe_id | w->idempotency_key | w->attempt | w->attempt_max);
}

void notice_learn_head(struct client *c, const struct http_request *r)
{
	struct span head = head_of(r);
	struct notice *n = c->ex.notice;
	struct notice_head *known;

	n->is_silent = is_silent(&n->witness);
	if (!head.n || !n->is_silent)
		return;
	known = place_of_head(c->worker, head);
	known->generation = c->ex.generation->shared->number;
	known->fingerprint = n->witness.fingerprint;
	known->credentials = n->witness.credentials;
	known->n = (uint16_t)head.n;
	known->has_query = n->has_query;
	memcpy(known->bytes, head.p, head.n);
}

/* ---- exchanges ---- */

/* No rule has touched it, nothing failed, and neither side has said anything of its own. */
static bool is_plain(const struct client *c, enum close_reason reason)
{
	const struct exchange *ex = &c->ex;
	const struct notice *n = ex->notice;
	const struct witness *w = &n->witness;

	if (ex->rule || ex->claim || ex->shape || ex->reject || ex->failure || reason != CLOSE_COMPLETE)
		return false;
	return ex->status / 100 == 2 && !w->closes && n->is_silent && w->hints.wait_ns < 0 && w->hints.quota_ns < 0;
}

/* The fingerprint may leave something of a query out. */
static uint64_t whole_target(const struct client *c)
{
	return c->ex.notice->has_query ? random_hash(0, exchange_target(c)) : 0;
}

static bool is_same_address(const uint8_t a[16], const uint8_t b[16])
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static bool is_like(const struct likeness *l, const struct client *c)
{
	const struct exchange *ex = &c->ex;
	const struct witness *w = &ex->notice->witness;

	if (l->fingerprint != w->fingerprint || l->body_hash != w->body_hash || l->credentials != w->credentials)
		return false;
	if (l->generation != ex->generation->shared->number || l->status != ex->status)
		return false;
	if (l->upstream_status != ex->upstream_status)
		return false;
	if (l->forwarded != (ex->upstream_sent_ns != 0) || l->keeps != ex->keep_alive)
		return false;
	return l->target == whole_target(c) && is_same_address(l->address, c->address);
}

static void learn(struct likeness *l, const struct client *c)
{
	const struct exchange *ex = &c->ex;
	const struct witness *w = &ex->notice->witness;

	*l = (struct likeness){
		.fingerprint = w->fingerprint,
		.target = whole_target(c),
		.body_hash = w->body_hash,
		.credentials = w->credentials,
		.generation = ex->generation->shared->number,
		.status = ex->status,
		.upstream_status = ex->upstream_status,
		.forwarded = ex->upstream_sent_ns != 0,
		.keeps = ex->keep_alive,
	};
	memcpy(l->address, c->address, sizeof(l->address));
}

/* Clients are told apart by the end of their address. */
static unsigned place_of(const struct client *c)
{
	uint64_t end;

	memcpy(&end, c->address + sizeof(c->address) - sizeof(end), sizeof(end));
	return (unsigned)((c->ex.notice->witness.fingerprint ^ end * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % RECORD_LIKENESSES;
}

bool notice_repeats(struct client *c, enum close_reason reason, int64_t end_ns, struct record *r)
{
	struct notice *n = c->ex.notice;
	enum ring_repeats how;
	unsigned place;

	if (LIKELY(!n))
		return false;
	how = ring_repeats(c->worker->ring);
	if (how == RING_REPEATS_NONE || !is_plain(c, reason))
		return false;
	notice_complete(n, c);
	place = place_of(c);
	n->likeness = (uint8_t)(place + 1);
	n->repeats = is_like(&c->worker->likenesses[place], c);
	if (!n->repeats)
		learn(&c->worker->likenesses[place], c);
	if (!n->repeats || how == RING_REPEATS_BESIDE)
		return false;
	record_init_repeat(r);
	r->id = c->ex.id;
	r->first_ns = c->ex.first_ns;
	r->end_ns = end_ns;
	r->client_port = c->port;
	r->likeness = n->likeness;
	r->repeat = notice_repeat_of(n);
	r->connections = n->witness.connections;
	return true;
}
