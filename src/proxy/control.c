/*
 * control: see control.h.
 */
#include "proxy/control.h"

#include <stdlib.h>

#include "core/distribution.h"
#include "proxy/decision.h"
#include "proxy/worker.h"

#define PREFIX "x-brownout-"

/* What the code demands and can be filled in, as in rule files. */
static void fill_fields(struct control *control, unsigned status)
{
	struct fault_abort *abort = &control->aborts[status];
	uint32_t must = status_classify(status)->must_fields;

	abort->fields = control->fields[status];
	for (unsigned i = 0; i < STATUS_FIELD_COUNT && abort->n_fields < CONTROL_FIELDS_MAX; i++) {
		const char *value = must >> i & 1 ? status_field_fill(status, (enum status_field)i) : NULL;

		if (value)
			abort->fields[abort->n_fields++] = (struct fault_field){
				span_of_string(status_field_name((enum status_field)i)), span_of_string(value) };
	}
}

struct control *control_new(unsigned number)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control)
		return NULL;
	control->rule.name = SPAN("header");
	for (unsigned status = 200; status <= STATUS_MAX; status++) {
		control->aborts[status].status = (uint16_t)status;
		control->aborts[status].number = (uint16_t)(number + status - 200);
		fill_fields(control, status);
	}
	return control;
}

void control_free(struct control *control)
{
	free(control);
}

static bool may_ask(const struct plan_control *plan, enum plan_ask ask)
{
	for (unsigned i = 0; i < plan->n_allow; i++) {
		if (plan->allow[i] == ask)
			return true;
	}
	return false;
}

/* Digits and one of ms, s, m; 1 where it is not that. */
static int parse_delay(struct span text, int64_t *ns)
{
	static const struct {
		struct span unit;
		int64_t ns;
	} units[] = {
		{ { "ms", 2 }, NS_PER_MS },
		{ { "s", 1 }, NS_PER_S },
		{ { "m", 1 }, 60 * NS_PER_S },
	};
	size_t digits = 0;
	uint64_t n;

	while (digits < text.n && ascii_is_digit(text.p[digits]))
		digits++;
	if (span_to_u64(span_first(text, digits), &n) != 0)
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (span_eq(span_skip(text, digits), units[i].unit)) {
			/* However long: no delay that is asked for is longer than max_delay. */
			*ns = (int64_t)MIN(n, (uint64_t)(INT64_MAX / units[i].ns)) * units[i].ns;
			return 0;
		}
	}
	return 1;
}

static enum step refuse(struct client *c, unsigned status, const char *text)
{
	return reply_status(c, status, status == 403 ? PROXY_ERROR_HTTP_REQUEST_DENIED : PROXY_ERROR_HTTP_REQUEST_ERROR, text);
}

static const char *ask_abort(struct client *c, struct span value)
{
	struct fault_effect *effect = &c->ex.claim->effect;
	struct control *control = c->ex.generation->shared->control;
	uint64_t status;

	if (span_to_u64(value, &status) != 0 || status < 200 || status > STATUS_MAX)
		return "x-brownout-abort is not a final status code.";
	effect->end_rule = &control->rule;
	effect->end_abort = &control->aborts[status];
	return NULL;
}

static const char *ask_delay(struct client *c, struct span value)
{
	const struct plan_control *plan = &exchange_plan(c)->control;
	int64_t ns;

	if (parse_delay(value, &ns) != 0)
		return "x-brownout-delay is not a duration such as 250ms, 2s or 1m.";
	c->ex.claim->effect.delay_ns = MIN(ns, plan->max_delay_ns);
	c->ex.claim->effect.delay_rule = &c->ex.generation->shared->control->rule;
	return NULL;
}

/* The rule's own faults, once, whatever it matches and draws. Ceilings and counts are for what rules do by themselves. */
static const char *ask_rule(struct client *c, struct span name)
{
	const struct ruleset *set = &exchange_plan(c)->rules;
	struct fault_plan *plan = &c->worker->last_plan;
	const struct rule *rule = NULL;
	uint64_t word;

	for (unsigned i = 0; i < set->n && !rule; i++) {
		if (span_eq(set->v[i].name, name))
			rule = &set->v[i];
	}
	if (!rule || rule->phase != RULE_PHASE_REQUEST || rule->faults.limit || !rule->faults.kinds)
		return "x-brownout-rule names no rule of phase request with faults of its own.";
	*plan = (struct fault_plan){ .n_fired = 1, .end = fault_set_is_terminal(&rule->faults) ? 0 : -1, .retry_after_ns = -1 };
	plan->kinds = rule->faults.kinds;
	plan->fired[0] = (struct fault_fired){ .rule = rule, .set = &rule->faults, .occurrence = c->ex.id };
	word = decide_word(set, &plan->fired[0], 1);
	if (rule->faults.delay.kind != DELAY_NONE && rule->faults.delay.at_body)
		plan->body_delay_ns = distribution_draw(&rule->faults.delay, word);
	else if (rule->faults.delay.kind != DELAY_NONE)
		plan->delay_ns = distribution_draw(&rule->faults.delay, word);
	plan->delay_rule = rule;
	fault_effect_take(&c->ex.claim->effect, plan);
	decision_note(c, plan);
	return shape_take(c, plan) < 0 ? "Memory is out." : NULL;
}

static void note_asked(struct client *c)
{
	struct exchange *ex = &c->ex;
	const struct fault_effect *effect = &ex->claim->effect;
	enum fault_kind kind = effect->end_abort ? FAULT_ABORT : FAULT_DELAY;

	ex->delay_ns = effect->delay_ns + (ex->shape ? ex->shape->body_delay_ns : 0);
	ex->asked = true;
	if (ex->rule)
		return;
	ex->rule = &c->ex.generation->shared->control->rule;
	ex->fault = (uint8_t)kind;
	counter_bump(&c->worker->counters.faults[kind], 1);
}

static struct http_field *control_field(struct http_request *r, struct span name)
{
	for (unsigned i = 0; i < r->fields.n; i++) {
		if (span_eq_nocase(r->fields.v[i].name, name))
			return &r->fields.v[i];
	}
	return NULL;
}

enum control_result control_take(struct client *c, struct http_request *r, const struct facts *f, enum step *step)
{
	static const struct {
		struct span name;
		enum plan_ask ask;
		const char *(*take)(struct client *c, struct span value);
	} asks[] = {
		{ { PREFIX "rule", sizeof(PREFIX "rule") - 1 }, PLAN_ASK_RULE, ask_rule },
		{ { PREFIX "delay", sizeof(PREFIX "delay") - 1 }, PLAN_ASK_DELAY, ask_delay },
		{ { PREFIX "abort", sizeof(PREFIX "abort") - 1 }, PLAN_ASK_ABORT, ask_abort },
	};
	const struct plan_control *plan = &exchange_plan(c)->control;
	const struct http_field *token = control_field(r, SPAN(PREFIX "token"));
	bool asked = false;

	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		const struct http_field *field = control_field(r, asks[i].name);
		const char *wrong;

		if (!field || ruleset_excludes(&exchange_plan(c)->rules, f->path, c->worker->patterns))
			continue;
		if (!may_ask(plan, asks[i].ask) || (plan->token.n && !(token && span_eq_secret(token->value, plan->token)))) {
			*step = refuse(c, 403, "This request may not ask for a fault.");
			return CONTROL_REFUSED;
		}
		wrong = claim_get(c) ? asks[i].take(c, field->value) : "Memory is out.";
		if (wrong) {
			*step = refuse(c, 400, wrong);
			return CONTROL_REFUSED;
		}
		asked = true;
	}
	if (!asked)
		return CONTROL_NOTHING;
	note_asked(c);
	return CONTROL_TAKEN;
}

void control_hide(struct http_request *r)
{
	for (unsigned i = 0; i < r->fields.n; i++) {
		if (span_eq_nocase(span_first(r->fields.v[i].name, sizeof(PREFIX) - 1), SPAN(PREFIX)))
			r->fields.v[i].drop = true;
	}
}
