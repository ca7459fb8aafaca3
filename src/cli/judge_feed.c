/*
 * judge_feed: see the header.
 */
#include "cli/judge_feed.h"

#include <stdlib.h>

#include "core/random.h"

#define PLACES_FIRST 64u

/* ---- names ---- */

void judge_names_init(struct judge_names *names)
{
	*names = (struct judge_names){ 0 };
}

void judge_names_deinit(struct judge_names *names)
{
	for (unsigned i = 0; i < names->n; i++)
		free((void *)(uintptr_t)names->v[i].p);
	free(names->v);
	free(names->places);
	judge_names_init(names);
}

/* Where it is, or the free place where it would be. There is one: the table is never more than half full. */
static uint16_t *place_of(const struct judge_names *names, struct span name)
{
	uint64_t at = random_hash(0, name);

	for (;; at++) {
		uint16_t *place = &names->places[at & (names->n_places - 1)];

		if (!*place || span_eq(names->v[*place - 1], name))
			return place;
	}
}

uint16_t judge_names_find(const struct judge_names *names, struct span name)
{
	uint16_t place = names->n_places ? *place_of(names, name) : 0;

	return place ? (uint16_t)(place - 1) : UINT16_MAX;
}

static int grow(struct judge_names *names)
{
	unsigned n = names->n_places ? names->n_places * 2 : PLACES_FIRST;
	struct span *v = realloc(names->v, n / 2 * sizeof(*v));
	uint16_t *places = calloc(n, sizeof(*places));

	if (v)
		names->v = v;
	if (!v || !places) {
		free(places);
		return -1;
	}
	free(names->places);
	names->places = places;
	names->n_places = n;
	for (unsigned i = 0; i < names->n; i++)
		*place_of(names, names->v[i]) = (uint16_t)(i + 1);
	return 0;
}

uint16_t judge_names_add(struct judge_names *names, struct span name)
{
	char *copy;

	if (names->n >= UINT16_MAX - 1 || (names->n >= names->n_places / 2 && grow(names) < 0))
		return UINT16_MAX;
	copy = span_dup(name);
	if (!copy)
		return UINT16_MAX;
	names->v[names->n] = span_of(copy, name.n);
	*place_of(names, names->v[names->n]) = (uint16_t)(names->n + 1);
	return (uint16_t)names->n++;
}

/* ---- exchanges ---- */

static int64_t ns(int64_t us)
{
	return us * NS_PER_US; /* of TRACE_US_MAX at most: 2^53 * 1000 fits */
}

/* A moment that counts from the first byte of the request; 0 stays 0. */
static int64_t moment(int64_t first_ns, int64_t us)
{
	return us ? first_ns + ns(us) : 0;
}

static uint8_t hint_of(struct span name)
{
	for (unsigned i = HINT_NONE + 1; name.n && i < HINT_COUNT; i++) {
		if (span_eq(name, span_of_string(hint_name((enum hint)i))))
			return (uint8_t)i;
	}
	return HINT_NONE;
}

static bool is_among(uint16_t rule, const uint16_t *fired, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (fired[i] == rule)
			return true;
	}
	return false;
}

void judge_feed_rules(struct judge_exchange *to, uint16_t shaped_by, uint16_t fired[JUDGE_FIRED_MAX], unsigned n)
{
	/* One that the request asked for itself was not decided. */
	if (shaped_by != UINT16_MAX && n < JUDGE_FIRED_MAX && !is_among(shaped_by, fired, n))
		fired[n++] = shaped_by;
	to->rule = shaped_by == UINT16_MAX ? -1 : shaped_by;
	to->fired = fired;
	to->n_fired = n;
}

uint64_t judge_feed_rules_hash(uint64_t hash, struct span name, uint64_t text_hash)
{
	return random_word(hash, random_hash(0, name), text_hash, 0, 0);
}

int64_t judge_feed_base_ns(const struct trace_exchange *e)
{
	return ns(e->start) - ns(e->at);
}

void judge_feed_repeat(struct judge_repeat *to, const struct trace_exchange *e, int64_t base_ns)
{
	int64_t first_ns = base_ns + ns(e->at);

	to->wall_ns = ns(e->start);
	to->first_ns = first_ns;
	to->last_ns = moment(first_ns, e->last);
	to->hdr_ns = moment(first_ns, e->answer);
	to->end_ns = first_ns + ns(e->end);
	to->connection = e->connection;
	to->connections = e->connections;
}

void judge_feed_exchange(struct judge_exchange *to, const struct trace_exchange *e, int64_t base_ns)
{
	int64_t first_ns = base_ns + ns(e->at);
	bool left = span_eq(e->close, span_of_string(close_reason_name(CLOSE_CLIENT_LEFT)));

	*to = (struct judge_exchange){
		.wall_ns = ns(e->start),
		.first_ns = first_ns,
		.last_ns = moment(first_ns, e->last),
		.hdr_ns = moment(first_ns, e->answer),
		.end_ns = first_ns + ns(e->end),
		.abort_ns = left ? first_ns + ns(e->end) : 0,
		.client = e->client,
		.method = e->method,
		.host = e->host,
		.target = e->target,
		.fingerprint = e->fingerprint,
		.body_hash = e->body,
		.logical_id = e->logical,
		.maybe_id = e->maybe,
		.idempotency_key = e->key,
		.credentials = e->credentials,
		.connection = e->connection,
		.attempt = (uint16_t)e->attempt,
		.attempt_max = (uint16_t)e->attempts,
		.deadline_ns = ns(e->deadline),
		.status = (uint16_t)e->status,
		.upstream_status = (uint16_t)e->upstream_status,
		.rule = -1,
		.delay_ns = ns(e->delay),
		.wait_ns = e->wait < 0 ? -1 : ns(e->wait),
		.hint = hint_of(e->hint),
		.redirect = e->redirect,
		.forwarded = e->forwarded,
		.complete = span_eq(e->close, span_of_string(close_reason_name(CLOSE_COMPLETE))) ||
			    span_eq(e->close, span_of_string(close_reason_name(CLOSE_TUNNEL_END))),
		.keeps = e->keeps,
		.closes = e->closes,
		.after_close_ns = ns(e->after_close),
		.connections = e->connections,
		.expect = e->expect,
		.early_data = e->early_data,
		.quota_ns = e->quota < 0 ? -1 : ns(e->quota),
	};
}
