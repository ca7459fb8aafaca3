/*
 * decision: see decision.h.
 */
#include "proxy/decision.h"

#include <assert.h>
#include <errno.h>

#include "proxy/notice.h"
#include "proxy/worker.h"

void decision_note(struct client *c, const struct fault_plan *plan)
{
	struct exchange *ex = &c->ex;
	const struct ruleset *rules = &exchange_plan(c)->rules;
	struct claim *claim = ex->claim;
	const struct rule *rule = fault_effect_rule(&claim->effect);
	enum fault_kind kind = fault_effect_kind(&claim->effect);

	for (unsigned i = 0; i < plan->n_fired; i++) {
		for (uint32_t left = plan->fired[i].set->kinds & ~(UINT32_C(1) << FAULT_NONE); left; left &= left - 1)
			counter_bump(&c->worker->counters.faults[__builtin_ctz(left)], 1);
	}
	if (kind == FAULT_NONE) {
		rule = plan->fired[0].rule;
		kind = fault_set_first(plan->fired[0].set);
	}
	/* An earlier phase may have named it already: only an end outdoes that. */
	if (ex->rule && !claim->effect.end_rule)
		return;
	ex->rule = rule;
	ex->fault = (uint8_t)kind;
	for (unsigned i = 0; i < plan->n_decisions; i++) {
		if (plan->decisions[i].outcome == DECISION_FIRED && &rules->v[plan->decisions[i].rule] == rule)
			claim->decision = plan->decisions[i];
	}
}

struct claim *claim_get(struct client *c)
{
	struct claim *claim = c->ex.claim;

	if (claim)
		return claim;
	claim = pool_get(&c->worker->claims);
	if (!claim)
		return NULL;
	*claim = (struct claim){ .retry_after_ns = -1 };
	c->ex.claim = claim;
	return claim;
}

/* Does the plan ask for more than fits a claim? */
static bool needs_more(const struct claim *claim, const struct fault_plan *plan)
{
	return plan->quota || plan->n_held || claim->n_fired + plan->n_fired > CLAIM_FIRED_MAX;
}

static struct claim_more *more_get(struct client *c, struct claim *claim)
{
	if (!claim->more) {
		claim->more = pool_get(&c->worker->claims_more);
		if (!claim->more)
			return NULL;
		/* Not its lists: only what is counted of them means anything. */
		claim->more->quota = NULL;
		claim->more->n_quota_held = 0;
	}
	return claim->more;
}

static uint16_t *fired_place(struct claim *claim, unsigned i)
{
	return i < CLAIM_FIRED_MAX ? &claim->fired[i] : &claim->more->fired[i - CLAIM_FIRED_MAX];
}

/* Without memory for a claim: nothing acts, nothing is held. */
static int give_back(struct client *c, const struct fault_plan *plan)
{
	struct rule_states *states = &c->ex.generation->shared->states;

	for (unsigned i = 0; i < plan->n_fired; i++)
		decide_release(states, (unsigned)(plan->fired[i].rule - exchange_plan(c)->rules.v));
	for (unsigned i = 0; i < plan->n_held; i++)
		decide_release_limit(states, &plan->held[i]);
	return -ENOMEM;
}

/* What the plan holds is the exchange's to give back. -ENOMEM */
static int hold(struct client *c, const struct fault_plan *plan)
{
	struct claim *claim = claim_get(c);
	struct claim_more *more;

	if (!claim || (needs_more(claim, plan) && !more_get(c, claim)))
		return give_back(c, plan);
	more = claim->more;
	/* Room for two phases: nothing is let go of while it acts, so a ceiling is never exceeded. */
	assert(claim->n_fired + plan->n_fired <= 2 * FIRED_MAX);
	assert(!more || more->n_quota_held + plan->n_held <= ARRAY_LEN(more->quota_held));
	for (unsigned i = 0; i < plan->n_fired; i++)
		*fired_place(claim, claim->n_fired++) = (uint16_t)(plan->fired[i].rule - exchange_plan(c)->rules.v);
	if (plan->quota) {
		more->limit = plan->limit;
		more->quota = plan->quota;
	}
	/* Also of a dry run, which is no quota to tell of. */
	for (unsigned i = 0; i < plan->n_held; i++)
		more->quota_held[more->n_quota_held++] = plan->held[i];
	return 0;
}

/*
 * For the trace or the judge, where there is one: also what did not fire. Without memory for it they learn less, no
 * more is lost.
 */
static void remember(struct client *c, const struct fault_plan *plan)
{
	struct notice *n = c->ex.notice;

	if (LIKELY(!n) || (!plan->n_decisions && !plan->n_decisions_lost))
		return;
	if (!n->decided) {
		n->decided = pool_get(&c->worker->decided);
		if (!n->decided)
			return;
		record_decisions_init(n->decided);
	}
	record_decisions_add(n->decided, plan);
}

int decision_take(struct client *c, const struct facts *f, enum rule_phase phase)
{
	struct exchange *ex = &c->ex;
	struct worker *w = c->worker;
	const struct ruleset *rules = &exchange_plan(c)->rules;

	if (ex->claim)
		ex->claim->effect = (struct fault_effect){ 0 };
	if (w->disarmed || !ruleset_has_phase(rules, phase))
		return 0;
	decide(rules, &ex->generation->shared->states, f, phase, loop_now_ns(w->loop), w->patterns, &w->last_plan);
	remember(c, &w->last_plan);
	if (!w->last_plan.n_fired && !w->last_plan.quota && !w->last_plan.n_held)
		return 0;
	if (hold(c, &w->last_plan) < 0)
		return -ENOMEM;
	ex->claim->retry_after_ns = w->last_plan.retry_after_ns;
	fault_effect_take(&ex->claim->effect, &w->last_plan);
	ex->delay_ns += w->last_plan.delay_ns + w->last_plan.body_delay_ns;
	if (w->last_plan.n_fired)
		decision_note(c, &w->last_plan);
	return shape_take(c, &w->last_plan);
}

void decision_count_delay(struct client *c, int64_t intended_ns, int64_t actual_ns)
{
	c->ex.delayed = true;
	c->ex.delay_actual_ns += actual_ns;
	histogram_add(&c->worker->counters.delay, intended_ns);
	histogram_add(&c->worker->counters.delay_error, actual_ns - intended_ns);
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
	struct fault_verdict v;

	if (LIKELY(!ex->claim))
		return true;
	v = fault_next(&ex->claim->effect, since_ns, loop_now_ns(c->worker->loop));
	if (v.kind != FAULT_WAIT && ex->claim->effect.delay_ns && !ex->claim->effect.delay_counted) {
		decision_count_delay(c, ex->claim->effect.delay_ns, loop_now_ns(c->worker->loop) - since_ns);
		ex->claim->effect.delay_counted = true;
	}
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

void decision_let_go(struct client *c)
{
	struct exchange *ex = &c->ex;
	bool held = ex->state == EXCHANGE_HOLD || ex->state == EXCHANGE_HOLD_ANSWER;

	if (!held && !ex->shape)
		return;
	if (held) {
		int64_t since_ns = ex->state == EXCHANGE_HOLD ? ex->head_ns : ex->upstream_head_ns;

		/* Not among the errors of delays: it is over because somebody wants it to be. */
		ex->delay_actual_ns += loop_read_clock(c->worker->loop) - since_ns;
		ex->claim->effect = (struct fault_effect){ 0 };
	}
	shape_let_go(c, held);
	ex->waits_for = EXCHANGE_WAITS_NONE;
	loop_queue(c->worker->loop, &c->task);
}

void decision_release(struct client *c)
{
	struct exchange *ex = &c->ex;
	struct claim *claim = ex->claim;

	if (claim) {
		struct rule_states *states = &ex->generation->shared->states;
		struct claim_more *more = claim->more;

		while (claim->n_fired)
			decide_release(states, *fired_place(claim, --claim->n_fired));
		while (more && more->n_quota_held)
			decide_release_limit(states, &more->quota_held[--more->n_quota_held]);
		if (more)
			pool_put(&c->worker->claims_more, more);
		pool_put(&c->worker->claims, claim);
		ex->claim = NULL;
	}
	shape_free(c);
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
