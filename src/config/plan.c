/*
 * plan: references. What the plan's own spans point to lies in its arena; patterns and rules are freed one by one, since
 * they own memory of libraries.
 */
#include "config/plan.h"

#include <stdlib.h>

#include "config/arena.h"

void plan_upstream_write_url(const struct plan_upstream *u, struct text *out)
{
	switch (u->address.kind) {
	case ENDPOINT_ORIGIN:
		text_put_literal(out, "origin");
		break;
	case ENDPOINT_UNIX:
		text_put_literal(out, "unix:");
		text_put_span(out, u->address.host);
		break;
	case ENDPOINT_TCP:
		text_put_string(out, u->is_tls ? "https://" : "http://");
		text_put_span(out, u->authority);
		break;
	}
	text_put_span(out, u->path_prefix);
}

struct plan *plan_ref(struct plan *plan)
{
	(void)atomic_fetch_add_explicit(&plan->references, 1, memory_order_relaxed);
	return plan;
}

void plan_unref(struct plan *plan)
{
	/* Whoever frees must see all that the others did with it before. */
	if (!plan || atomic_fetch_sub_explicit(&plan->references, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned i = 0; i < plan->n_listeners; i++) {
		for (unsigned j = 0; j < plan->listeners[i].n_routes; j++)
			match_deinit(&plan->listeners[i].routes[j].match);
	}
	ruleset_deinit(&plan->rules);
	arena_free(plan->memory);
	free(plan);
}
