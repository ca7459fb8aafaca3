/*
 * notice: one pass over the fields of a request, and over the head of its answer. A field is compared only with the names of its
 * length, so that the usual ones cost next to nothing.
 */
#include "proxy/notice.h"

#include <stdlib.h>

#include "base/clock.h"
#include "core/random.h"
#include "observe/json_digest.h"
#include "proxy/location.h"
#include "proxy/worker.h"

#define NO_BODY 1 /* the hash of none; that of any other is as unlikely to be it as any word */
#define STAMP_SECONDS_MAX INT64_C(4294967296) /* a moment of the year 2106, and all after it */
#define PARAMETERS_MAX 64
#define JSON_BYTES_MAX 65536 /* of a body that is taken apart; a longer one is hashed as it is */

enum what {
	WHAT_LOGICAL,
	WHAT_AMZ_REQUEST, /* "ttl=20240229T235959Z; attempt=1; max=3" */
	WHAT_KEY,
	WHAT_MAYBE,
	WHAT_TRACE, /* "00-TRACE-PARENT-FLAGS" */
	WHAT_GOOGLE, /* "... gccl-invocation-id/ID gccl-attempt-count/1" */
	WHAT_RETRIES, /* before this one */
	WHAT_ATTEMPT, /* from 1 */
	WHAT_GRPC_TIMEOUT, /* "100m" */
	WHAT_SECONDS,
	WHAT_MILLISECONDS,
	WHAT_CREDENTIALS,
	WHAT_PRINT, /* tells requests apart */
	WHAT_EXPECT,
	WHAT_EARLY_DATA,
};

static const struct {
	struct span name;
	enum what what;
} names[] = {
#define NOTICE(name, what) { { (name), sizeof(name) - 1 }, WHAT_##what },
#include "proxy/notice.def"
#undef NOTICE
};

static const uint64_t name_lengths = 0
#define NOTICE(name, what) | UINT64_C(1) << (sizeof(name) - 1)
#include "proxy/notice.def"
#undef NOTICE
	;

bool notice_is_wanted(const struct client *c)
{
	return c->worker->ring && ring_wants_details(c->worker->ring);
}

/* ---- fields of the request ---- */

/* In the same words by whichever name a key comes. */
static uint64_t id_of(struct span name, struct span value)
{
	uint64_t h = random_hash(random_hash(0, name), value);

	return h ? h : 1;
}

static bool number(struct span s, uint64_t max, uint64_t *value)
{
	return span_to_u64(s, value) == 0 && *value <= max;
}

/* What stands behind `name` and the sign, up to the next separator. */
static struct span member(struct span list, struct span name, const char *separators)
{
	while (list.n) {
		size_t n = 0;

		while (n < list.n && !strchr(separators, list.p[n]))
			n++;
		if (n > name.n && span_starts_with(list, name))
			return span_trim(span_of(list.p + name.n, n - name.n));
		list = span_skip(list, n + 1);
	}
	return SPAN_EMPTY;
}

/* When the client stops waiting, in whole seconds by the clock of whoever dated the answer before: up to 2 s too soon. */
static void take_ttl(struct witness *w, struct span value)
{
	int64_t unix_s;

	if (value.n && hint_parse_stamp(value, &unix_s) == 0)
		w->deadline_ns = MAX(MIN(unix_s, STAMP_SECONDS_MAX) * NS_PER_S - clock_wall_ns(), 0);
}

static void take_amz_request(struct witness *w, struct span value)
{
	uint64_t n;

	if (number(member(value, SPAN("attempt="), "; "), UINT16_MAX, &n))
		w->attempt = (uint16_t)n;
	if (number(member(value, SPAN("max="), "; "), UINT16_MAX, &n))
		w->attempt_max = (uint16_t)n;
	take_ttl(w, member(value, SPAN("ttl="), "; "));
}

static void take_google(struct witness *w, struct span value)
{
	struct span id = member(value, SPAN("gccl-invocation-id/"), " ");
	uint64_t n;

	if (number(member(value, SPAN("gccl-attempt-count/"), " "), UINT16_MAX, &n))
		w->attempt = (uint16_t)n;
	if (id.n && !w->maybe_id)
		w->maybe_id = id_of(SPAN("gccl"), id);
}

/* One trace holds many requests: its id is the weakest of all that may be the request's. */
static void take_trace(struct witness *w, struct span value)
{
	if (value.n >= 36 && value.p[2] == '-' && value.p[35] == '-' && !w->maybe_id)
		w->maybe_id = id_of(SPAN("traceparent"), span_of(value.p + 3, 32));
}

static void take_grpc_timeout(struct witness *w, struct span value)
{
	static const struct {
		char unit;
		int64_t ns;
	} units[] = { { 'H', 3600 * NS_PER_S }, { 'M', 60 * NS_PER_S }, { 'S', NS_PER_S }, { 'm', NS_PER_MS }, { 'u', NS_PER_US },
		{ 'n', 1 } };
	uint64_t n;

	/* Eight digits at most, by its specification: nothing overflows. */
	if (value.n < 2 || !number(span_first(value, value.n - 1), 99999999, &n))
		return;
	for (unsigned i = 0; i < ARRAY_LEN(units); i++) {
		if (value.p[value.n - 1] == units[i].unit)
			w->deadline_ns = (int64_t)n * units[i].ns;
	}
}

static void take_deadline(struct witness *w, struct span value, int64_t unit_ns)
{
	uint64_t n;

	/* Some write a fraction: whole units are enough to tell what the client says of itself. */
	if (number(span_first(value, span_find(value, '.')), 1000000000, &n))
		w->deadline_ns = (int64_t)n * unit_ns;
}

/* row: in `names`. */
static void take(struct witness *w, enum what what, const struct http_field *f, unsigned row)
{
	uint64_t n;

	switch (what) {
	case WHAT_LOGICAL:
		if (!w->logical_id)
			w->logical_id = id_of(f->name, f->value);
		break;
	case WHAT_AMZ_REQUEST: take_amz_request(w, f->value); break;
	case WHAT_KEY:
		if (!w->idempotency_key)
			w->idempotency_key = id_of(SPAN("key"), f->value);
		break;
	/* Before a trace id, whichever comes first. */
	case WHAT_MAYBE: w->maybe_id = id_of(SPAN("maybe"), f->value); break;
	case WHAT_TRACE: take_trace(w, f->value); break;
	case WHAT_GOOGLE: take_google(w, f->value); break;
	case WHAT_RETRIES:
		if (number(f->value, UINT16_MAX - 1, &n))
			w->attempt = (uint16_t)(n + 1);
		break;
	case WHAT_ATTEMPT:
		if (number(f->value, UINT16_MAX, &n))
			w->attempt = (uint16_t)n;
		break;
	case WHAT_GRPC_TIMEOUT: take_grpc_timeout(w, f->value); break;
	case WHAT_SECONDS: take_deadline(w, f->value, NS_PER_S); break;
	case WHAT_MILLISECONDS: take_deadline(w, f->value, NS_PER_MS); break;
	case WHAT_CREDENTIALS: w->credentials = id_of(SPAN_EMPTY, f->value); break;
	case WHAT_PRINT: w->fingerprint = random_hash(w->fingerprint + row, f->value); break;
	case WHAT_EXPECT: w->expect = true; break;
	case WHAT_EARLY_DATA: w->early_data = span_eq(f->value, SPAN("1")); break;
	}
}

static bool is_ignored(const struct observe *o, struct span name)
{
	for (unsigned i = 0; i < o->n_ignore_headers; i++) {
		if (span_eq_nocase(o->ignore_headers[i], name))
			return true;
	}
	return false;
}

static void take_fields(struct witness *w, const struct observe *o, const struct http_fields *fields)
{
	for (unsigned i = 0; i < fields->n; i++) {
		const struct http_field *f = &fields->v[i];

		if (f->name.n >= 64 || !(name_lengths >> f->name.n & 1))
			continue;
		for (unsigned k = 0; k < ARRAY_LEN(names) && names[k].name.n <= f->name.n; k++) {
			if (names[k].name.n != f->name.n || names[k].name.p[0] != ascii_lower(f->name.p[0]) ||
				!span_eq_nocase(names[k].name, f->name))
				continue;
			/* A body with a member to be left out differs in length as well. */
			if (names[k].what == WHAT_PRINT &&
				(is_ignored(o, f->name) || (f->id == HTTP_FIELD_CONTENT_LENGTH && o->n_ignore_json)))
				break;
			take(w, names[k].what, f, k);
			break;
		}
	}
}

/* ---- who and what ---- */

static bool is_ignored_parameter(const struct observe *o, struct span parameter)
{
	struct span name = span_first(parameter, span_find(parameter, '='));

	for (unsigned i = 0; i < o->n_ignore_query; i++) {
		if (span_eq(o->ignore_query[i], name))
			return true;
	}
	return false;
}

/* In whichever order they come, which some clients change from attempt to attempt; beyond a bound they count as they stand. */
static uint64_t print_query(uint64_t h, const struct observe *o, struct span query)
{
	for (unsigned i = 0; query.n && i < PARAMETERS_MAX; i++) {
		struct span one = span_first(query, span_find(query, '&'));

		if (!is_ignored_parameter(o, one))
			h += random_hash(1, one);
		query = span_skip(query, one.n + 1);
	}
	return random_hash(h, query);
}

static uint64_t print(const struct observe *o, const struct http_request *r)
{
	uint64_t h = r->method_id == HTTP_METHOD_OTHER ? random_hash(1, r->method) : (uint64_t)r->method_id;

	h = random_hash(h, r->authority);
	if (!r->query.n)
		return random_hash(h, r->target);
	return print_query(random_hash(h, r->path), o, r->query);
}

static void put_client(struct text *out, struct witness *w, struct client *c, const struct observe_key *key,
	const struct http_request *r)
{
	const struct http_field *f;

	switch (key->kind) {
	case OBSERVE_KEY_PROCESS: w->wants_process = true; break;
	case OBSERVE_KEY_ADDRESS: text_put_span(out, ip_text_of(&c->worker->last_client, c->address)); break;
	case OBSERVE_KEY_HEADER:
		f = http_fields_find(&r->fields, key->name, 0);
		if (!f)
			return;
		w->from_header = true;
		if (f->value.n <= WITNESS_CLIENT_BYTES / 2) {
			text_put_span(out, f->value);
		} else {
			/* Told apart by all of it, though only a part can be shown. */
			text_put_span(out, span_first(f->value, WITNESS_CLIENT_BYTES / 4));
			text_put_char(out, '#');
			text_put_hex(out, random_hash(0, f->value), 16);
		}
		break;
	}
}

/* The address alone is in the record already, for whoever wants it as text. */
static void name_client(struct witness *w, struct client *c, const struct observe *o, const struct http_request *r)
{
	struct text out;

	text_init_fixed(&out, w->client, sizeof(w->client));
	for (unsigned i = 0; i < o->n_client_key; i++) {
		if (out.n)
			text_put_char(&out, ' ');
		put_client(&out, w, c, &o->client_key[i], r);
	}
	w->client_n = (uint8_t)out.n;
}

static void name_request(struct witness *w, const struct observe *o, const struct http_request *r)
{
	for (unsigned i = 0; i < o->n_logical_key; i++) {
		const struct http_field *f = http_fields_find(&r->fields, o->logical_key[i].name, 0);

		if (f) {
			w->logical_id = id_of(o->logical_key[i].name, f->value);
			return;
		}
	}
}

/* ---- the body ---- */

static bool is_json(const struct http_request *r)
{
	const struct http_field *type = http_fields_first(&r->fields, HTTP_FIELD_CONTENT_TYPE);
	struct span name = type ? span_trim(span_first(type->value, span_find(type->value, ';'))) : SPAN_EMPTY;

	return span_eq_nocase(name, SPAN("application/json")) ||
	       (name.n > 5 && span_eq_nocase(span_skip(name, name.n - 5), SPAN("+json")));
}

static void begin_body(struct notice *n, struct client *c, const struct observe *o, const struct http_request *r)
{
	n->hashes_body = o->bodies;
	if (c->ex.upload.done) {
		n->witness.body_hash = NO_BODY;
		n->hashes_body = false;
		notice_body_end(n, c->ex.first_ns);
		return;
	}
	digest_init(&n->body);
	c->ex.upload.noticed = true;
	if (!o->bodies || !o->n_ignore_json || !is_json(r))
		return;
	n->json = malloc(sizeof(*n->json));
	if (n->json)
		text_init(n->json);
}

static void drop_json(struct notice *n)
{
	if (!n->json)
		return;
	text_deinit(n->json);
	free(n->json);
	n->json = NULL;
}

void notice_body(struct notice *n, struct span bytes)
{
	if (!n->hashes_body)
		return;
	digest_add(&n->body, bytes);
	if (n->json && n->json->n + bytes.n > JSON_BYTES_MAX)
		drop_json(n);
	else if (n->json)
		text_put_span(n->json, bytes);
}

void notice_body_end(struct notice *n, int64_t now_ns)
{
	n->whole_body = true;
	n->witness.last_ns = now_ns;
}

/* Answered before it was read: where it has come by now all the same, it is known. */
static void look_at_rest(struct notice *n, struct client *c)
{
	const struct relay *upload = &c->ex.upload;
	struct span bytes;

	if (!upload->noticed || upload->done || upload->body != HTTP_BODY_LENGTH || upload->content_bytes)
		return;
	bytes = peer_bytes(&c->peer);
	if (bytes.n < upload->left)
		return;
	notice_body(n, span_first(bytes, upload->left));
	notice_body_end(n, loop_now_ns(c->worker->loop));
}

static uint64_t body_hash(struct notice *n, const struct observe *o)
{
	uint64_t hash = 0;

	if (!n->whole_body)
		return 0;
	if (n->json && !n->json->cut)
		hash = json_digest(text_span(n->json), o->ignore_json, o->n_ignore_json);
	return hash ? hash : digest_value(&n->body);
}

/* ---- from head to end ---- */

void notice_begin(struct client *c, const struct http_request *r)
{
	const struct plan *plan = exchange_plan(c);
	const struct observe *o = &plan->observe;
	struct notice *n = pool_get(&c->worker->notices);

	c->ex.notice = n;
	if (!n)
		return;
	/* The block of the digest is never looked at beyond what was put there. */
	memset(&n->witness, 0, offsetof(struct witness, client));
	n->witness.connection = (uintptr_t)c;
	n->witness.hides = !plan->log_headers;
	n->witness.hides_query = !plan->log_query;
	n->witness.connections = (uint16_t)MIN(atomic_load_explicit(&c->worker->shared->clients_open, memory_order_relaxed),
		(uint32_t)UINT16_MAX);
	hints_init(&n->witness.hints);
	n->whole_body = false;
	n->likeness = 0;
	n->repeats = false;
	n->told_close = false;
	n->json = NULL;
	n->decided = NULL;
	if (!notice_knows_head(c, r)) {
		n->witness.fingerprint = print(o, r);
		n->has_query = r->query.n > 0;
		take_fields(&n->witness, o, &r->fields);
		name_request(&n->witness, o, r);
		name_client(&n->witness, c, o, r);
		notice_learn_head(c, r);
	}
	begin_body(n, c, o, r);
}

static void take_line(struct hints *h, struct span line)
{
	size_t colon = span_find(line, ':');

	if (colon < line.n)
		hints_take(h, span_first(line, colon), span_trim(span_skip(span_first(line, line.n - 1), colon + 1)),
			clock_wall_ns());
}

/*
 * Lines of a head that brownout has written, or that were made malformed by a rule: what is no field is passed over. Few begin
 * as a hint does.
 */
static void take_head(struct hints *h, struct span head)
{
	struct span rest = span_skip(head, span_find(head, '\n') + 1);

	while (rest.n) {
		struct span line = span_first(rest, span_find(rest, '\n'));

		if (line.n && hint_may_begin_with(line.p[0]))
			take_line(h, line);
		rest = span_skip(rest, line.n + 1);
	}
}

static bool has_quota_field(const struct http_fields *fields)
{
	for (unsigned i = 0; i < fields->n; i++) {
		if (fields->v[i].name.n == strlen(hint_name(HINT_RATELIMIT)) && hint_may_begin_with(fields->v[i].name.p[0]))
			return true;
	}
	return false;
}

/* A success of the upstream that no rule has touched tells nothing but a quota, in a field of its own. */
static bool may_tell(const struct client *c, const struct http_fields *received)
{
	const struct exchange *ex = &c->ex;

	return ex->status >= 300 || ex->rule || ex->claim || ex->shape || (received && has_quota_field(received));
}

void notice_answer(struct client *c, struct span head, const struct http_fields *received)
{
	struct notice *n = c->ex.notice;

	if (LIKELY(!n))
		return;
	/* One head may take the place of another of which nothing has left. */
	hints_init(&n->witness.hints);
	n->witness.answer_ns = c->ex.answer_ns;
	n->told_close = !c->ex.keep_alive;
	n->witness.redirect = 0;
	if (may_tell(c, received))
		take_head(&n->witness.hints, head);
	if (UNLIKELY(n->witness.hints.wait_ns > 0 && c->ex.status / 100 == 3))
		n->witness.redirect = location_place(c, head);
}

void notice_complete(struct notice *n, struct client *c)
{
	if (LIKELY(!c->ex.upload.noticed && !n->hashes_body))
		return; /* there was no body, or what can be known of it is */
	look_at_rest(n, c);
	if (n->hashes_body)
		n->witness.body_hash = body_hash(n, &exchange_plan(c)->observe);
	n->hashes_body = false;
}

void notice_record(struct client *c, struct record *r)
{
	struct ring *ring = c->worker->ring;
	struct notice *n = c->ex.notice;
	struct witness *witness;

	if (!ring_wants_details(ring))
		return;
	r->decisions = &record_no_decisions;
	if (!n)
		return;
	if (n->decided)
		r->decisions = record_decisions_copy(ring_decisions(ring), n->decided);
	r->likeness = n->likeness;
	if (n->repeats) {
		r->repeats = RECORD_REPEATS_BESIDE;
		r->beside = notice_repeat_of(n);
		r->connections = n->witness.connections;
		return;
	}
	notice_complete(n, c);
	n->witness.keeps = c->ex.keep_alive && r->close == CLOSE_COMPLETE;
	witness = ring_witness(ring);
	memcpy(witness, &n->witness, offsetof(struct witness, client) + n->witness.client_n);
	r->witness = witness;
}

void notice_free(struct client *c)
{
	struct notice *n = c->ex.notice;

	c->ex.upload.noticed = false;
	if (!n)
		return;
	if (n->decided)
		pool_put(&c->worker->decided, n->decided);
	drop_json(n);
	pool_put(&c->worker->notices, n);
	c->ex.notice = NULL;
}
