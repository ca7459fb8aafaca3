/*
 * answer: from the first byte of the upstream's answer to the last one for the client: interim heads, the final head, the
 * rules of phase response, the body.
 */
#include <assert.h>

#include "fault/edit.h"
#include "fault/limit.h"
#include "fault/malformed.h"
#include "http/write.h"
#include "proxy/decision.h"
#include "proxy/facts.h"
#include "proxy/notice.h"
#include "proxy/worker.h"

/* More 1xx heads than this for one request are an attack or a loop. */
#define INTERIMS_MAX 100

static struct upstream_conn *up_of(struct client *c)
{
	return c->ex.up;
}

/* ---- the head ---- */

/* The upstream stopped before a whole head was here. */
static enum step head_ended(struct client *c)
{
	const struct exchange *ex = &c->ex;

	if (peer_bytes(&ex->up->peer).n)
		return reply_failure(c, PROXY_ERROR_HTTP_RESPONSE_INCOMPLETE);
	return forward_failed(c, PROXY_ERROR_CONNECTION_TERMINATED);
}

/* Why the head was refused, as RFC 9209 names it. */
static enum step head_refused(struct client *c, enum http_error error)
{
	/* The text of each error says enough in the log; on the wire all others are one type. */
	enum proxy_error type = PROXY_ERROR_HTTP_PROTOCOL_ERROR;

	if (error == HTTP_ERROR_HEAD_TOO_LARGE || error == HTTP_ERROR_TOO_MANY_FIELDS)
		type = PROXY_ERROR_HTTP_RESPONSE_HEADER_SECTION_SIZE;
	else if (error == HTTP_ERROR_CODING_INVALID || error == HTTP_ERROR_CODING_UNSUPPORTED)
		type = PROXY_ERROR_HTTP_RESPONSE_TRANSFER_CODING;
	return reply_failure(c, type);
}

/* A status line that comes in pieces is looked at once it is whole: what is no HTTP need not be waited for to its end. */
#define FIRST_LINE_BYTES 256

static bool ends_first_line(struct span held, size_t before)
{
	struct span news = span_skip(held, before);

	return before < FIRST_LINE_BYTES && memchr(news.p, '\n', news.n) && !memchr(held.p, '\n', before);
}

static enum step read_more(struct client *c)
{
	size_t max = exchange_plan(c)->limits.max_header_bytes;
	struct peer *peer = &up_of(c)->peer;

	for (;;) {
		size_t before = peer_bytes(peer).n;
		enum peer_got got = peer_fetch_more(c->worker, peer, max);
		struct span held = peer_bytes(peer);
		size_t scanned = c->ex.scanned;

		if (got == PEER_WAIT)
			return STEP_WAIT;
		if (got == PEER_EOF || got == PEER_FAILED)
			return head_ended(c);
		if (got == PEER_FULL)
			return reply_failure(c, PROXY_ERROR_HTTP_RESPONSE_HEADER_SECTION_SIZE);
		if (http_head_is_due(held.p, held.n, &scanned) || ends_first_line(held, before))
			return STEP_MORE;
		c->ex.scanned = (uint32_t)scanned;
	}
}

static enum step take_head(struct client *c);

enum step answer_read_head(struct client *c)
{
	struct worker *w = c->worker;
	struct exchange *ex = &c->ex;
	struct peer *peer = &ex->up->peer;
	enum http_error error = HTTP_ERROR_NONE;
	struct span bytes;

	/* A part of a head is here: parse again only when that can bring something. */
	if (ex->scanned) {
		enum step step = read_more(c);

		if (step != STEP_MORE || ex->state != EXCHANGE_FORWARD)
			return step;
	} else {
		switch (peer_fetch(w, peer)) {
		case PEER_BYTES:
			break;
		case PEER_WAIT:
			return STEP_WAIT;
		case PEER_EOF:
		case PEER_FAILED:
		case PEER_FULL:
			return head_ended(c);
		}
	}
	bytes = peer_bytes(peer);
	ex->scanned = 0;
	w->response.fields.cap = exchange_plan(c)->limits.max_headers;
	/* Writable: the peer's own bytes, in the scratch or in its block. */
	switch (http_response_parse(&w->response, (char *)(uintptr_t)bytes.p, bytes.n, (enum http_method)ex->method, &error)) {
	case HTTP_PARSE_OK:
		return take_head(c);
	case HTTP_PARSE_MORE:
		ex->scanned = 1;
		return STEP_MORE;
	default:
		return head_refused(c, error);
	}
}

/* What the classifier finds in the upstream's head is counted; what would break framing is mended by how heads are written. */
static void count_violations(struct client *c, const struct http_response *r)
{
	struct status_response response = {
		.code = r->status,
		.fields = facts_status_fields(&r->fields),
		.final = r->status >= 200,
		.content = r->body != HTTP_BODY_NONE && !(r->body == HTTP_BODY_LENGTH && r->body_length == 0),
	};

	if (r->status == 206) {
		const struct http_field *type = http_fields_first(&r->fields, HTTP_FIELD_CONTENT_TYPE);

		response.multipart = type && span_eq_nocase(span_first(type->value, 20), SPAN("multipart/byteranges"));
	}
	(void)facts_check_status(c, &response);
}

/* An interim answer goes on at once (RFC 9110 section 15.2), but not to HTTP/1.0, which knows none. */
static enum step pass_interim(struct client *c)
{
	struct worker *w = c->worker;
	struct exchange *ex = &c->ex;
	const struct http_forward_response how = { .via = exchange_plan(c)->via, .drop_length = true };
	int sent = 0;

	if (++ex->interims > INTERIMS_MAX)
		return reply_failure(c, PROXY_ERROR_HTTP_PROTOCOL_ERROR);
	/* The upstream was asked in HTTP/1.1: that an HTTP/1.0 client must not see this is not its fault. */
	if (ex->minor > 0)
		count_violations(c, &w->response);
	counter_add(&w->counters, COUNTER_RESPONSES_1XX, 1);
	text_clear(&w->out);
	http_write_response_head(&w->out, &w->response, &how);
	peer_consume(w, &ex->up->peer, w->response.head_n);
	if (w->out.cut)
		return reply_failure(c, PROXY_ERROR_HTTP_RESPONSE_HEADER_SECTION_SIZE);
	if (ex->minor > 0)
		sent = peer_send_span(w, &c->peer, text_span(&w->out));
	if (sent < 0)
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	return STEP_MORE;
}

/* ---- the rules of phase response ---- */

static enum step pass_answer(struct client *c);

/* The upstream's answer lies unread behind its parsed head. */
static enum step act(struct client *c)
{
	struct exchange *ex = &c->ex;
	enum step step;

	if (!decision_goes_on(c, RULE_PHASE_RESPONSE, &step))
		return step;
	if (ex->state != EXCHANGE_HOLD_ANSWER)
		return pass_answer(c);
	/* Others have used the work space meanwhile: the head is parsed again from the kept bytes. */
	exchange_set_state(c, EXCHANGE_FORWARD);
	ex->waits_for = EXCHANGE_WAITS_NONE;
	exchange_wait(c, EXCHANGE_WAITS_UPSTREAM_READ);
	return STEP_MORE;
}

enum step answer_hold_over(struct client *c)
{
	if (client_has_left(c))
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	return act(c);
}

/* The protocol that the upstream switches to is one of those that the client named (RFC 9110 section 7.8). */
static bool was_offered(struct client *c, const struct http_response *r)
{
	const struct http_field *chosen = http_fields_first(&r->fields, HTTP_FIELD_UPGRADE);

	return chosen && http_upgrade_passes(chosen->value) &&
	       http_fields_list_has(&exchange_request(c)->fields, HTTP_FIELD_UPGRADE, chosen->value);
}

static int decide_answer(struct client *c)
{
	struct facts f;

	/* What phase request has decided is done with. */
	if (c->ex.claim)
		c->ex.claim->effect = (struct fault_effect){ 0 };
	if (!ruleset_has_phase(&exchange_plan(c)->rules, RULE_PHASE_RESPONSE))
		return 0;
	facts_of_request(c, exchange_request(c), &f);
	f.status = c->ex.upstream_status;
	return decision_take(c, &f, RULE_PHASE_RESPONSE);
}

static enum step take_head(struct client *c)
{
	struct worker *w = c->worker;
	struct exchange *ex = &c->ex;
	const struct http_response *r = &w->response;

	/* A head that came whole in one read is held to the same bound as one that came in parts. */
	if (r->head_n > exchange_plan(c)->limits.max_header_bytes)
		return reply_failure(c, PROXY_ERROR_HTTP_RESPONSE_HEADER_SECTION_SIZE);
	if (r->status < 200 && r->status != 101)
		return pass_interim(c);
	if (ex->answer_decided)
		return pass_answer(c);
	if (r->status == 101 && (!ex->upgrade || !ex->upload_over || !was_offered(c, r)))
		return reply_failure(c, PROXY_ERROR_HTTP_UPGRADE_FAILED);
	ex->upstream_head_ns = loop_now_ns(w->loop);
	ex->upstream_status = (uint16_t)r->status;
	if (r->status != 101)
		count_violations(c, r);
	ex->answer_decided = true;
	if (decide_answer(c) < 0)
		return client_close(c, CLOSE_NO_MEMORY, CONN_END_CLOSE);
	return act(c);
}

/* ---- passing it on ---- */

/* How the answer's end will be known to the client, and whether its connection can stay. */
static void frame_answer(struct client *c, const struct http_response *r, struct http_forward_response *how)
{
	struct exchange *ex = &c->ex;
	enum fault_malformed malformed = ex->shape ? ex->shape->malformed : MALFORMED_NONE;
	bool unframed = r->body == HTTP_BODY_CHUNKED || r->body == HTTP_BODY_UNTIL_CLOSE;

	how->upgrade = r->status == 426; /* the field says what it demands */
	how->chunked = unframed && ex->minor > 0;
	if (malformed == MALFORMED_CHUNK)
		how->chunked = true;
	else if (malformed == MALFORMED_CONTENT_LENGTH || malformed == MALFORMED_EARLY_EOF || malformed == MALFORMED_HTTP09)
		how->chunked = false;
	ex->visible_end = unframed && !how->chunked && malformed == MALFORMED_NONE;
	how->drop_length = r->status == 204 || unframed;
	/* Answered before the request was read whole: nobody could tell its rest from the next request. */
	if ((unframed && !how->chunked) || !ex->upload_over || ex->upload_broken || client_is_ending(c) || malformed)
		ex->keep_alive = false;
	if (!ex->keep_alive)
		how->connection = HTTP_CONNECTION_CLOSE;
	else
		how->connection = ex->minor == 0 ? HTTP_CONNECTION_KEEP_ALIVE : HTTP_CONNECTION_DEFAULT;
}

static enum step relay_answer(struct client *c, struct span head);

struct fault_edited answer_add_lines(struct client *c, struct text *extra)
{
	struct exchange *ex = &c->ex;
	const struct claim_more *asked = claim_quota(ex->claim);
	struct shape *s = ex->shape;
	struct fault_edited edited = { 0 };

	if (ex->rule && exchange_plan(c)->fault_header)
		decision_put_line(c, extra, ex->rule, (enum fault_kind)ex->fault);
	if (asked && !asked->limit.refused)
		fault_limit_put_headers(extra, asked->quota, &asked->limit, worker_wall_ns(c->worker));
	if (s && s->n_rewrites)
		edited = fault_edit_response(s->rewrites, s->n_rewrites, (enum http_method)ex->method, &c->worker->response,
			extra);
	return edited;
}

/* The head, in the worker's text. False where it is too large, or memory is out. */
static bool write_answer_head(struct client *c, struct fault_edited *edited)
{
	struct worker *w = c->worker;
	struct http_response *r = &w->response;
	struct http_forward_response how = { .via = exchange_plan(c)->via };

	text_clear(&w->extra);
	*edited = answer_add_lines(c, &w->extra);
	frame_answer(c, r, &how);
	if (!edited->names_date)
		how.date = worker_date(w);
	how.extra = text_span(&w->extra);
	text_clear(&w->out);
	http_write_response_head(&w->out, r, &how);
	c->ex.download.chunk_out = how.chunked;
	if (w->extra.cut)
		w->out.cut = true;
	return !w->out.cut;
}

/* With the body's delay the head goes out in time, and nothing after it before its moment. */
static enum step send_head_first(struct client *c)
{
	struct worker *w = c->worker;

	if (peer_send_span(w, &c->peer, text_span(&w->out)) < 0)
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	c->ex.answer_begun = true;
	shape_hold_body(c);
	return STEP_MORE;
}

/* A rule wants another status than that of the upstream. */
static bool is_rewritten(const struct shape *s)
{
	for (unsigned i = 0; s && i < s->n_rewrites; i++) {
		if (s->rewrites[i]->status)
			return true;
	}
	return false;
}

static enum step pass_answer(struct client *c)
{
	struct worker *w = c->worker;
	struct exchange *ex = &c->ex;
	const struct http_response *r = &w->response;
	/* What comes in; the rules may have it that something else goes out. */
	enum http_body body = r->body;
	uint64_t length = r->body_length;
	struct fault_edited edited;
	enum step step;

	if (r->status == 101 && !is_rewritten(ex->shape))
		return tunnel_begin(c);
	if (!write_answer_head(c, &edited))
		return reply_failure(c, PROXY_ERROR_HTTP_RESPONSE_HEADER_SECTION_SIZE);
	ex->status = (uint16_t)r->status;
	if (edited.replaces)
		return reply_shaped(c, edited.body);
	relay_init(&ex->download, body, length, ex->download.chunk_out);
	ex->download.drop_trailers = body == HTTP_BODY_CHUNKED && http_fields_have_private(&r->fields);
	/* What has switched speaks HTTP no more. */
	ex->up_keep_alive = r->keep_alive && ex->upstream_status != 101;
	if (ex->shape) {
		shape_body(c, body == HTTP_BODY_LENGTH ? length : body == HTTP_BODY_NONE ? 0 : UINT64_MAX);
		ex->download.bad_chunk = ex->shape->malformed == MALFORMED_CHUNK;
		fault_malform_head(&w->out, ex->shape->malformed);
	}
	ex->head_wire_bytes = (uint32_t)w->out.n;
	exchange_set_state(c, EXCHANGE_RELAY);
	/* answer_relay, which follows unless all is sent at once, sets the deadline. */
	ex->waits_for = EXCHANGE_WAITS_NONE;
	exchange_note_answer(c);
	notice_answer(c, text_span(&w->out), &r->fields);
	/* Only now: the fields go with the bytes. */
	peer_consume(w, &ex->up->peer, r->head_n);
	if (ex->shape && ex->shape->body_delay_ns)
		return send_head_first(c);
	step = relay_answer(c, text_span(&w->out));
	return step == STEP_WAIT ? STEP_MORE : step;
}

/* The upstream failed in the middle of its answer: the client must see that it is not whole. */
static enum step cut(struct client *c, enum proxy_error error)
{
	c->ex.failure = (uint8_t)error;
	return client_close(c, CLOSE_UPSTREAM_CUT, c->ex.visible_end ? CONN_END_RESET : CONN_END_CLOSE);
}

static enum step complete(struct client *c)
{
	struct exchange *ex = &c->ex;

	if (ex->up_keep_alive && ex->upload_over && !ex->upload_broken && !peer_bytes(&ex->up->peer).n && !ex->up->peer.out.n)
		upstream_keep(ex->up);
	else
		upstream_close(ex->up);
	ex->up = NULL;
	return client_answered(c, CLOSE_COMPLETE);
}

static enum step relay_answer(struct client *c, struct span head)
{
	struct exchange *ex = &c->ex;
	struct worker *w = c->worker;
	enum http_error error = HTTP_ERROR_NONE;
	enum relay_result r = relay_run(w, &ex->download, &ex->up->peer, &c->peer, &head, &error);

	if (head.n) {
		/* Not a byte of the head has left: an answer of our own can still take its place. */
		ex->status = 0;
		return reply_failure(c, r == RELAY_MALFORMED ? PROXY_ERROR_HTTP_RESPONSE_TRANSFER_CODING :
							       PROXY_ERROR_HTTP_RESPONSE_INCOMPLETE);
	}
	ex->answer_begun = true;
	ex->download_blocked = r == RELAY_WAIT_WRITE;
	switch (r) {
	case RELAY_DONE:
		return complete(c);
	case RELAY_CUT:
		return client_cut(c, ex->shape->truncate->reset);
	case RELAY_MORE:
		return STEP_MORE;
	case RELAY_WAIT_READ:
	case RELAY_WAIT_WRITE:
		return STEP_WAIT;
	case RELAY_SOURCE_END:
		return cut(c, PROXY_ERROR_HTTP_RESPONSE_INCOMPLETE);
	case RELAY_SOURCE_FAILED:
		return cut(c, PROXY_ERROR_CONNECTION_TERMINATED);
	case RELAY_MALFORMED:
		return cut(c, PROXY_ERROR_HTTP_RESPONSE_TRANSFER_CODING);
	case RELAY_TARGET_FAILED:
		break;
	}
	return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
}

/* Neither direction can go on now: whose turn is it? */
static enum step relay_waits(struct client *c)
{
	struct exchange *ex = &c->ex;
	enum exchange_waits waits = ex->download_blocked ? EXCHANGE_WAITS_CLIENT_WRITE : EXCHANGE_WAITS_UPSTREAM_READ;

	if (client_has_given_up(c))
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	/* Nothing is written to the client that would tell of its leaving: there is nothing, or its moment has not come. */
	if (ex->upload_over && (!ex->download_blocked || peer_is_paced(&c->peer)) && client_has_left(c))
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	if (ex->download_blocked)
		exchange_wait_write(c, &c->peer, waits);
	else
		exchange_wait(c, waits);
	return STEP_WAIT;
}

enum step answer_relay(struct client *c)
{
	struct exchange *ex = &c->ex;
	enum step sent, got;

	if (c->timed_out && ex->waits_for != EXCHANGE_WAITS_PACE && !exchange_still_writes(c))
		return ex->waits_for == EXCHANGE_WAITS_CLIENT_WRITE ? client_close(c, CLOSE_CLIENT_TIMEOUT, CONN_END_RESET) :
								      cut(c, PROXY_ERROR_CONNECTION_READ_TIMEOUT);
	shape_look_at_body(c);
	/* The answer may have begun before the request had ended: both go on. */
	sent = forward_upload(c);
	if (sent == STEP_DONE)
		return sent;
	got = relay_answer(c, SPAN_EMPTY);
	if (got == STEP_DONE || ex->state != EXCHANGE_RELAY)
		return got;
	if (got == STEP_MORE || sent == STEP_MORE)
		return STEP_MORE;
	return relay_waits(c);
}
