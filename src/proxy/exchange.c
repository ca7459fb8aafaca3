/*
 * exchange: the bookkeeping of one exchange: state, saved head, what is counted and recorded. It moves no bytes.
 */
#include "proxy/exchange.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "proxy/adoption.h"
#include "proxy/decision.h"
#include "proxy/facts.h"
#include "proxy/notice.h"
#include "proxy/worker.h"

const char *exchange_state_name(enum exchange_state s)
{
	static const char *const names[EXCHANGE_STATE_COUNT] = {
#define STATE(id, name, text) [EXCHANGE_##id] = name,
#include "proxy/exchange.def"
#undef STATE
	};

	return names[s];
}

static inline bool edge_is_allowed(enum exchange_state from, enum exchange_state to)
{
	switch ((unsigned)from << 8 | (unsigned)to) {
#define EDGE(a, b) case (unsigned)EXCHANGE_##a << 8 | (unsigned)EXCHANGE_##b:
#include "proxy/exchange.def"
#undef EDGE
		return true;
	default:
		return false;
	}
}

void exchange_init(struct exchange *ex)
{
	*ex = (struct exchange){ .state = EXCHANGE_IDLE };
	list_init(&ex->resolving);
}

void exchange_set_state(struct client *c, enum exchange_state to)
{
	struct exchange *ex = &c->ex;
	struct counters *counters = &c->worker->counters;

	assert(edge_is_allowed((enum exchange_state)ex->state, to));
	if (ex->state == EXCHANGE_HOLD || ex->state == EXCHANGE_HOLD_ANSWER)
		gauge_add(&counters->held, -1);
	if (to == EXCHANGE_HOLD || to == EXCHANGE_HOLD_ANSWER)
		gauge_add(&counters->held, 1);
	if (ex->state == EXCHANGE_RESOLVE)
		list_remove(&ex->resolving);
	ex->state = (uint8_t)to;
}

static struct head_part part_of(struct span head, struct span part)
{
	if (!part.n)
		return (struct head_part){ 0, 0 };
	return (struct head_part){ (uint32_t)(part.p - head.p), (uint32_t)part.n };
}

struct span exchange_part(const struct exchange *ex, struct head_part part)
{
	return part.n ? span_of(ex->head.p + part.at, part.n) : SPAN_EMPTY;
}

void exchange_open(struct client *c)
{
	struct worker_listener *l = c->listener;
	bool exact = !c->first_step && notice_is_wanted(c);

	/* A judge must not take a request for earlier than it can have been sent: what was done before may have taken long. */
	c->ex.first_ns = exact ? loop_read_clock(c->worker->loop) : loop_now_ns(c->worker->loop);
	c->ex.upstream = UINT16_MAX;
	c->ex.listener = l->index;
	c->ex.generation = l->generation;
	l->generation->users++;
}

const struct plan *exchange_plan(const struct client *c)
{
	return (c->ex.generation ? c->ex.generation : c->listener->generation)->plan;
}

static void count_begin(struct client *c)
{
	struct worker *w = c->worker;

	c->ex.begun = true;
	c->ex.id = ((uint64_t)w->number << 48) | ++w->next_id;
	counter_add(&w->counters, COUNTER_REQUESTS, 1);
	gauge_add(&w->counters.active, 1);
}

int exchange_begin(struct client *c, const struct http_request *r)
{
	struct exchange *ex = &c->ex;
	struct span head = span_of(peer_bytes(&c->peer).p, r->head_n);

	if (buffer_append(&c->worker->blocks, &ex->head, head) < 0)
		return -ENOMEM;
	count_begin(c);
	ex->head_ns = loop_now_ns(c->worker->loop);
	ex->method = (uint8_t)r->method_id;
	ex->minor = (uint8_t)r->minor;
	ex->method_part = part_of(head, r->method);
	ex->host_part = part_of(head, r->authority);
	ex->target_part = part_of(head, r->target);
	ex->expect_continue = r->expect_continue;
	ex->upgrade = r->upgrade;
	facts_note_request(ex, r);
	/* An HTTP/1.0 client is kept only where it asks for it; what version and Connection say is in r. */
	ex->keep_alive = r->keep_alive && !client_is_ending(c);
	relay_init(&ex->upload, r->body, r->body_length, r->body == HTTP_BODY_CHUNKED);
	ex->upload.drop_trailers = r->body == HTTP_BODY_CHUNKED && http_fields_have_private(&r->fields);
	counter_add(&c->worker->counters, COUNTER_BYTES_IN, head.n);
	if (notice_is_wanted(c))
		notice_begin(c, r);
	/* In the scratch the parsed spans stay good while the scratch does; in a block of the peer's they go with it. */
	if (c->peer.in.n)
		c->worker->parsed_for = NULL;
	if (ex->upload.done)
		conn_rest(&c->peer.conn);
	peer_consume(c->worker, &c->peer, r->head_n);
	return 0;
}

void exchange_reject(struct client *c, enum http_error error)
{
	c->ex.reject = (uint8_t)error;
	c->ex.keep_alive = false;
	counter_add(&c->worker->counters, COUNTER_REQUESTS_REJECTED, 1);
	counter_bump(&c->worker->counters.rejects[error], 1);
}

void exchange_begin_rejected(struct client *c, enum http_error error)
{
	count_begin(c);
	c->ex.head_ns = loop_now_ns(c->worker->loop);
	c->ex.minor = 1;
	exchange_reject(c, error);
}

const struct http_request *exchange_request(struct client *c)
{
	struct worker *w = c->worker;
	enum http_error error;
	struct span head;
	int r;

	if (w->parsed_for == c)
		return &w->request;
	head = buffer_span(&c->ex.head);
	/* It was parsed before from these very bytes, within this very bound. */
	w->request.fields.cap = exchange_plan(c)->limits.max_headers;
	r = http_request_parse(&w->request, head.p, head.n, &error);
	assert(r == HTTP_PARSE_OK);
	(void)r;
	w->parsed_for = c;
	return &w->request;
}

/*
 * A body has its time as a whole, from when it was first waited for; where a rule slows it, that is not its sender's fault.
 * Apart: most requests have none.
 */
static __attribute__((noinline)) int64_t body_time_ns(struct client *c)
{
	const struct plan_limits *limits = &exchange_plan(c)->limits;
	int64_t sent_for_ns = loop_now_ns(c->worker->loop) - c->ex.upstream_sent_ns;

	if (!limits->body_timeout_ns || c->ex.state != EXCHANGE_FORWARD || c->ex.up->peer.pace)
		return limits->idle_timeout_ns;
	if (!c->ex.body_from_ms)
		c->ex.body_from_ms = (uint32_t)(sent_for_ns / NS_PER_MS) + 1;
	return MIN(c->ex.body_from_ms * NS_PER_MS + limits->body_timeout_ns - sent_for_ns, limits->idle_timeout_ns);
}

/* The deadline that goes with ex->waits_for. */
static void arm(struct client *c)
{
	const struct plan *plan = exchange_plan(c);
	const struct plan_upstream *u = c->ex.upstream == UINT16_MAX ? NULL : &plan->upstreams[c->ex.upstream];
	int64_t ns = plan->limits.idle_timeout_ns;

	if (u && c->ex.waits_for == EXCHANGE_WAITS_UPSTREAM_READ)
		ns = c->ex.state == EXCHANGE_RELAY ? u->idle_timeout_ns : u->response_timeout_ns;
	else if (u && c->ex.waits_for == EXCHANGE_WAITS_UPSTREAM_WRITE)
		ns = u->idle_timeout_ns;
	else if (c->ex.waits_for == EXCHANGE_WAITS_CLIENT_READ)
		ns = body_time_ns(c);
	client_wait_for(c, ns);
}

void exchange_wait(struct client *c, enum exchange_waits waits)
{
	uint64_t moved = c->ex.upload.content_bytes + c->ex.download.content_bytes;

	if (waits == (enum exchange_waits)c->ex.waits_for && moved == c->ex.moved)
		return;
	c->ex.waits_for = (uint8_t)waits;
	c->ex.moved = moved;
	c->ex.unsent = UINT32_MAX;
	arm(c);
}

void exchange_wait_write(struct client *c, const struct peer *to, enum exchange_waits waits)
{
	if (!peer_is_paced(to)) {
		exchange_wait(c, waits);
		return;
	}
	c->ex.waits_for = EXCHANGE_WAITS_PACE;
	client_wait_until(c, to->pace->next_ns);
}

bool exchange_still_writes(struct client *c)
{
	const struct peer *to = NULL;
	uint32_t unsent;

	if (c->ex.waits_for == EXCHANGE_WAITS_CLIENT_WRITE)
		to = &c->peer;
	else if (c->ex.waits_for == EXCHANGE_WAITS_UPSTREAM_WRITE && c->ex.up)
		to = &c->ex.up->peer;
	if (!to)
		return false;
	unsent = conn_unsent(&to->conn);
	if (unsent >= c->ex.unsent)
		return false;
	c->ex.unsent = unsent;
	arm(c);
	return true;
}

struct span exchange_target(const struct client *c)
{
	struct span target = exchange_part(&c->ex, c->ex.target_part);

	return exchange_plan(c)->log_query ? target : span_first(target, span_find(target, '?'));
}

static void fill_decision(const struct exchange *ex, struct decision *d)
{
	*d = ex->claim ? ex->claim->decision : (struct decision){ 0 };
	d->asked = ex->asked;
}

static void fill_record(struct client *c, enum close_reason reason, int64_t end_ns, struct record *r)
{
	const struct exchange *ex = &c->ex;
	const struct plan *plan = exchange_plan(c);

	record_init(r);
	r->id = ex->id;
	r->first_ns = ex->first_ns;
	r->head_ns = ex->head_ns;
	r->upstream_sent_ns = ex->upstream_sent_ns;
	r->upstream_head_ns = ex->upstream_head_ns;
	r->answer_ns = ex->answer_ns;
	r->end_ns = end_ns;
	r->delay_ns = ex->delay_ns;
	r->delay_actual_ns = ex->delay_actual_ns;
	r->bytes_in = ex->head.n + ex->upload.content_bytes;
	r->bytes_out = ex->head_wire_bytes + ex->download.content_bytes;
	r->rules = &plan->rules;
	r->generation = ex->generation->shared->number;
	r->rule = ex->rule;
	r->upstream_name = ex->upstream == UINT16_MAX ? NULL : plan->upstreams[ex->upstream].name.p;
	r->listener_name = plan->listeners[ex->listener].name.p;
	r->client_port = c->port;
	r->status = ex->status;
	r->upstream_status = ex->upstream_status;
	r->fault = ex->fault;
	r->also_delay = ex->delayed && ex->fault != FAULT_DELAY;
	r->close = (uint8_t)reason;
	r->failure = ex->failure;
	r->reject = ex->reject ? http_error_name((enum http_error)ex->reject) : NULL;
	r->minor = ex->minor;
	r->reused = ex->reused;
	if (ex->rule)
		fill_decision(ex, &r->decision);
	memcpy(r->client, c->address, sizeof(r->client));
	record_set_text(r, exchange_part(ex, ex->method_part), exchange_part(ex, ex->host_part), exchange_target(c));
	notice_record(c, r);
}

static void write_record(struct client *c, enum close_reason reason, int64_t end_ns)
{
	struct worker *w = c->worker;
	struct record *r;

	if (!w->ring)
		return;
	r = ring_begin(w->ring);
	if (!r) {
		counter_add(&w->counters, COUNTER_RECORDS_DROPPED, 1);
		return;
	}
	if (!notice_repeats(c, reason, end_ns, r))
		fill_record(c, reason, end_ns, r);
	ring_commit(w->ring);
}

static void count_times(struct counters *counters, const struct exchange *ex, int64_t end_ns)
{
	if (ex->status != 101)
		histogram_add(&counters->request_time, end_ns - ex->first_ns);
	if (ex->upstream_head_ns)
		histogram_add(&counters->upstream_time, ex->upstream_head_ns - ex->upstream_sent_ns);
}

static void count_end(struct client *c, enum close_reason reason, int64_t end_ns)
{
	const struct exchange *ex = &c->ex;
	struct worker *w = c->worker;
	struct counters *counters = &w->counters;

	gauge_add(&counters->active, -1);
	counter_bump(&counters->closes[reason], 1);
	if (ex->failure) {
		counter_add(counters, COUNTER_UPSTREAM_FAILURES, 1);
		counter_bump(&counters->failures[ex->failure], 1);
	}
	if (reason == CLOSE_CLIENT_LEFT)
		counter_add(counters, COUNTER_CLIENTS_LEFT, 1);
	counter_add(counters, COUNTER_BYTES_IN, ex->upload.content_bytes);
	counter_add(counters, COUNTER_BYTES_OUT, ex->head_wire_bytes + ex->download.content_bytes);
	count_times(counters, ex, end_ns);
	traffic_add(w->traffic, traffic_map_slot(&ex->generation->shared->traffic, ex->listener, ex->upstream), ex->status / 100);
}

void exchange_note_answer(struct client *c)
{
	const struct ring *ring = c->worker->ring;

	/* The run's own time is its beginning: good enough but for a log. */
	if (ring && ring_repeats(ring) != RING_REPEATS_ALONE)
		c->ex.answer_ns = loop_read_clock(c->worker->loop);
	else
		c->ex.answer_ns = loop_now_ns(c->worker->loop);
}

void exchange_finish(struct client *c, enum close_reason reason)
{
	struct exchange *ex = &c->ex;

	if (ex->begun) {
		int64_t end_ns = loop_now_ns(c->worker->loop);

		count_end(c, reason, end_ns);
		write_record(c, reason, end_ns);
		ex->begun = false;
	}
	decision_release(c);
	relay_release(c->worker, &ex->upload);
	relay_release(c->worker, &ex->download);
	notice_free(c);
	list_remove(&ex->resolving);
	if (ex->up) {
		upstream_close(ex->up);
		ex->up = NULL;
	}
	buffer_clear(&c->worker->blocks, &ex->head);
	if (c->worker->parsed_for == c)
		c->worker->parsed_for = NULL;
	/* The last, since all of the above may point into it. */
	if (ex->generation) {
		worker_generation_drop(ex->generation);
		ex->generation = NULL;
	}
}
