/*
 * reply_fault: the answers that rules ask for: of abort, and of a quota that refuses. They were rendered when the rules were
 * loaded; here comes what differs from one to the next, and what other faults of the same exchange do to them.
 */
#include "base/log.h"
#include "fault/limit.h"
#include "fault/malformed.h"
#include "http/write.h"
#include "proxy/decision.h"
#include "proxy/facts.h"
#include "proxy/worker.h"

/* A body up to this rides along with the head in one piece. */
#define SMALL_BODY_BYTES 512

static struct log_limit violation_limit;

/* The classifier's word on an answer that a rule wants. True where it may leave. */
static bool may_leave(struct client *c, const struct status_response *shape, const struct rule *rule)
{
	struct status_response response = *shape;
	uint32_t found;

	/* The body stays here where the request is HEAD. */
	if (c->ex.method == HTTP_METHOD_HEAD)
		response.content = false;
	found = facts_check_status(c, &response);
	for (unsigned v = 0; found && v < STATUS_VIOLATION_COUNT; v++) {
		if (found & (UINT32_C(1) << v))
			log_every(&violation_limit, LOG_WARNING, "rule %.*s answers %u: %s (%s)", SPAN_ARG(rule->name),
				shape->code, status_violation_text((enum status_violation)v),
				status_violation_spec((enum status_violation)v));
	}
	return !(found & STATUS_VIOLATIONS_FRAMING);
}

/* Of a quota's refusal: what is left, and the wait that the limiter has reckoned. Of an abort: the hint that it asks for. */
static void put_hints(struct client *c, struct text *out, const struct fault_abort *abort)
{
	const struct claim *claim = c->ex.claim;
	const struct claim_more *asked = claim_quota(claim);
	bool is_refusal = asked && abort == &asked->quota->refusal;
	int64_t told_ns = claim ? claim->retry_after_ns : -1;
	int64_t wait_ns = told_ns >= 0 ? told_ns : abort->retry_after.min_ns;

	if (!is_refusal && abort->retry_after.kind == RETRY_AFTER_NONE)
		return;
	if (!is_refusal) {
		fault_answer_put_retry_after(out, abort, wait_ns, worker_wall_ns(c->worker));
		return;
	}
	fault_limit_put_headers(out, asked->quota, &asked->limit, worker_wall_ns(c->worker));
	fault_limit_put_retry_after(out, asked->quota, told_ns, worker_wall_ns(c->worker));
}

/* A copy whose bytes may be changed; empty where memory is out (then the body goes out unchanged). */
static void corrupt_copy(struct client *c, struct span body, struct text *copy)
{
	text_put_span(copy, body);
	shape_body(c, body.n);
	if (!copy->cut && c->ex.download.corruptor)
		(void)corrupt_apply(c->ex.download.corruptor, 0, copy->p, copy->n);
}

enum step reply_shaped(struct client *c, struct span body)
{
	struct shape *s = c->ex.shape;
	struct text *out = &c->worker->out;
	struct text copy;
	enum step step;
	uint64_t cut = shape_cut(s, body.n);

	if (!s)
		return reply_send(c, text_span(out), body);
	text_init(&copy);
	if (s->corrupt.rule && body.n) {
		corrupt_copy(c, body, &copy);
		if (!copy.cut)
			body = text_span(&copy);
	}
	if (s->malformed != MALFORMED_NONE)
		fault_malform_head(out, s->malformed);
	if (s->malformed == MALFORMED_CHUNK)
		body = fault_malformed_chunk();
	if (cut < body.n) {
		body = span_first(body, cut);
		c->ex.cut = true;
	}
	step = reply_send(c, text_span(out), body);
	text_deinit(&copy);
	return step;
}

enum step reply_abort(struct client *c, const struct rule *rule, const struct fault_abort *abort)
{
	struct worker *w = c->worker;
	const struct fault_answer *a = &c->ex.generation->shared->answers[abort->number];
	struct exchange *ex = &c->ex;
	struct text *out = &w->out;
	struct span body = ex->method == HTTP_METHOD_HEAD ? SPAN_EMPTY : a->body;

	if (!may_leave(c, &a->shape, rule))
		return reply_status(c, 500, PROXY_ERROR_PROXY_INTERNAL_ERROR,
			"The rule's answer cannot be sent to this request.");
	ex->keep_alive = reply_can_keep(c) && !a->closes && !(ex->shape && ex->shape->malformed != MALFORMED_NONE);
	ex->status = abort->status;
	text_clear(out);
	fault_answer_put_head(out, a, worker_date(w));
	put_hints(c, out, abort);
	if (!a->has_date)
		text_put_span(out, worker_date_line(w));
	if (exchange_plan(c)->fault_header)
		decision_put_line(c, out, rule, (enum fault_kind)ex->fault);
	fault_answer_put_connection(out, a, ex->keep_alive, ex->minor);
	text_put_literal(out, "\r\n");
	if (out->cut) /* fields beyond any reason: the head would be torn */
		return reply_status(c, 500, PROXY_ERROR_PROXY_INTERNAL_ERROR, "The rule's answer is too large.");
	if (ex->shape)
		return reply_shaped(c, body);
	if (body.n <= SMALL_BODY_BYTES && text_reserve(out, body.n)) {
		text_put_span(out, body);
		body = SPAN_EMPTY;
	}
	return reply_send(c, text_span(out), body);
}

int reply_hints(struct client *c)
{
	struct worker *w = c->worker;
	const struct fault_hints *hints = c->ex.shape ? c->ex.shape->hints : NULL;

	/* HTTP/1.0 knows no interim answers (RFC 9110 section 15.2). */
	if (!hints || c->ex.minor == 0)
		return 0;
	c->ex.shape->hints = NULL; /* once */
	text_clear(&w->out);
	text_put_literal(&w->out, "HTTP/1.1 103 Early Hints\r\n");
	for (unsigned i = 0; i < hints->n_fields; i++)
		http_write_field(&w->out, hints->fields[i].name, hints->fields[i].value);
	text_put_literal(&w->out, "\r\n");
	counter_add(&w->counters, COUNTER_RESPONSES_1XX, 1);
	return w->out.cut ? 0 : MIN(peer_send_span(w, &c->peer, text_span(&w->out)), 0);
}
