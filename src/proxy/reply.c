/*
 * reply: the answers that brownout makes itself: for refused requests, failures of the upstream, and abort rules. Each is
 * whole (Date, Content-Length or none where the code has none), says whether the connection stays, and has passed the
 * classifier before its first byte leaves.
 */
#include <errno.h>

#include "http/write.h"
#include "proxy/facts.h"
#include "proxy/notice.h"
#include "proxy/worker.h"

/* A request body of known length up to this is read to its end so that the connection can be kept. */
#define DRAIN_BYTES_MAX 65536

/*
 * A chunked body does not say how much is still to come, so that nobody could promise to read it to its end. Most are here by
 * now, with their head.
 */
static bool take_in_chunked(struct client *c)
{
	struct relay *upload = &c->ex.upload;
	struct span nothing = SPAN_EMPTY;
	enum http_error error;

	if (!relay_is_untouched(upload))
		return false;
	upload->discard = true;
	upload->chunk_out = false;
	while (upload->content_bytes <= DRAIN_BYTES_MAX &&
		relay_run(c->worker, upload, &c->peer, &c->peer, &nothing, &error) == RELAY_MORE)
		;
	return upload->done;
}

bool reply_can_keep(struct client *c)
{
	const struct exchange *ex = &c->ex;
	const struct relay *upload = &ex->upload;

	if (!ex->keep_alive || ex->upload_broken)
		return false;
	if (upload->done)
		return true;
	/* Where the client waits for 100 it may or may not send the body after this: nobody could tell what comes next. */
	if (ex->expect_continue)
		return false;
	if (upload->body == HTTP_BODY_CHUNKED)
		return take_in_chunked(c);
	return upload->left <= DRAIN_BYTES_MAX;
}

static void put_connection(struct text *out, const struct exchange *ex)
{
	if (!ex->keep_alive)
		text_put_literal(out, "Connection: close\r\n");
	else if (ex->minor == 0)
		text_put_literal(out, "Connection: keep-alive\r\n");
}

/* What the exchange has come to is sent; what cannot go now waits in REPLY. */
enum step reply_send(struct client *c, struct span head, struct span body)
{
	struct worker *w = c->worker;
	struct exchange *ex = &c->ex;
	struct iovec parts[2] = {
		{ (char *)(uintptr_t)head.p, head.n },
		{ (char *)(uintptr_t)body.p, body.n },
	};
	int sent;

	if (ex->up) {
		upstream_close(ex->up);
		ex->up = NULL;
	}
	exchange_set_state(c, EXCHANGE_REPLY);
	exchange_note_answer(c);
	ex->head_wire_bytes = (uint32_t)(head.n + body.n);
	ex->waits_for = EXCHANGE_WAITS_NONE;
	notice_answer(c, head, NULL);
	if (UNLIKELY(ex->shape && ex->shape->body_delay_ns && body.n)) {
		sent = peer_send_span(w, &c->peer, head);
		shape_hold_body(c);
		sent = sent < 0 ? sent : peer_send_span(w, &c->peer, body);
	} else {
		sent = peer_send(w, &c->peer, parts, body.n ? 2 : 1);
	}
	if (sent < 0)
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	return STEP_MORE; /* reply_run, which follows, sets the deadline */
}

static enum close_reason reason_of(const struct exchange *ex)
{
	if (ex->failure)
		return CLOSE_UPSTREAM_FAILED;
	if (ex->too_slow)
		return CLOSE_CLIENT_TIMEOUT;
	return ex->reject ? CLOSE_BAD_REQUEST : CLOSE_COMPLETE;
}

enum step reply_run(struct client *c)
{
	int r;

	if (c->timed_out && c->ex.waits_for != EXCHANGE_WAITS_PACE && !exchange_still_writes(c))
		return client_close(c, CLOSE_CLIENT_TIMEOUT, CONN_END_RESET);
	shape_look_at_body(c);
	r = peer_flush(c->worker, &c->peer);
	if (r < 0)
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	if (r > 0) {
		/* Nothing is written before its moment that would tell of the client's leaving. */
		if (peer_is_paced(&c->peer) && client_has_left(c))
			return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
		exchange_wait_write(c, &c->peer, EXCHANGE_WAITS_CLIENT_WRITE);
		return STEP_WAIT;
	}
	if (c->ex.cut)
		return client_cut(c, c->ex.shape->truncate->reset);
	return client_answered(c, reason_of(&c->ex));
}

static void put_proxy_status(const struct client *c, enum proxy_error error)
{
	struct text *out = &c->worker->out;
	const struct plan *plan = exchange_plan(c);

	if (!plan->proxy_status || error == PROXY_ERROR_NONE)
		return;
	text_put_literal(out, "Proxy-Status: ");
	text_put_span(out, plan->via);
	text_put_literal(out, "; error=");
	text_put_string(out, proxy_error_name(error));
	text_put_literal(out, "\r\n");
}

/* An answer in plain text: "code reason LF text LF". `extra` is whole field lines. */
static enum step reply_text(struct client *c, unsigned status, enum proxy_error error, const char *text, struct span extra)
{
	struct worker *w = c->worker;
	struct text *out = &w->out;
	const struct status_info *info = status_classify(status);
	struct span reason = span_of_string(info->reason);
	struct span line = span_of_string(text);
	size_t length = 4 + reason.n + 1 + (line.n ? line.n + 1 : 0);

	const struct status_response shape = {
		.code = status,
		.fields = STATUS_FIELD_BIT(CONTENT_LENGTH) | STATUS_FIELD_BIT(DATE),
		.final = true,
		.content = c->ex.method != HTTP_METHOD_HEAD,
	};

	(void)facts_check_status(c, &shape);
	c->ex.keep_alive = reply_can_keep(c);
	c->ex.status = (uint16_t)status;
	text_clear(out);
	text_put_literal(out, "HTTP/1.1 ");
	text_put_u64(out, status);
	text_put_char(out, ' ');
	text_put_span(out, reason);
	text_put_literal(out, "\r\n");
	text_put_span(out, worker_date_line(w));
	text_put_literal(out, "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n");
	put_proxy_status(c, error);
	text_put_span(out, extra);
	text_put_literal(out, "Content-Length: ");
	text_put_u64(out, length);
	text_put_literal(out, "\r\n");
	put_connection(out, &c->ex);
	text_put_literal(out, "\r\n");
	if (c->ex.method != HTTP_METHOD_HEAD) {
		text_put_u64(out, status);
		text_put_char(out, ' ');
		text_put_span(out, reason);
		text_put_literal(out, "\n");
		text_put_span(out, line);
		if (line.n)
			text_put_literal(out, "\n");
	}
	return reply_send(c, text_span(out), SPAN_EMPTY);
}

enum step reply_status(struct client *c, unsigned status, enum proxy_error error, const char *text)
{
	return reply_text(c, status, error, text, SPAN_EMPTY);
}

enum step reply_too_slow(struct client *c, const char *text)
{
	c->ex.too_slow = true;
	c->ex.keep_alive = false;
	return reply_status(c, 408, PROXY_ERROR_HTTP_REQUEST_ERROR, text);
}

enum step reply_reject(struct client *c, enum http_error error)
{
	unsigned status = http_error_status(error);

	if (!c->ex.begun) {
		exchange_begin_rejected(c, error);
		/* Refused or not: an answer to HEAD has no content. */
		if (span_starts_with(peer_bytes(&c->peer), SPAN("HEAD ")))
			c->ex.method = HTTP_METHOD_HEAD;
	} else {
		exchange_reject(c, error);
	}
	c->ex.upload.done = false; /* whatever still comes is not a request that we could answer */
	return reply_status(c, status, PROXY_ERROR_HTTP_REQUEST_ERROR, http_error_text(error));
}

enum step reply_failure(struct client *c, enum proxy_error error)
{
	if (UNLIKELY(client_lacks_memory(c)))
		error = PROXY_ERROR_PROXY_INTERNAL_ERROR;
	c->ex.failure = (uint8_t)error;
	return reply_status(c, proxy_error_status(error), error, proxy_error_text(error));
}

/* TRACE is reflected (RFC 9110 section 9.3.8), without what may be secret; OPTIONS says nothing of its own. */
enum step reply_final_recipient(struct client *c)
{
	struct worker *w = c->worker;
	const struct http_request *r = exchange_request(c);
	struct text *out = &w->out;
	struct text body;
	enum step step;

	if (r->method_id == HTTP_METHOD_OPTIONS)
		return reply_text(c, 200, PROXY_ERROR_NONE, "",
			SPAN("Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH, TRACE\r\n"));
	c->ex.status = 200;
	text_init(&body);
	text_put_span(&body, r->method);
	text_put_char(&body, ' ');
	text_put_span(&body, r->target);
	text_put_literal(&body, " HTTP/1.1\r\n");
	for (unsigned i = 0; i < r->fields.n; i++) {
		const struct http_field *f = &r->fields.v[i];

		if (f->id != HTTP_FIELD_AUTHORIZATION && f->id != HTTP_FIELD_COOKIE &&
			!span_eq_nocase(f->name, SPAN("proxy-authorization")))
			http_write_field(&body, f->name, f->value);
	}
	text_put_literal(&body, "\r\n");
	if (body.cut) {
		text_deinit(&body);
		return client_close(c, CLOSE_NO_MEMORY, CONN_END_CLOSE);
	}
	c->ex.keep_alive = reply_can_keep(c);
	text_clear(out);
	text_put_literal(out, "HTTP/1.1 200 OK\r\n");
	text_put_span(out, worker_date_line(w));
	text_put_literal(out, "Content-Type: message/http\r\nCache-Control: no-store\r\nContent-Length: ");
	text_put_u64(out, body.n);
	text_put_literal(out, "\r\n");
	put_connection(out, &c->ex);
	text_put_literal(out, "\r\n");
	step = reply_send(c, text_span(out), text_span(&body));
	text_deinit(&body);
	return step;
}
