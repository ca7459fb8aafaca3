/*
 * fault: verdicts from effects. Pure.
 */
#include "fault/fault.h"

void fault_effect_take(struct fault_effect *e, const struct fault_plan *plan)
{
	const struct fault_fired *end = plan->end < 0 ? NULL : &plan->fired[plan->end];

	*e = (struct fault_effect){ .delay_ns = plan->delay_ns, .delay_rule = plan->delay_rule };
	if (!end)
		return;
	e->end_rule = end->rule;
	e->end_set = end->set;
	if (end->set->limit)
		e->end_abort = &end->set->limit->refusal;
	else if (end->set->abort.status)
		e->end_abort = &end->set->abort;
}

struct fault_verdict fault_next(const struct fault_effect *e, int64_t since_ns, int64_t now_ns)
{
	const int64_t over_ns = now_ns - since_ns - e->delay_ns; /* since the delay's end */
	struct fault_verdict v = { .kind = FAULT_CONTINUE, .rule = e->end_rule, .abort = e->end_abort };

	if (over_ns < 0 && e->delay_ns > 0)
		return (struct fault_verdict){ FAULT_WAIT, since_ns + e->delay_ns, e->delay_rule, NULL };
	if (!e->end_set && !e->end_abort)
		return v;
	if (e->end_abort && over_ns < e->end_abort->hold_ns) {
		v.until_ns = since_ns + e->delay_ns + e->end_abort->hold_ns;
		v.kind = FAULT_HOLD;
	} else if (e->end_abort) {
		v.kind = FAULT_REPLY;
	} else if (e->end_set->hang.max_ns > 0) {
		v.until_ns = since_ns + e->delay_ns + e->end_set->hang.max_ns;
		v.kind = now_ns < v.until_ns ? FAULT_HOLD : FAULT_CLOSE;
	} else {
		switch (e->end_set->connection) {
		case FAULT_CONNECTION_NONE: /* pass */
			break;
		case FAULT_CONNECTION_CLOSE:
			v.kind = FAULT_CLOSE;
			break;
		case FAULT_CONNECTION_RESET:
			v.kind = FAULT_RESET;
			break;
		case FAULT_CONNECTION_REFUSE:
			v.kind = FAULT_REFUSE;
			break;
		}
	}
	return v;
}

enum fault_kind fault_effect_kind(const struct fault_effect *e)
{
	if (e->end_set && e->end_set->limit)
		return FAULT_RATE_LIMIT;
	if (e->end_abort)
		return FAULT_ABORT;
	if (e->end_set && e->end_set->hang.max_ns > 0)
		return FAULT_HANG;
	if (e->end_set && e->end_set->connection != FAULT_CONNECTION_NONE)
		return FAULT_CONNECTION;
	return e->delay_ns > 0 ? FAULT_DELAY : FAULT_NONE;
}

const struct rule *fault_effect_rule(const struct fault_effect *e)
{
	if (e->end_rule)
		return e->end_rule;
	return e->delay_ns > 0 ? e->delay_rule : NULL;
}
