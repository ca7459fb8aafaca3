/*
 * forward: from the decision to forward to a request that has gone out: a kept or a new connection, the head as the
 * upstream shall see it, the body behind it.
 */
#include <assert.h>
#include <errno.h>

#include "base/log.h"
#include "fault/edit.h"
#include "http/write.h"
#include "net/tls.h"
#include "proxy/control.h"
#include "proxy/worker.h"

static const struct plan_upstream *plan_of(const struct client *c)
{
	return &exchange_plan(c)->upstreams[c->ex.upstream];
}

static struct worker_upstream *upstream_of(const struct exchange *ex)
{
	return ex->generation->upstreams[ex->upstream];
}

static enum step forward_start(struct client *c);
static enum step forward_push(struct client *c, struct span head);

/* ---- a connection ---- */

static enum proxy_error connect_failure(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ENOENT: /* no such unix socket */
		return PROXY_ERROR_CONNECTION_REFUSED;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT: /* a machine without IPv6 */
		return PROXY_ERROR_DESTINATION_IP_UNROUTABLE;
	case ETIMEDOUT:
		return PROXY_ERROR_CONNECTION_TIMEOUT;
	case EAGAIN: /* the queue of a unix socket is full */
		return PROXY_ERROR_DESTINATION_UNAVAILABLE;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return PROXY_ERROR_CONNECTION_LIMIT_REACHED;
	default:
		return PROXY_ERROR_CONNECTION_TERMINATED;
	}
}

/* How long another worker may take to give a place up. */
#define PLACE_NS (50 * NS_PER_MS)

/* The ceiling is reached. False: by connections that are in use; or whoever could close an idle one does not. */
static bool waits_for_place(struct client *c)
{
	struct exchange *ex = &c->ex;
	int64_t now_ns = loop_now_ns(c->worker->loop);
	int64_t since_ns = ex->connect_until_ns - plan_of(c)->connect_timeout_ns;

	if (now_ns - since_ns >= PLACE_NS || !upstream_ask_for_place(upstream_of(ex), ex->state == EXCHANGE_PLACE))
		return false;
	if (ex->state != EXCHANGE_PLACE)
		exchange_set_state(c, EXCHANGE_PLACE);
	client_wait_until(c, now_ns + UPSTREAM_LOOK_NS);
	return true;
}

/* The next address: each has an equal share of the time that is left, so that one that is silent does not use up all of it. */
static enum step connect_next(struct client *c)
{
	static struct log_limit limit;
	struct exchange *ex = &c->ex;
	int64_t now_ns = loop_now_ns(c->worker->loop);
	int r = upstream_connect(upstream_of(ex), c, &ex->up);

	if (r < 0 && connect_failure(-r) == PROXY_ERROR_CONNECTION_LIMIT_REACHED)
		log_every(&limit, LOG_ERROR, "no connection to upstream %.*s: %s", SPAN_ARG(plan_of(c)->name), strerror(-r));
	if (r > 0)
		return waits_for_place(c) ? STEP_WAIT : reply_failure(c, PROXY_ERROR_CONNECTION_LIMIT_REACHED);
	if (r < 0)
		return reply_failure(c, connect_failure(upstream_error_of_two(ex->connect_errno, -r)));
	client_wait_until(c, now_ns + (ex->connect_until_ns - now_ns) / (1 + (int64_t)upstream_untried(upstream_of(ex), ex)));
	ex->reused = false;
	if (ex->state != EXCHANGE_CONNECT)
		exchange_set_state(c, EXCHANGE_CONNECT);
	return STEP_MORE;
}

static void on_resolved(void *arg, uint64_t token, const struct resolver_answer *answer)
{
	struct worker *w = arg;
	struct list *node;

	for (node = w->resolving.next; node != &w->resolving; node = node->next) {
		struct exchange *ex = container_of(node, struct exchange, resolving);
		struct client *c = container_of(ex, struct client, ex);

		if (ex->resolve_token != token)
			continue;
		upstream_of(ex)->addresses = *answer;
		ex->resolve_token = 0; /* that is: the answer is there */
		loop_queue(w->loop, &c->task);
		return;
	}
}

static enum step use_addresses(struct client *c)
{
	if (!upstream_of(&c->ex)->addresses.n)
		return reply_failure(c, PROXY_ERROR_DNS_ERROR);
	return connect_next(c);
}

static enum step resolve(struct client *c)
{
	struct worker *w = c->worker;
	struct exchange *ex = &c->ex;
	struct worker_upstream *u = upstream_of(ex);
	const struct plan_upstream *plan = plan_of(c);
	int r;

	if (u->shared->fixed.n) {
		u->addresses.n = 1;
		u->addresses.list[0] = u->shared->fixed;
		return connect_next(c);
	}
	ex->resolve_token = ++w->next_token;
	r = resolver_ask(w->shared->resolver, plan->address.host, plan->address.port, w->loop, on_resolved, w,
		ex->resolve_token, &u->addresses);
	if (r < 0)
		return reply_failure(c, PROXY_ERROR_DNS_ERROR);
	if (r == 0)
		return use_addresses(c);
	exchange_set_state(c, EXCHANGE_RESOLVE);
	list_push_back(&w->resolving, &ex->resolving);
	client_wait_until(c, ex->connect_until_ns);
	return STEP_WAIT;
}

enum step forward_resolved(struct client *c)
{
	if (c->timed_out)
		return reply_failure(c, PROXY_ERROR_DNS_TIMEOUT);
	if (client_has_left(c))
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	return c->ex.resolve_token ? STEP_WAIT : use_addresses(c);
}

enum step forward_placed(struct client *c)
{
	struct exchange *ex = &c->ex;

	if (client_has_left(c))
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	/* One of its own may have become free meanwhile. */
	ex->up = upstream_take(upstream_of(ex), c);
	ex->reused = ex->up != NULL;
	return ex->up ? forward_start(c) : connect_next(c);
}

/* A new connection, whatever is kept. */
static enum step forward_anew(struct client *c)
{
	c->ex.connect_tried = 0;
	c->ex.connect_errno = 0;
	c->ex.connect_until_ns = loop_now_ns(c->worker->loop) + plan_of(c)->connect_timeout_ns;
	return resolve(c);
}

enum step forward_begin(struct client *c)
{
	struct exchange *ex = &c->ex;

	if (client_has_left_already(c))
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	ex->up = upstream_take(upstream_of(ex), c);
	if (!ex->up)
		return forward_anew(c);
	ex->reused = true;
	return forward_start(c);
}

/* True where the connection is protected now. */
static bool shake_hands(struct client *c, enum step *step)
{
	static struct log_limit limit;
	struct conn *conn = &c->ex.up->peer.conn;
	enum proxy_error error = PROXY_ERROR_TLS_PROTOCOL_ERROR;

	switch (tls_handshake(conn)) {
	case TLS_DONE:
		return true;
	case TLS_WAIT:
		*step = client_has_left(c) ? client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE) : STEP_WAIT;
		return false;
	case TLS_CERTIFICATE:
		error = PROXY_ERROR_TLS_CERTIFICATE_ERROR;
		break;
	case TLS_ALERT:
		error = PROXY_ERROR_TLS_ALERT_RECEIVED;
		break;
	case TLS_FAILED:
		break;
	}
	log_every(&limit, LOG_WARNING, "no TLS with upstream %.*s: %s", SPAN_ARG(plan_of(c)->name), tls_problem(conn));
	*step = reply_failure(c, error);
	return false;
}

enum step forward_connected(struct client *c)
{
	struct exchange *ex = &c->ex;
	enum step step;
	int error;

	/* No edge of the upstream's yet: it was the client's. */
	if (!c->timed_out && !ex->up->peer.conn.ready)
		return client_has_left(c) ? client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE) : STEP_WAIT;
	error = c->timed_out ? ETIMEDOUT : conn_connect_error(&ex->up->peer.conn);
	if (error == ETIMEDOUT)
		upstream_note_silence(upstream_of(ex), ex);
	if (error == EINPROGRESS)
		return STEP_WAIT;
	if (!error && ex->up->peer.conn.tls && !shake_hands(c, &step))
		return step;
	if (!error && client_has_left_already(c)) {
		upstream_keep(ex->up); /* the next one finds it */
		ex->up = NULL;
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	}
	if (!error)
		return forward_start(c);
	upstream_close(ex->up);
	ex->up = NULL;
	ex->connect_errno = (uint8_t)upstream_error_of_two(ex->connect_errno, error);
	return upstream_untried(upstream_of(ex), ex) ? connect_next(c) : reply_failure(c, connect_failure(ex->connect_errno));
}

/* ---- the request ---- */

static int64_t max_forwards_of(const struct http_request *r)
{
	const struct http_field *f = http_fields_first(&r->fields, HTTP_FIELD_MAX_FORWARDS);
	uint64_t left;

	if (!f || (r->method_id != HTTP_METHOD_TRACE && r->method_id != HTTP_METHOD_OPTIONS))
		return -1;
	if (span_to_u64(f->value, &left) != 0 || left == 0 || left > INT32_MAX)
		return -1;
	return (int64_t)left - 1;
}

/* What rules change of the request. The parsed request is marked up and of no further use after this. */
static void edit_request(struct client *c, struct http_forward_request *f)
{
	const struct shape *s = c->ex.shape;
	struct worker *w = c->worker;

	fault_edit_request(s->requests, s->n_requests, &w->request, &w->extra, &f->host);
	f->extra = text_span(&w->extra);
	w->parsed_for = NULL;
}

static void write_head(struct client *c, const struct http_request *r)
{
	struct worker *w = c->worker;
	const struct plan_upstream *u = plan_of(c);
	struct http_forward_request f = {
		.host = plan_upstream_rewrites_host(u) ? u->authority : SPAN_EMPTY,
		.path_prefix = u->path_prefix,
		.via = exchange_plan(c)->via,
		.client_is_ipv6 = !ip_is_none(c->address) && !ip_is_v4(c->address),
		.proto = c->peer.conn.tls ? SPAN("https") : SPAN("http"),
		.chunked = r->body == HTTP_BODY_CHUNKED,
		.upgrade = r->upgrade,
		.te_trailers = r->te_trailers,
		.max_forwards = max_forwards_of(r),
		/* RFC 7239 section 6.2: a unix socket has no address. */
		.client = ip_is_none(c->address) ? SPAN("unknown") : ip_text_of(&w->last_client, c->address),
		.kept = &w->forwarded,
	};

	text_clear(&w->extra);
	if (exchange_plan(c)->control.enabled) {
		control_hide(&w->request);
		w->parsed_for = NULL;
	}
	if (c->ex.shape && c->ex.shape->n_requests)
		edit_request(c, &f);
	text_clear(&w->out);
	if (w->extra.cut)
		w->out.cut = true;
	else
		http_write_request_head(&w->out, r, &f);
}

/* The first flight: the head, with what is here of the body. */
static enum step forward_start(struct client *c)
{
	struct exchange *ex = &c->ex;
	struct worker *w = c->worker;
	struct span head;
	enum step step;

	exchange_set_state(c, EXCHANGE_FORWARD);
	if (ex->shape && pace_is_set(&ex->shape->to_upstream))
		ex->up->peer.pace = &ex->shape->to_upstream;
	write_head(c, exchange_request(c));
	if (w->out.cut)
		return reply_reject(c, HTTP_ERROR_HEAD_TOO_LARGE);
	head = text_span(&w->out);
	ex->up->written_before = ex->up->peer.conn.written;
	ex->upstream_sent_ns = loop_now_ns(w->loop);
	ex->scanned = 0;
	/* forward_run, which follows, sets the deadline. */
	ex->waits_for = EXCHANGE_WAITS_NONE;
	step = forward_push(c, head);
	return step == STEP_WAIT ? STEP_MORE : step;
}

/* True where the request may go out again on a new connection, and is on its way there: *step. */
static bool forward_retry(struct client *c, enum step *step)
{
	struct exchange *ex = &c->ex;

	/* Only on a kept connection that turns out dead; and what was taken from the client's body is gone. */
	if (!ex->reused || ex->retried || ex->interims || !relay_is_untouched(&ex->upload) || !upstream_got_nothing(ex->up))
		return false;
	counter_add(&c->worker->counters, COUNTER_UPSTREAM_RETRIES, 1);
	ex->retried = true;
	ex->upload_broken = false;
	ex->upload_over = false;
	upstream_close(ex->up);
	ex->up = NULL;
	*step = forward_anew(c);
	return true;
}

enum step forward_failed(struct client *c, enum proxy_error error)
{
	enum step step;

	if (forward_retry(c, &step))
		return step;
	return reply_failure(c, error);
}

static enum step forward_push(struct client *c, struct span head)
{
	struct exchange *ex = &c->ex;
	struct worker *w = c->worker;
	enum http_error error = HTTP_ERROR_NONE;
	enum relay_result r;

	if (ex->upload_over)
		return STEP_WAIT;
	r = relay_run(w, &ex->upload, &c->peer, &ex->up->peer, &head, &error);
	ex->upload_starved = r == RELAY_WAIT_READ;
	switch (r) {
	case RELAY_DONE:
		ex->upload_over = true;
		conn_rest(&c->peer.conn);
		return STEP_MORE;
	case RELAY_MORE:
		return STEP_MORE;
	case RELAY_WAIT_READ:
	case RELAY_WAIT_WRITE:
		return STEP_WAIT;
	case RELAY_TARGET_FAILED:
		/* It may have answered before it stopped listening: read on. */
		ex->upload_over = true;
		ex->upload_broken = true;
		return STEP_MORE;
	case RELAY_MALFORMED:
		if (ex->answer_begun) {
			exchange_reject(c, error);
			return client_close(c, CLOSE_BAD_REQUEST, CONN_END_CLOSE);
		}
		return reply_reject(c, error);
	case RELAY_CUT: /* nothing cuts an upload */
	case RELAY_SOURCE_END:
	case RELAY_SOURCE_FAILED:
		break;
	}
	return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
}

enum step forward_upload(struct client *c)
{
	return forward_push(c, SPAN_EMPTY);
}

/* Whose turn it is while the request goes out and the answer's head is awaited. */
static enum exchange_waits waits_for(const struct client *c)
{
	const struct exchange *ex = &c->ex;

	if (peer_waits(&c->peer))
		return EXCHANGE_WAITS_CLIENT_WRITE; /* an interim answer is on its way */
	if (ex->upload_over)
		return EXCHANGE_WAITS_UPSTREAM_READ;
	if (!ex->upload_starved)
		return EXCHANGE_WAITS_UPSTREAM_WRITE;
	/* A client that was told to wait for 100 may rightly send nothing: it is the upstream that keeps it waiting. */
	if (ex->expect_continue && !ex->interims && !ex->upload.content_bytes)
		return EXCHANGE_WAITS_UPSTREAM_READ;
	return EXCHANGE_WAITS_CLIENT_READ;
}

static void wait_on(struct client *c)
{
	enum exchange_waits waits = waits_for(c);

	if (waits == EXCHANGE_WAITS_CLIENT_WRITE)
		exchange_wait_write(c, &c->peer, waits);
	else if (waits == EXCHANGE_WAITS_UPSTREAM_WRITE)
		exchange_wait_write(c, &c->ex.up->peer, waits);
	else
		exchange_wait(c, waits);
}

static enum step forward_timed_out(struct client *c)
{
	struct exchange *ex = &c->ex;

	if (exchange_still_writes(c))
		return STEP_WAIT;
	switch ((enum exchange_waits)ex->waits_for) {
	case EXCHANGE_WAITS_UPSTREAM_WRITE:
		return reply_failure(c, PROXY_ERROR_CONNECTION_WRITE_TIMEOUT);
	case EXCHANGE_WAITS_CLIENT_WRITE:
		return client_close(c, CLOSE_CLIENT_TIMEOUT, CONN_END_RESET);
	case EXCHANGE_WAITS_CLIENT_READ:
		return reply_too_slow(c, "The request body did not arrive in time.");
	case EXCHANGE_WAITS_NONE:
	case EXCHANGE_WAITS_PACE:
	case EXCHANGE_WAITS_UPSTREAM_READ:
		break;
	}
	return reply_failure(c, PROXY_ERROR_HTTP_RESPONSE_TIMEOUT);
}

enum step forward_run(struct client *c)
{
	struct exchange *ex = &c->ex;
	enum step sent, read;

	if (c->timed_out && ex->waits_for != EXCHANGE_WAITS_PACE)
		return forward_timed_out(c);
	/* While its body comes in, the relay notices by itself. */
	if (ex->upload_over && client_has_left(c))
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	sent = forward_upload(c);
	if (sent == STEP_DONE || ex->state != EXCHANGE_FORWARD)
		return sent;
	/* No more is read from the upstream than the client takes: interim answers wait in line. */
	if (peer_waits(&c->peer) && peer_flush(c->worker, &c->peer) < 0)
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	read = peer_waits(&c->peer) ? STEP_WAIT : answer_read_head(c);
	if (read != STEP_WAIT)
		return read;
	if (sent == STEP_WAIT && client_has_given_up(c))
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	if (sent == STEP_WAIT)
		wait_on(c);
	return sent;
}
