/*
 * generation: see generation.h. Nothing here waits or logs; what cannot be made is undone.
 */
#include "proxy/generation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/tls.h"
#include "proxy/control.h"

static int fail(char *error, size_t n, int r, const char *what)
{
	(void)snprintf(error, n, "%s: %s", what, strerror(-r));
	return r;
}

/* ---- upstreams ---- */

static bool is_same_tls(const struct plan_tls *a, const struct plan_tls *b)
{
	return span_eq(a->ca, b->ca) && span_eq(a->certificate, b->certificate) && span_eq(a->key, b->key) &&
	       span_eq(a->name, b->name) && a->verify == b->verify;
}

static bool is_same_upstream(const struct plan_upstream *a, const struct plan_upstream *b)
{
	return span_eq(a->name, b->name) && a->address.kind == b->address.kind && a->address.port == b->address.port &&
	       span_eq(a->address.host, b->address.host) && a->is_tls == b->is_tls && is_same_tls(&a->tls, &b->tls);
}

static struct upstream_shared *lend_upstream(const struct plan_upstream *u, const struct generation *old)
{
	for (unsigned i = 0; old && i < old->plan->n_upstreams; i++) {
		if (!is_same_upstream(u, &old->plan->upstreams[i]))
			continue;
		atomic_fetch_add_explicit(&old->upstreams[i]->references, 1, memory_order_relaxed);
		return old->upstreams[i];
	}
	return NULL;
}

static int make_upstream(struct upstream_shared **shared, const struct endpoint *e, const struct address *origin)
{
	struct upstream_shared *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	atomic_init(&u->references, 1);
	*shared = u;
	if (e->kind == ENDPOINT_ORIGIN)
		u->fixed = *origin;
	if (e->kind == ENDPOINT_UNIX && address_from_unix(&u->fixed, e->host) != 0)
		return -ENAMETOOLONG;
	return 0;
}

static int init_upstreams(struct generation *g, const struct generation *old, const struct address *origin, char *error,
	size_t error_n)
{
	const struct plan *plan = g->plan;

	g->upstreams = calloc(plan->n_upstreams + 1U, sizeof(struct upstream_shared *));
	if (!g->upstreams)
		return fail(error, error_n, -ENOMEM, "start");
	for (unsigned i = 0; i < plan->n_upstreams; i++) {
		const struct plan_upstream *u = &plan->upstreams[i];
		int r;

		g->upstreams[i] = lend_upstream(u, old);
		if (g->upstreams[i])
			continue;
		r = make_upstream(&g->upstreams[i], &u->address, origin);
		if (r < 0)
			return fail(error, error_n, r,
				r == -ENAMETOOLONG ? "the path of a unix upstream" : "start");
	}
	return 0;
}

static int make_upstream_tls(struct tls_context **context, const struct plan *plan, unsigned i, char *error, size_t error_n)
{
	const struct plan_upstream *u = &plan->upstreams[i];
	const struct tls_settings settings = { u->tls.ca, u->tls.certificate, u->tls.key, u->tls.verify };
	char problem[TLS_ERROR_BYTES];
	int r = u->is_tls ? tls_context_new(context, &settings, problem) : 0;

	if (r < 0)
		(void)snprintf(error, error_n, "upstream %.*s: %s", SPAN_ARG(u->name), problem);
	return r;
}

static int make_listener_tls(struct tls_context **context, const struct plan *plan, unsigned i, char *error, size_t error_n)
{
	const struct plan_listener *l = &plan->listeners[i];
	const struct tls_server_settings settings = { l->tls.certificate, l->tls.key, l->tls.client_ca };
	char problem[TLS_ERROR_BYTES];
	int r = plan_listener_is_tls(l) ? tls_context_new_server(context, &settings, problem) : 0;

	if (r < 0)
		(void)snprintf(error, error_n, "listener %.*s: %s", SPAN_ARG(l->name), problem);
	return r;
}

static int init_tls(struct generation *g, char *error, size_t error_n)
{
	const struct plan *plan = g->plan;
	int r = 0;

	g->upstream_tls = calloc(plan->n_upstreams + 1U, sizeof(struct tls_context *));
	g->listener_tls = calloc(plan->n_listeners + 1U, sizeof(struct tls_context *));
	if (!g->upstream_tls || !g->listener_tls)
		return fail(error, error_n, -ENOMEM, "start");
	for (unsigned i = 0; r == 0 && i < plan->n_upstreams; i++)
		r = make_upstream_tls(&g->upstream_tls[i], plan, i, error, error_n);
	for (unsigned i = 0; r == 0 && i < plan->n_listeners; i++)
		r = make_listener_tls(&g->listener_tls[i], plan, i, error, error_n);
	return r;
}

static void free_tls(struct generation *g)
{
	for (unsigned i = 0; g->upstream_tls && i < g->plan->n_upstreams; i++)
		tls_context_free(g->upstream_tls[i]);
	for (unsigned i = 0; g->listener_tls && i < g->plan->n_listeners; i++)
		tls_context_free(g->listener_tls[i]);
	free(g->upstream_tls);
	free(g->listener_tls);
}

int generation_check_tls(struct plan *plan, char *error, size_t error_n)
{
	struct generation g = { .plan = plan };
	int r = init_tls(&g, error, error_n);

	free_tls(&g);
	return r;
}

static void free_upstreams(struct generation *g)
{
	for (unsigned i = 0; g->upstreams && i < g->plan->n_upstreams; i++) {
		struct upstream_shared *u = g->upstreams[i];

		if (u && atomic_fetch_sub_explicit(&u->references, 1, memory_order_acq_rel) == 1)
			free(u);
	}
	free(g->upstreams);
}

/* ---- answers ---- */

static int init_answer(void *context, const struct rule *rule, const struct fault_abort *abort)
{
	struct generation *g = context;

	return fault_answer_init_abort(&g->answers[abort->number], abort, rule->name, g->plan->proxy_status);
}

/* Answers that requests may ask for stand behind those of the rules. */
static unsigned count_answers(const struct plan *plan)
{
	return plan->rules.n_aborts + (plan->control.enabled ? CONTROL_ABORTS : 0);
}

static int init_control(struct generation *g)
{
	int r = 0;

	if (!g->plan->control.enabled)
		return 0;
	g->control = control_new(g->plan->rules.n_aborts);
	if (!g->control)
		return -ENOMEM;
	for (unsigned status = 200; r == 0 && status <= STATUS_MAX; status++)
		r = init_answer(g, &g->control->rule, &g->control->aborts[status]);
	return r;
}

static int init_answers(struct generation *g)
{
	int r;

	g->answers = calloc(count_answers(g->plan) + 1U, sizeof(*g->answers));
	if (!g->answers)
		return -ENOMEM;
	r = ruleset_each_abort(&g->plan->rules, init_answer, g);
	return r == 0 ? init_control(g) : r;
}

/* ---- counts ---- */

/* Windows and ramps of rules that were not there before count from now. */
static int init_states(struct generation *g, const struct generation *old)
{
	int64_t now_ns = clock_mono_ns();
	int r = old ? rule_states_init_from(&g->states, &g->plan->rules, &old->states, &old->plan->rules, now_ns) :
		      rule_states_init(&g->states, &g->plan->rules, now_ns);

	g->states.max_faults = g->plan->safety.max_faults;
	g->states.max_active = g->plan->safety.max_active;
	g->states.stop_after_ns = g->plan->safety.stop_after_ns;
	return r;
}

int generation_new(struct generation **generation, struct plan *plan, const struct generation *old, struct traffic *traffic,
	const struct address *origin, char *error, size_t error_n)
{
	struct generation *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return fail(error, error_n, -ENOMEM, "start");
	g->plan = plan_ref(plan);
	g->number = old ? old->number + 1 : 1;
	r = init_upstreams(g, old, origin, error, error_n);
	if (r == 0)
		r = init_tls(g, error, error_n);
	if (r == 0) {
		r = init_states(g, old);
		if (r == 0)
			r = init_answers(g);
		if (r == 0)
			r = traffic_map_init(&g->traffic, traffic, plan);
		if (r < 0)
			(void)fail(error, error_n, r, "start");
	}
	if (r < 0) {
		generation_free(g);
		return r;
	}
	*generation = g;
	return 0;
}

void generation_free(struct generation *g)
{
	for (unsigned i = 0; g->answers && i < count_answers(g->plan); i++)
		fault_answer_deinit(&g->answers[i]);
	free(g->answers);
	control_free(g->control);
	rule_states_deinit(&g->states);
	traffic_map_deinit(&g->traffic);
	free_tls(g);
	free_upstreams(g);
	plan_unref(g->plan);
	free(g);
}
