/*
 * client: see client.h. Accepts, drives the steps, reads request heads, decides between the next request and the end.
 */
#include "proxy/client.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "net/tls.h"
#include "proxy/late.h"
#include "proxy/worker.h"

/* Steps of one client in a row before others have their turn: of a long body half a megabyte. */
#define STEPS_PER_RUN 8

/* After the last answer: how long and how much a client that still sends is listened to, so that the kernel's reset does
 * not take the answer away from it (RFC 9112 section 9.6). */
#define LINGER_NS (5 * NS_PER_S)
#define LINGER_BYTES (16 * 1024 * 1024)

static void client_fire(struct timer *timer)
{
	struct client *c = container_of(timer, struct client, deadline);

	c->timed_out = true;
	client_run(&c->task);
}

static void client_free(struct grave *grave)
{
	struct client *c = container_of(grave, struct client, grave);

	pool_put(&c->worker->clients, c);
}

/* The answer at the limit of connections: short, at once, and gone. */
static void refuse(int fd, bool is_tls)
{
	const struct span answer = SPAN("HTTP/1.1 503 Service Unavailable\r\nCache-Control: no-store\r\nConnection: close\r\n"
					"Proxy-Status: brownout; error=connection_limit_reached\r\nContent-Length: 0\r\n\r\n");
	const struct span alert = SPAN("\x15\x03\x03\x00\x02\x02\x50"); /* fatal, internal_error (RFC 8446 section 6.2) */
	const struct span words = is_tls ? alert : answer;
	char unread[4096];

	(void)!write(fd, words.p, words.n);
	/* What has arrived is read, or the kernel's reset would overtake the answer; what is still to come is not waited for. */
	(void)shutdown(fd, SHUT_WR);
	for (unsigned i = 0; i < 16 && read(fd, unread, sizeof(unread)) > 0; i++)
		;
	(void)close(fd);
}

/* A rule with connection: refuse has asked for it. */
static bool refused_by_rule(struct worker *w, int fd)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	uint32_t left = atomic_load(&w->shared->refuse_next);

	while (left && !atomic_compare_exchange_weak(&w->shared->refuse_next, &left, left - 1))
		;
	if (!left)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(fd);
	return true;
}

static bool reserve_client(struct worker *w, const struct worker_listener *l)
{
	uint32_t max = l->generation->plan->limits.max_connections;

	if (atomic_fetch_add_explicit(&w->shared->clients_open, 1, memory_order_relaxed) < max || !max)
		return true;
	atomic_fetch_sub_explicit(&w->shared->clients_open, 1, memory_order_relaxed);
	return false;
}

static void say_no_memory(void)
{
	static struct log_limit limit;

	log_every(&limit, LOG_ERROR, "memory is out: a client's connection is closed");
}

/* NULL: the listener is a plain one. */
static const struct tls_context *tls_of(const struct worker_listener *l)
{
	return l->generation->shared->listener_tls[l->index];
}

static bool protect(struct client *c)
{
	struct tls *tls = tls_new_server(tls_of(c->listener));

	if (tls)
		conn_protect(&c->peer.conn, tls);
	return tls;
}

void client_accept(struct worker *w, struct worker_listener *l, int fd, const struct address *peer)
{
	struct client *c;

	counter_add(&w->counters, COUNTER_CONNECTIONS, 1);
	if (UNLIKELY(atomic_load_explicit(&w->shared->refuse_next, memory_order_relaxed)) && refused_by_rule(w, fd))
		return;
	if (!reserve_client(w, l)) {
		counter_add(&w->counters, COUNTER_CONNECTIONS_REFUSED, 1);
		refuse(fd, tls_of(l));
		return;
	}
	c = pool_get(&w->clients);
	if (!c) {
		say_no_memory();
		atomic_fetch_sub_explicit(&w->shared->clients_open, 1, memory_order_relaxed);
		(void)close(fd);
		return;
	}
	*c = (struct client){ .worker = w, .listener = l, .port = address_port(peer), .fresh = true };
	address_bytes(peer, c->address);
	peer_init(&c->peer);
	exchange_init(&c->ex);
	task_init(&c->task, client_run);
	timer_init(&c->deadline, client_fire);
	worker_client_came(c);
	/* Its first edge brings both: that there is something to read, and whether the client has gone again. */
	if (conn_open(&c->peer.conn, w->loop, fd, &c->task, CONN_WRITABLE) < 0) {
		c->peer.conn.fd = -1;
		(void)client_close(c, CLOSE_NO_MEMORY, CONN_END_CLOSE);
		return;
	}
	if (UNLIKELY(tls_of(l)) && !protect(c)) {
		(void)client_close(c, CLOSE_NO_MEMORY, CONN_END_CLOSE);
		return;
	}
	client_wait_for(c, exchange_plan(c)->limits.idle_timeout_ns);
}

void client_wait_until(struct client *c, int64_t due_ns)
{
	if (timer_set(c->worker->loop, &c->deadline, due_ns) < 0) {
		c->lost_deadline = true;
		loop_queue(c->worker->loop, &c->task);
	}
}

void client_wait_for(struct client *c, int64_t ns)
{
	client_wait_until(c, loop_now_ns(c->worker->loop) + ns);
}

bool client_lacks_memory(const struct client *c)
{
	return c->lost_deadline || c->peer.conn.error == ENOMEM || (c->ex.up && c->ex.up->peer.conn.error == ENOMEM);
}

enum step client_close(struct client *c, enum close_reason reason, enum conn_end how)
{
	struct worker *w = c->worker;

	/* It looks as if one side had failed, and it was this one. */
	if (UNLIKELY(reason != CLOSE_COMPLETE && client_lacks_memory(c)))
		reason = CLOSE_NO_MEMORY;
	if (UNLIKELY(reason == CLOSE_NO_MEMORY))
		say_no_memory();
	exchange_finish(c, reason);
	exchange_set_state(c, EXCHANGE_DONE);
	peer_deinit(w, &c->peer, how);
	timer_deinit(w->loop, &c->deadline);
	task_cancel(&c->task);
	atomic_fetch_sub_explicit(&w->shared->clients_open, 1, memory_order_relaxed);
	loop_bury(w->loop, &c->grave, client_free);
	worker_client_gone(c);
	return STEP_DONE;
}

bool client_has_left(struct client *c)
{
	struct conn *conn = &c->peer.conn;

	if (UNLIKELY(conn->tls) && !exchange_plan(c)->limits.half_close)
		tls_look(conn);
	if (conn->ready & (CONN_FAILED | CONN_BROKEN))
		return true;
	/* A reset shows as readable, as the next request does: only the kernel can tell. */
	if ((conn->ready & (CONN_READABLE | CONN_HANGUP)) && conn_probe(conn))
		return true;
	return (conn->ready & (CONN_HANGUP | CONN_EOF)) && !exchange_plan(c)->limits.half_close;
}

bool client_has_left_already(struct client *c)
{
	struct conn *conn = &c->peer.conn;

	/* On a connection that is kept, a system call for each request would be too much for what is rare. */
	if (c->fresh && conn_probe_failure(conn))
		return true;
	return (conn->ready & (CONN_HANGUP | CONN_EOF | CONN_FAILED | CONN_BROKEN)) && client_has_left(c);
}

bool client_has_given_up(struct client *c)
{
	const struct exchange *ex = &c->ex;

	return !ex->upload_over && !ex->upload_starved && client_has_left(c);
}

enum step client_linger(struct client *c)
{
	exchange_set_state(c, EXCHANGE_LINGER);
	conn_shutdown_write(&c->peer.conn);
	relay_release(c->worker, &c->ex.upload);
	relay_init(&c->ex.upload, HTTP_BODY_UNTIL_CLOSE, 0, false);
	c->ex.upload.discard = true;
	c->ex.watched = false;
	client_wait_for(c, LINGER_NS);
	return STEP_MORE;
}

/* Everything the client sent has been read, as far as can be known without asking the kernel again. */
static bool client_is_quiet(struct client *c)
{
	conn_rest(&c->peer.conn);
	if (UNLIKELY(c->peer.conn.tls))
		tls_look(&c->peer.conn);
	return !peer_bytes(&c->peer).n && !(c->peer.conn.ready & CONN_READABLE);
}

enum step client_end(struct client *c, enum close_reason reason)
{
	bool unread = !c->ex.upload.done, watched = late_is_watched(c);

	exchange_finish(c, reason);
	if (watched)
		return late_begin(c);
	if (unread || !client_is_quiet(c))
		return client_linger(c);
	return client_close(c, reason, CONN_END_CLOSE);
}

enum step client_cut(struct client *c, bool reset)
{
	/* No lingering: that the end comes too early is what the client shall see, at once. */
	if (reset)
		return client_close(c, CLOSE_FAULT_RESET, CONN_END_RESET);
	return client_close(c, CLOSE_FAULT_CLOSE, CONN_END_CLOSE);
}

enum step client_answered(struct client *c, enum close_reason reason)
{
	bool keep = c->ex.keep_alive && !client_is_ending(c);
	bool unread = !c->ex.upload.done, watched = !keep && late_is_watched(c);

	exchange_finish(c, reason);
	if (watched)
		return late_begin(c);
	if (keep && unread) {
		exchange_set_state(c, EXCHANGE_DRAIN);
		c->ex.upload.discard = true;
		c->ex.upload.chunk_out = false;
		client_wait_for(c, exchange_plan(c)->limits.header_timeout_ns);
		return STEP_MORE;
	}
	if (keep) {
		exchange_set_state(c, EXCHANGE_IDLE);
		exchange_init(&c->ex);
		conn_rest(&c->peer.conn);
		client_wait_for(c, exchange_plan(c)->limits.idle_timeout_ns);
		return STEP_MORE;
	}
	if (unread || !client_is_quiet(c))
		return client_linger(c);
	return client_close(c, reason, CONN_END_CLOSE);
}

static enum step run_drain(struct client *c)
{
	struct span nothing = SPAN_EMPTY;
	enum http_error error;

	if (c->timed_out)
		return client_linger(c);
	switch (relay_run(c->worker, &c->ex.upload, &c->peer, &c->peer, &nothing, &error)) {
	case RELAY_DONE:
		return client_answered(c, CLOSE_COMPLETE);
	case RELAY_MORE:
		return STEP_MORE;
	case RELAY_WAIT_READ:
	case RELAY_WAIT_WRITE:
		return STEP_WAIT;
	case RELAY_MALFORMED:
		return client_linger(c);
	case RELAY_CUT: /* nothing cuts what is thrown away */
	case RELAY_SOURCE_END:
	case RELAY_SOURCE_FAILED:
	case RELAY_TARGET_FAILED:
		break;
	}
	return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
}

static enum step run_linger(struct client *c)
{
	struct span nothing = SPAN_EMPTY;
	enum relay_result r;
	enum http_error error;

	if (c->ex.watched)
		return late_run(c);
	if (c->timed_out || c->ex.upload.content_bytes > LINGER_BYTES)
		return client_close(c, CLOSE_COMPLETE, CONN_END_CLOSE);
	r = relay_run(c->worker, &c->ex.upload, &c->peer, &c->peer, &nothing, &error);
	if (r == RELAY_MORE)
		return STEP_MORE;
	if (r == RELAY_WAIT_READ || r == RELAY_WAIT_WRITE) /* the latter: a farewell is still on its way */
		return STEP_WAIT;
	return client_close(c, CLOSE_COMPLETE, CONN_END_CLOSE);
}

static enum step parse_head(struct client *c)
{
	struct worker *w = c->worker;
	struct span bytes = peer_bytes(&c->peer);
	const struct plan_limits *limits = &exchange_plan(c)->limits;
	size_t max = limits->max_header_bytes;
	enum http_error error = HTTP_ERROR_NONE;

	w->parsed_for = NULL;
	w->request.fields.cap = limits->max_headers;
	switch (http_request_parse(&w->request, bytes.p, MIN(bytes.n, max), &error)) {
	case HTTP_PARSE_OK:
		if (w->request.method_id == HTTP_METHOD_CONNECT)
			return reply_reject(c, HTTP_ERROR_CONNECT);
		w->parsed_for = c;
		return request_begin(c);
	case HTTP_PARSE_MORE:
		return bytes.n < max ? STEP_MORE : reply_reject(c, http_head_overflow(bytes.p, bytes.n));
	default:
		return reply_reject(c, error);
	}
}

/* The first step of a protected connection. True where it stands. */
static bool shake_hands(struct client *c, enum step *step)
{
	static struct log_limit limit;

	switch (tls_handshake(&c->peer.conn)) {
	case TLS_DONE:
		c->fresh = c->fresh || !c->shook_hands;
		c->shook_hands = true;
		return true;
	case TLS_WAIT:
		*step = STEP_WAIT;
		return false;
	case TLS_CERTIFICATE:
	case TLS_ALERT:
	case TLS_FAILED:
		break;
	}
	if (tls_has_heard(&c->peer.conn))
		log_every(&limit, LOG_WARNING, "no TLS with a client: %s", tls_problem(&c->peer.conn));
	*step = client_close(c, CLOSE_COMPLETE, CONN_END_CLOSE);
	return false;
}

static enum step run_idle(struct client *c)
{
	enum step step;

	if (c->timed_out || (client_is_ending(c) && !peer_bytes(&c->peer).n))
		return client_close(c, CLOSE_COMPLETE, CONN_END_CLOSE);
	if (UNLIKELY(c->peer.conn.tls) && !shake_hands(c, &step))
		return step;
	switch (peer_fetch(c->worker, &c->peer)) {
	case PEER_BYTES:
		break;
	case PEER_WAIT:
		return STEP_WAIT;
	case PEER_EOF:
	case PEER_FAILED:
	case PEER_FULL:
		return client_close(c, CLOSE_COMPLETE, CONN_END_CLOSE);
	}
	exchange_set_state(c, EXCHANGE_HEAD);
	exchange_open(c);
	client_wait_for(c, exchange_plan(c)->limits.header_timeout_ns);
	return parse_head(c);
}

/* An empty line behind a request, as some clients send: the connection is idle still (RFC 9112 section 2.2). */
static bool is_blank(struct span held)
{
	return span_eq(held, SPAN("\r\n")) || span_eq(held, SPAN("\r"));
}

/* What came in behind `before` bytes may end a line, rightly or not; the last byte before it may be half of that end. */
static bool has_line_end(struct span held, size_t before)
{
	struct span news = span_skip(held, before ? before - 1 : 0);

	return memchr(news.p, '\n', news.n) || memchr(news.p, '\r', news.n);
}

/*
 * The head is not whole. Each line that comes in is looked at once more with those before it, so that a bad one is refused at
 * once and not when the client's time is up; the number of lines is bounded, and so is the work.
 */
static enum step run_head(struct client *c)
{
	size_t max = exchange_plan(c)->limits.max_header_bytes;

	if (c->timed_out && is_blank(peer_bytes(&c->peer)))
		return client_close(c, CLOSE_COMPLETE, CONN_END_CLOSE);
	if (c->timed_out) {
		exchange_begin_rejected(c, HTTP_ERROR_NONE);
		return reply_too_slow(c, "The request head did not arrive in time.");
	}
	for (;;) {
		size_t before = peer_bytes(&c->peer).n;
		enum peer_got got = peer_fetch_more(c->worker, &c->peer, max);
		struct span held = peer_bytes(&c->peer);

		if (got == PEER_WAIT)
			return STEP_WAIT;
		if (got == PEER_EOF || got == PEER_FAILED) /* half a request: nothing to answer */
			return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
		if (got == PEER_FULL || has_line_end(held, before))
			return parse_head(c);
	}
}

static enum step run_state(struct client *c)
{
	switch ((enum exchange_state)c->ex.state) {
	case EXCHANGE_IDLE:
		return run_idle(c);
	case EXCHANGE_HEAD:
		return run_head(c);
	case EXCHANGE_HOLD:
		return request_hold_over(c);
	case EXCHANGE_RESOLVE:
		return forward_resolved(c);
	case EXCHANGE_PLACE:
		return forward_placed(c);
	case EXCHANGE_CONNECT:
		return forward_connected(c);
	case EXCHANGE_FORWARD:
		return forward_run(c);
	case EXCHANGE_HOLD_ANSWER:
		return answer_hold_over(c);
	case EXCHANGE_RELAY:
		return answer_relay(c);
	case EXCHANGE_TUNNEL:
		return tunnel_run(c);
	case EXCHANGE_REPLY:
		return reply_run(c);
	case EXCHANGE_DRAIN:
		return run_drain(c);
	case EXCHANGE_LINGER:
		return run_linger(c);
	case EXCHANGE_DONE:
	case EXCHANGE_STATE_COUNT:
		break;
	}
	/* A client that is gone has no task: it was cancelled. */
	abort();
}

/* What lies in the scratch must not outlive the task: the next one uses it. */
static int settle(struct client *c)
{
	int r = peer_settle(c->worker, &c->peer);

	if (r == 0 && c->ex.up)
		r = peer_settle(c->worker, &c->ex.up->peer);
	return r;
}

void client_run(struct task *task)
{
	struct client *c = container_of(task, struct client, task);
	enum step step = STEP_MORE;

	for (unsigned i = 0; i < STEPS_PER_RUN && step == STEP_MORE; i++) {
		c->first_step = i == 0;
		step = run_state(c);
		if (step != STEP_DONE)
			c->timed_out = false;
	}
	if (step == STEP_DONE)
		return;
	c->fresh = false;
	if (settle(c) < 0 || c->lost_deadline)
		(void)client_close(c, CLOSE_NO_MEMORY, CONN_END_CLOSE);
	else if (step == STEP_MORE)
		loop_queue(c->worker->loop, &c->task);
}

bool client_is_ending(const struct client *c)
{
	return c->worker->draining || c->listener->removed;
}

void client_drain(struct client *c)
{
	c->ex.keep_alive = false;
	if (c->ex.state == EXCHANGE_LINGER)
		c->timed_out = true; /* its answer is out: a stop need not wait for its courtesy */
	if (c->ex.state == EXCHANGE_IDLE || c->ex.state == EXCHANGE_LINGER)
		loop_queue(c->worker->loop, &c->task);
}
