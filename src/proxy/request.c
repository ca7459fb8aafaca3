/*
 * request: what happens between a complete request head and the first step towards the upstream: routing, the rules of
 * phase request, and carrying out what they decided.
 */
#include <errno.h>

#include "http/uri.h"
#include "http/write.h"
#include "proxy/control.h"
#include "proxy/decision.h"
#include "proxy/facts.h"
#include "proxy/worker.h"

/* A request that has passed here so often is going round in circles (RFC 9110 section 7.6). */
#define LOOP_PASSES_MAX 10

static bool goes_in_circles(const struct http_request *r, struct span pseudonym)
{
	const struct http_field *via;
	unsigned passes = 0;

	if (!http_fields_have(&r->fields, HTTP_FIELD_VIA))
		return false;
	for (unsigned i = 0; (via = http_fields_find(&r->fields, SPAN("via"), i)) != NULL; i++) {
		struct span rest = via->value;
		struct span element;

		while (span_next_element(&rest, &element)) {
			size_t gap = span_find(element, ' ');

			if (gap < element.n && span_eq_nocase(span_trim(span_skip(element, gap)), pseudonym))
				passes++;
		}
	}
	return passes >= LOOP_PASSES_MAX;
}

/* The upstream of the first route that matches; UINT16_MAX where none does. */
static uint16_t route(const struct client *c, const struct facts *f)
{
	const struct plan_listener *l = &exchange_plan(c)->listeners[c->ex.listener];

	for (unsigned i = 0; i < l->n_routes; i++) {
		if (match_holds(&l->routes[i].match, f, c->worker->patterns))
			return l->routes[i].upstream;
	}
	return UINT16_MAX;
}

/* Max-Forwards counts down for TRACE and OPTIONS alone (RFC 9110 section 7.6.2). */
static bool is_final_recipient(const struct http_request *r)
{
	const struct http_field *f;
	uint64_t left;

	if (r->method_id != HTTP_METHOD_TRACE && r->method_id != HTTP_METHOD_OPTIONS)
		return false;
	f = http_fields_first(&r->fields, HTTP_FIELD_MAX_FORWARDS);
	return f && span_to_u64(f->value, &left) == 0 && left == 0;
}

static enum step act(struct client *c)
{
	enum step step;

	if (!decision_goes_on(c, RULE_PHASE_REQUEST, &step))
		return step;
	return reply_hints(c) < 0 ? client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE) : forward_begin(c);
}

enum step request_begin(struct client *c)
{
	struct worker *w = c->worker;
	const struct http_request *r = &w->request;
	struct exchange *ex = &c->ex;
	struct facts f;
	enum step step;

	if (exchange_begin(c, r) < 0)
		return client_close(c, CLOSE_NO_MEMORY, CONN_END_CLOSE);
	/* A saved head that was in a block of the peer's: its spans went with the block. */
	r = exchange_request(c);
	if (goes_in_circles(r, exchange_plan(c)->via))
		return reply_status(c, 502, PROXY_ERROR_PROXY_LOOP_DETECTED, proxy_error_text(PROXY_ERROR_PROXY_LOOP_DETECTED));
	facts_of_request(c, r, &f);
	ex->upstream = route(c, &f);
	if (ex->upstream == UINT16_MAX)
		return reply_status(c, 404, PROXY_ERROR_DESTINATION_NOT_FOUND, "No route leads to an upstream.");
	f.upstream = ex->upstream;
	if (is_final_recipient(r))
		return reply_final_recipient(c);
	if (exchange_plan(c)->control.enabled && !w->disarmed) {
		switch (control_take(c, &w->request, &f, &step)) {
		case CONTROL_REFUSED:
			return step;
		case CONTROL_TAKEN:
			return act(c);
		case CONTROL_NOTHING:
			break;
		}
	}
	if (decision_take(c, &f, RULE_PHASE_REQUEST) < 0)
		return client_close(c, CLOSE_NO_MEMORY, CONN_END_CLOSE);
	return act(c);
}

/*
 * While a fault holds the request nothing of the client is read, but its leaving shows as an edge: then timer and slot
 * are let go at once.
 */
enum step request_hold_over(struct client *c)
{
	if (client_has_left(c))
		return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	return act(c);
}
