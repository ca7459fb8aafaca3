/*
 * late: the head of one request is read and noted, then it is thrown away like everything behind it: to close at once would reset
 * the connection, and a client that has sent too much might lose the answer that it was sent before.
 */
#include "proxy/late.h"

#include "proxy/client.h"
#include "proxy/notice.h"
#include "proxy/worker.h"

bool late_is_watched(struct client *c)
{
	const struct exchange *ex = &c->ex;
	struct notice *n = ex->notice;

	if (LIKELY(!n || ex->keep_alive))
		return false;
	n->witness.closes = n->told_close && ex->upload.done && !client_is_ending(c);
	return n->witness.closes;
}

enum step late_begin(struct client *c)
{
	enum step step = client_linger(c);

	c->ex.watched = true;
	c->ex.first_ns = 0; /* nothing has come yet */
	return step;
}

/* A whole head has come, and stands in worker.request. */
static enum step note(struct client *c)
{
	int64_t told_ns = c->ex.answer_ns, first_ns = c->ex.first_ns;

	exchange_init(&c->ex);
	exchange_set_state(c, EXCHANGE_HEAD);
	exchange_open(c);
	c->ex.first_ns = first_ns;
	if (exchange_begin(c, &c->worker->request) == 0 && c->ex.notice)
		c->ex.notice->witness.after_close_ns = MAX(first_ns - told_ns, 1);
	exchange_finish(c, CLOSE_AFTER_CLOSE);
	return client_linger(c);
}

enum step late_run(struct client *c)
{
	struct worker *w = c->worker;
	const struct plan_limits *limits = &exchange_plan(c)->limits;
	enum http_error error;

	while (!c->timed_out) {
		enum peer_got got = peer_fetch_more(w, &c->peer, limits->max_header_bytes);
		struct span held = peer_bytes(&c->peer);

		if (got == PEER_WAIT && (!held.n || c->ex.first_ns))
			return STEP_WAIT;
		if (got != PEER_BYTES && got != PEER_WAIT)
			break;
		if (!c->ex.first_ns)
			c->ex.first_ns = loop_read_clock(w->loop);
		w->parsed_for = NULL;
		w->request.fields.cap = limits->max_headers;
		switch (http_request_parse(&w->request, held.p, held.n, &error)) {
		case HTTP_PARSE_OK:
			return note(c);
		case HTTP_PARSE_MORE:
			continue;
		default:
			/* No request: it is thrown away like what comes behind one. */
			c->ex.watched = false;
			return STEP_MORE;
		}
	}
	return client_close(c, CLOSE_COMPLETE, CONN_END_CLOSE);
}
