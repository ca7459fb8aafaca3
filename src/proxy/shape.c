/*
 * shape: see shape.h.
 */
#include "proxy/shape.h"

#include <errno.h>

#include "proxy/worker.h"

static void slower(uint64_t *rate, uint64_t other)
{
	if (other && (!*rate || other < *rate))
		*rate = other;
}

static void add_set(struct shape *s, const struct fault_fired *fired)
{
	const struct fault_set *set = fired->set;

	slower(&s->to_client.rate, set->throttle.download);
	slower(&s->to_upstream.rate, set->throttle.upload);
	if (set->drip.bytes) {
		s->to_client.drip_bytes = set->drip.bytes;
		s->to_client.drip_every_ns = set->drip.every_ns;
	}
	if (set->truncate.kind != TRUNCATE_NONE)
		s->truncate = &set->truncate;
	if (set->malformed != MALFORMED_NONE)
		s->malformed = set->malformed;
	if (set->corrupt.bytes)
		s->corrupt = *fired;
	if (set->request.is_set && s->n_requests < FIRED_MAX)
		s->requests[s->n_requests++] = &set->request;
	if (set->rewrite.is_set && s->n_rewrites < FIRED_MAX)
		s->rewrites[s->n_rewrites++] = &set->rewrite;
	if (set->hints.n_fields)
		s->hints = &set->hints;
}

int shape_take(struct client *c, const struct fault_plan *plan)
{
	struct exchange *ex = &c->ex;

	if (!(plan->kinds & SHAPE_KINDS) && !plan->body_delay_ns)
		return 0;
	if (!ex->shape) {
		ex->shape = pool_get(&c->worker->shapes);
		if (!ex->shape)
			return -ENOMEM;
		*ex->shape = (struct shape){ 0 };
	}
	for (unsigned i = 0; i < plan->n_fired; i++)
		add_set(ex->shape, &plan->fired[i]);
	ex->shape->body_delay_ns += plan->body_delay_ns;
	if (pace_is_set(&ex->shape->to_client))
		c->peer.pace = &ex->shape->to_client;
	return 0;
}

void shape_free(struct client *c)
{
	if (!c->ex.shape)
		return;
	c->peer.pace = NULL;
	pool_put(&c->worker->shapes, c->ex.shape);
	c->ex.shape = NULL;
}

void shape_let_go(struct client *c, bool all)
{
	struct shape *s = c->ex.shape;

	if (!s)
		return;
	s->to_client = (struct pace){ 0 };
	s->to_upstream = (struct pace){ 0 };
	s->body_delay_ns = 0;
	if (all)
		*s = (struct shape){ 0 };
	c->peer.pace = NULL;
	if (c->ex.up)
		c->ex.up->peer.pace = NULL;
}

void shape_hold_body(struct client *c)
{
	struct shape *s = c->ex.shape;

	s->to_client.next_ns = c->ex.answer_ns + s->body_delay_ns;
	c->peer.pace = &s->to_client;
}

void shape_look_at_body(struct client *c)
{
	struct shape *s = c->ex.shape;
	int64_t actual_ns;

	if (LIKELY(!s) || !s->body_delay_ns)
		return;
	actual_ns = loop_now_ns(c->worker->loop) - c->ex.answer_ns;
	if (actual_ns < s->body_delay_ns)
		return;
	if (c->ex.waits_for == EXCHANGE_WAITS_PACE)
		decision_count_delay(c, s->body_delay_ns, actual_ns);
	s->body_delay_ns = 0;
}

uint64_t shape_cut(const struct shape *s, uint64_t length)
{
	if (!s || !s->truncate)
		return UINT64_MAX;
	/* What is not longer than that passes whole. */
	if (s->truncate->kind == TRUNCATE_BYTES)
		return s->truncate->bytes < length ? s->truncate->bytes : UINT64_MAX;
	if (s->truncate->percent_e6 >= RULE_PERCENTAGE_ALL || length == 0)
		return UINT64_MAX;
	/* Of a body whose length nobody tells beforehand, a part of what is usual. */
	if (length == UINT64_MAX)
		length = 1024;
	/* Without overflow: whole hundredths of millionths, then what is left of the length. */
	return length / RULE_PERCENTAGE_ALL * s->truncate->percent_e6 +
		length % RULE_PERCENTAGE_ALL * s->truncate->percent_e6 / RULE_PERCENTAGE_ALL;
}

struct corrupt_source {
	const struct ruleset *rules;
	const struct fault_fired *fired;
};

static uint64_t corrupt_draw(const void *arg, uint32_t index)
{
	const struct corrupt_source *source = arg;

	/* Words below 16 are taken by deciding itself. */
	return decide_word(source->rules, source->fired, 16 + index);
}

void shape_body(struct client *c, uint64_t length)
{
	struct shape *s = c->ex.shape;
	struct corrupt_source source = { &exchange_plan(c)->rules, s ? &s->corrupt : NULL };

	if (!s)
		return;
	c->ex.download.cut_at = shape_cut(s, length);
	if (!s->corrupt.rule)
		return;
	corrupt_init(&s->corruptor, s->corrupt.set->corrupt.bytes, length, corrupt_draw, &source);
	c->ex.download.corruptor = &s->corruptor;
}
