/*
 * notice_repeat: most exchanges of a client that nobody disturbs are alike. One of which a judge is to know no more than of one
 * before it leaves the collector a number and what differs (observe/record.h).
 */
#include "proxy/notice.h"

#include "core/random.h"
#include "proxy/worker.h"

/* No rule has touched it, nothing failed, and neither side has said anything of its own. */
static bool is_plain(const struct client *c, enum close_reason reason)
{
	const struct exchange *ex = &c->ex;
	const struct witness *w = &ex->notice->witness;

	if (ex->rule || ex->claim || ex->shape || ex->reject || ex->failure || reason != CLOSE_COMPLETE)
		return false;
	if (ex->status / 100 != 2 || w->client_n || w->wants_process || w->expect || w->early_data || w->closes)
		return false;
	if (w->logical_id | w->maybe_id | w->idempotency_key | w->attempt | w->attempt_max || w->deadline_ns)
		return false;
	return w->hints.wait_ns < 0 && w->hints.quota_ns < 0;
}

static struct likeness likeness_of(const struct client *c)
{
	const struct exchange *ex = &c->ex;
	const struct notice *n = ex->notice;
	const struct witness *w = &n->witness;
	struct likeness l = {
		.fingerprint = w->fingerprint,
		.target = n->has_query ? random_hash(0, exchange_target(c)) : 0,
		.body_hash = w->body_hash,
		.credentials = w->credentials,
		.generation = ex->generation->shared->number,
		.status = ex->status,
		.upstream_status = ex->upstream_status,
		.forwarded = ex->upstream_sent_ns != 0,
		.keeps = ex->keep_alive,
	};

	memcpy(l.address, c->address, sizeof(l.address));
	return l;
}

/* Clients are told apart by the end of their address. */
static unsigned place_of(const struct likeness *l)
{
	uint64_t end;

	memcpy(&end, l->address + sizeof(l->address) - sizeof(end), sizeof(end));
	return (unsigned)((l->fingerprint ^ end * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % RECORD_LIKENESSES;
}

bool notice_repeats(struct client *c, enum close_reason reason, int64_t end_ns, struct record *r)
{
	struct notice *n = c->ex.notice;
	struct likeness mine, *known;

	if (LIKELY(!n) || !ring_takes_repeats(c->worker->ring) || !is_plain(c, reason))
		return false;
	notice_complete(n, c);
	mine = likeness_of(c);
	known = &c->worker->likenesses[place_of(&mine)];
	n->likeness = (uint8_t)(known - c->worker->likenesses + 1);
	if (memcmp(known, &mine, sizeof(mine)) != 0) {
		*known = mine;
		return false;
	}
	record_init_repeat(r);
	r->id = c->ex.id;
	r->first_ns = c->ex.first_ns;
	r->end_ns = end_ns;
	r->client_port = c->port;
	r->likeness = n->likeness;
	r->repeat = (struct repeat){ n->witness.last_ns, n->witness.answer_ns, n->witness.connection, n->witness.connections };
	return true;
}
