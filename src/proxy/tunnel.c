/*
 * tunnel: after 101 (RFC 9110 section 7.8) both connections are one pipe of bytes. Each direction ends on its own: the end of
 * one side's stream is passed on as a half-close. What rules ask for an answer's body holds for the bytes of the upstream, which
 * come in its place: pace, delay, cut and change.
 */
#include "fault/edit.h"
#include "fault/malformed.h"
#include "http/write.h"
#include "proxy/worker.h"

/* Without any byte either way for so long, both ends are taken for dead. */
#define TUNNEL_IDLE_NS (3600 * NS_PER_S)

/* Whatever else the deadline is about, it is not the end. */
#define WAITS_IDLE EXCHANGE_WAITS_CLIENT_READ

static void wait_idle(struct client *c)
{
	c->ex.waits_for = WAITS_IDLE;
	client_wait_for(c, TUNNEL_IDLE_NS);
}

/* In the worker's text. False where it is too large, or memory is out. */
static bool write_head(struct client *c)
{
	struct worker *w = c->worker;
	struct http_forward_response how = { .via = exchange_plan(c)->via, .drop_length = true, .upgrade = true };

	text_clear(&w->extra);
	if (!answer_add_lines(c, &w->extra).names_date)
		how.date = worker_date(w);
	how.extra = text_span(&w->extra);
	text_clear(&w->out);
	http_write_response_head(&w->out, &w->response, &how);
	return !w->out.cut && !w->extra.cut;
}

enum step tunnel_begin(struct client *c)
{
	struct worker *w = c->worker;
	struct exchange *ex = &c->ex;

	if (!write_head(c))
		return reply_failure(c, PROXY_ERROR_HTTP_RESPONSE_HEADER_SECTION_SIZE);
	peer_consume(w, &ex->up->peer, w->response.head_n);
	ex->status = 101;
	ex->answer_begun = true;
	ex->answer_ns = loop_now_ns(w->loop);
	exchange_set_state(c, EXCHANGE_TUNNEL);
	relay_init(&ex->upload, HTTP_BODY_UNTIL_CLOSE, 0, false);
	relay_init(&ex->download, HTTP_BODY_UNTIL_CLOSE, 0, false);
	ex->upload_over = false;
	if (ex->shape) {
		shape_body(c, UINT64_MAX);
		fault_malform_head(&w->out, ex->shape->malformed);
	}
	ex->head_wire_bytes = (uint32_t)w->out.n;
	if (peer_send_span(w, &c->peer, text_span(&w->out)) < 0)
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	if (ex->shape && ex->shape->body_delay_ns)
		shape_hold_body(c);
	wait_idle(c);
	return STEP_MORE;
}

enum pump {
	PUMP_MOVED,
	PUMP_WAITS, /* for bytes of its source: whatever becomes of that shows when it is read */
	PUMP_BLOCKED, /* its source is not read: it has ended its stream, or the far side takes nothing */
	PUMP_BROKEN,
	PUMP_CUT, /* all that a rule lets through has been written */
};

/* One direction. *over is set once its end was passed on. */
static enum pump pump(struct worker *w, struct relay *r, struct peer *from, struct peer *to, bool *over)
{
	struct span nothing = SPAN_EMPTY;
	enum http_error error;

	if (*over)
		return PUMP_BLOCKED;
	switch (relay_run(w, r, from, to, &nothing, &error)) {
	case RELAY_DONE:
		conn_shutdown_write(&to->conn);
		*over = true;
		return PUMP_MOVED;
	case RELAY_MORE:
		return PUMP_MOVED;
	case RELAY_WAIT_READ:
		return PUMP_WAITS;
	case RELAY_WAIT_WRITE:
		return PUMP_BLOCKED;
	case RELAY_CUT:
		return PUMP_CUT;
	case RELAY_SOURCE_END:
	case RELAY_SOURCE_FAILED:
	case RELAY_TARGET_FAILED:
	case RELAY_MALFORMED:
		break;
	}
	return PUMP_BROKEN;
}

/* Nothing has moved: until the pace of either side allows more, where that is what holds it up. */
static void wait_paced(struct client *c)
{
	const struct peer *const sides[] = { &c->peer, &c->ex.up->peer };
	int64_t until_ns = INT64_MAX;

	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		if (peer_is_paced(sides[i]))
			until_ns = MIN(until_ns, sides[i]->pace->next_ns);
	}
	if (until_ns < INT64_MAX) {
		c->ex.waits_for = EXCHANGE_WAITS_PACE;
		client_wait_until(c, until_ns);
	} else if (c->ex.waits_for != WAITS_IDLE) {
		wait_idle(c);
	}
}

enum step tunnel_run(struct client *c)
{
	struct exchange *ex = &c->ex;
	bool up_over = ex->upload_over;
	bool down_over = ex->download_over;
	enum pump up, down;

	if (c->timed_out && ex->waits_for == WAITS_IDLE)
		return client_close(c, CLOSE_CLIENT_TIMEOUT, CONN_END_RESET);
	shape_look_at_body(c);
	up = pump(c->worker, &ex->upload, &c->peer, &ex->up->peer, &up_over);
	down = pump(c->worker, &ex->download, &ex->up->peer, &c->peer, &down_over);
	ex->upload_over = up_over;
	ex->download_over = down_over;
	if (down == PUMP_CUT)
		return client_cut(c, ex->shape->truncate->reset);
	/* Over TLS a close would say that this was all. */
	if ((up == PUMP_BROKEN || down == PUMP_BROKEN) && c->peer.conn.tls)
		return client_close(c, CLOSE_TUNNEL_END, CONN_END_RESET);
	if (up == PUMP_BROKEN || down == PUMP_BROKEN || (up_over && down_over))
		return client_close(c, CLOSE_TUNNEL_END, CONN_END_CLOSE);
	if (up == PUMP_MOVED || down == PUMP_MOVED) {
		wait_idle(c);
		return STEP_MORE;
	}
	/* That a side which is not read has gone altogether must be asked. */
	if ((up == PUMP_BLOCKED && conn_probe(&c->peer.conn)) || (down == PUMP_BLOCKED && conn_probe(&ex->up->peer.conn)))
		return client_close(c, CLOSE_TUNNEL_END, CONN_END_RESET);
	wait_paced(c);
	return STEP_WAIT;
}
