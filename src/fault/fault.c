/*
 * fault: verdicts from effects. Pure.
 */
#include "fault/fault.h"

void fault_effect_take(struct fault_effect *e, const struct fault_plan *plan)
{
	e->delay_ns = plan->delay_ns;
	e->delay_rule = plan->delay_rule;
	e->end_rule = plan->end < 0 ? NULL : plan->fired[plan->end].rule;
	e->end_set = plan->end < 0 ? NULL : plan->fired[plan->end].set;
}

struct fault_verdict fault_next(const struct fault_effect *e, int64_t since_ns, int64_t now_ns)
{
	const struct fault_set *end = e->end_set;

	if (e->delay_ns > 0 && now_ns - since_ns < e->delay_ns)
		return (struct fault_verdict){ FAULT_WAIT, since_ns + e->delay_ns, e->delay_rule, NULL };
	if (!end)
		return (struct fault_verdict){ FAULT_CONTINUE, 0, NULL, NULL };
	if (end->abort.status)
		return (struct fault_verdict){ FAULT_REPLY, 0, e->end_rule, end };
	return (struct fault_verdict){ end->connection == FAULT_CONNECTION_RESET ? FAULT_RESET : FAULT_CLOSE, 0, e->end_rule,
		end };
}

enum fault_kind fault_effect_kind(const struct fault_effect *e)
{
	if (e->end_set)
		return e->end_set->abort.status ? FAULT_ABORT : FAULT_CONNECTION;
	return e->delay_ns > 0 ? FAULT_DELAY : FAULT_NONE;
}

const struct rule *fault_effect_rule(const struct fault_effect *e)
{
	if (e->end_rule)
		return e->end_rule;
	return e->delay_ns > 0 ? e->delay_rule : NULL;
}
