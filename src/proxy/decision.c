/*
 * decision: see decision.h.
 */
#include "proxy/decision.h"

#include <assert.h>

#include "proxy/worker.h"

void decision_note(struct client *c, const struct fault_plan *plan)
{
	struct exchange *ex = &c->ex;
	const struct rule *rule = fault_effect_rule(&ex->effect);
	enum fault_kind kind = fault_effect_kind(&ex->effect);

	for (unsigned i = 0; i < plan->n_fired; i++) {
		for (unsigned k = 1; k < FAULT_KIND_COUNT; k++) {
			if (plan->fired[i].set->kinds & (UINT32_C(1) << k))
				counter_bump(&c->worker->counters.faults[k], 1);
		}
	}
	if (kind == FAULT_NONE) {
		rule = plan->fired[0].rule;
		kind = fault_set_first(plan->fired[0].set);
	}
	/* An earlier phase may have named it already: only an end outdoes that. */
	if (ex->rule && !ex->effect.end_rule)
		return;
	ex->rule = rule;
	ex->fault = (uint8_t)kind;
	for (unsigned i = 0; i < plan->n_decisions; i++) {
		if (plan->decisions[i].outcome == DECISION_FIRED && &c->worker->plan->rules.v[plan->decisions[i].rule] == rule)
			ex->decision = plan->decisions[i];
	}
}

/* What the plan holds is the exchange's to give back. */
static void hold(struct client *c, const struct fault_plan *plan)
{
	struct exchange *ex = &c->ex;

	/* Room for two phases: nothing is let go of while it acts, so a ceiling is never exceeded. */
	assert(ex->n_fired + plan->n_fired <= ARRAY_LEN(ex->fired));
	assert(ex->n_quota_held + plan->n_held <= ARRAY_LEN(ex->quota_held));
	for (unsigned i = 0; i < plan->n_fired; i++)
		ex->fired[ex->n_fired++] = (uint16_t)(plan->fired[i].rule - c->worker->plan->rules.v);
	if (plan->quota) {
		ex->limit = plan->limit;
		ex->quota = plan->quota;
	}
	/* Also of a dry run, which is no quota to tell of. */
	for (unsigned i = 0; i < plan->n_held; i++)
		ex->quota_held[ex->n_quota_held++] = plan->held[i];
}

/* For the trace, where there is one: also what did not fire. Without memory for it the line says less, and no more is lost. */
static void remember(struct client *c, const struct fault_plan *plan)
{
	struct worker *w = c->worker;
	struct exchange *ex = &c->ex;

	if (LIKELY(!w->ring || !ring_wants_decisions(w->ring)) || (!plan->n_decisions && !plan->n_decisions_lost))
		return;
	if (!ex->decided) {
		ex->decided = pool_get(&w->decided);
		if (!ex->decided)
			return;
		record_decisions_init(ex->decided);
	}
	record_decisions_add(ex->decided, plan);
}

int decision_take(struct client *c, const struct facts *f, enum rule_phase phase)
{
	struct exchange *ex = &c->ex;
	struct worker *w = c->worker;

	ex->effect = (struct fault_effect){ 0 };
	if (!ruleset_has_phase(&w->plan->rules, phase))
		return 0;
	decide(&w->plan->rules, w->shared->states, f, phase, loop_now_ns(w->loop), w->patterns, &w->last_plan);
	remember(c, &w->last_plan);
	if (!w->last_plan.n_fired && !w->last_plan.quota && !w->last_plan.n_held)
		return 0;
	hold(c, &w->last_plan);
	ex->retry_after_ns = w->last_plan.retry_after_ns;
	fault_effect_take(&ex->effect, &w->last_plan);
	ex->delay_ns += ex->effect.delay_ns + w->last_plan.body_delay_ns;
	if (w->last_plan.n_fired)
		decision_note(c, &w->last_plan);
	return shape_take(c, &w->last_plan);
}

static void delay_is_over(struct client *c, int64_t since_ns)
{
	struct exchange *ex = &c->ex;
	int64_t actual = loop_now_ns(c->worker->loop) - since_ns;

	ex->delayed = true;
	ex->delay_actual_ns += actual;
	histogram_add(&c->worker->counters.delay, ex->effect.delay_ns);
	histogram_add(&c->worker->counters.delay_error, actual - ex->effect.delay_ns);
	ex->effect.delay_counted = true;
}

static enum step hold_until(struct client *c, enum exchange_state state, int64_t until_ns)
{
	if (c->ex.state != (uint8_t)state) {
		exchange_set_state(c, state);
		/* A reset right behind the request came with it, as one edge: no other would tell of it. */
		(void)conn_probe(&c->peer.conn);
		if (client_has_left(c))
			return client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE);
	}
	client_wait_until(c, until_ns);
	return STEP_WAIT;
}

bool decision_goes_on(struct client *c, enum rule_phase phase, enum step *step)
{
	struct exchange *ex = &c->ex;
	int64_t since_ns = phase == RULE_PHASE_REQUEST ? ex->head_ns : ex->upstream_head_ns;
	enum exchange_state held = phase == RULE_PHASE_REQUEST ? EXCHANGE_HOLD : EXCHANGE_HOLD_ANSWER;
	struct fault_verdict v = fault_next(&ex->effect, since_ns, loop_now_ns(c->worker->loop));

	if (v.kind != FAULT_WAIT && ex->effect.delay_ns && !ex->effect.delay_counted)
		delay_is_over(c, since_ns);
	switch (v.kind) {
	case FAULT_CONTINUE:
		return true;
	case FAULT_WAIT:
	case FAULT_HOLD:
		*step = hold_until(c, held, v.until_ns);
		break;
	case FAULT_REPLY:
		*step = reply_hints(c) < 0 ? client_close(c, CLOSE_CLIENT_LEFT, CONN_END_CLOSE) : reply_abort(c, v.rule, v.abort);
		break;
	case FAULT_CLOSE:
		*step = client_end(c, CLOSE_FAULT_CLOSE);
		break;
	case FAULT_REFUSE:
		atomic_fetch_add(&c->worker->shared->refuse_next, 1);
		*step = client_close(c, CLOSE_FAULT_RESET, CONN_END_RESET);
		break;
	case FAULT_RESET:
		*step = client_close(c, CLOSE_FAULT_RESET, CONN_END_RESET);
		break;
	}
	return false;
}

void decision_release(struct client *c)
{
	struct exchange *ex = &c->ex;

	while (ex->n_fired)
		decide_release(c->worker->shared->states, ex->fired[--ex->n_fired]);
	while (ex->n_quota_held)
		decide_release_limit(c->worker->shared->states, &ex->quota_held[--ex->n_quota_held]);
	shape_free(c);
	if (ex->decided) {
		pool_put(&c->worker->decided, ex->decided);
		ex->decided = NULL;
	}
}

void decision_put_line(const struct client *c, struct text *out, const struct rule *rule, enum fault_kind kind)
{
	text_put_literal(out, "X-Brownout: rule=");
	text_put_span(out, rule->name);
	text_put_literal(out, "; fault=");
	text_put_string(out, fault_kind_name(kind));
	text_put_literal(out, "; id=");
	text_put_hex(out, c->ex.id, 1);
	text_put_literal(out, "\r\n");
}
