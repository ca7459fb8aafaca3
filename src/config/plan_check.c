/*
 * plan_check: the items of the tree and the elements of the plan stand in the same order, which gives each element its
 * place.
 */
#include "config/plan_check.h"

#include <stdlib.h>

#include "config/endpoint.h"
#include "config/expect_keys.h"
#include "config/keys.h"
#include "config/match_keys.h"
#include "config/topology_keys.h"

/* What a load may spend on comparing rules, in pairs of conditions; 10,000 rules that differ would need fifty million. */
#define COVER_BUDGET UINT64_C(5000000)

#define ADMIN_TOKEN_BYTES_FEW 16
#define DEFAULT_LISTEN "127.0.0.1:8080"
#define DEFAULT_URL_EXAMPLE "http://127.0.0.1:9000"

/* ---- names ---- */

struct named {
	struct span name;
	const struct yaml_node *node; /* NULL: not from a list of the file */
	unsigned i;
};

static int compare_names(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	size_t n = MIN(x->name.n, y->name.n);
	int order = n ? memcmp(x->name.p, y->name.p, n) : 0;

	if (order)
		return order;
	if (x->name.n != y->name.n)
		return x->name.n < y->name.n ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

static void refuse_duplicates(struct decode *d, const char *what, struct named *v, unsigned n)
{
	if (n > 1)
		qsort(v, n, sizeof(*v), compare_names);
	for (unsigned i = 1, first = 0; i < n; i++) {
		unsigned line, column;

		if (v[i].name.n == 0 || !span_eq(v[i].name, v[first].name)) {
			first = i;
			continue;
		}
		if (!v[i].node)
			continue;
		decode_error(d, v[i].node, "another %s is named \"%.*s\"", what, SPAN_ARG(v[i].name));
		if (!v[first].node)
			continue;
		yaml_tree_place(d->tree, v[first].node->at, &line, &column);
		diagnostics_add_to_last(d->diagnostics, line, column, "named so first here");
	}
}

/* Where a name is given, or where its owner begins. */
static const struct yaml_node *name_node(const struct yaml_node *node)
{
	const struct yaml_node *name = yaml_node_get(node, "name");

	return name ? name : node;
}

/* "rule-3" */
static struct span make_name(struct decode *d, bool heap, const char *stem, unsigned number)
{
	char block[32];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	text_put_string(&t, stem);
	text_put_u64(&t, number);
	return decode_copy(d, heap, text_span(&t));
}

static void check_rule_names(struct decode *d, const struct yaml_node *rules)
{
	struct ruleset *set = &d->plan->rules;
	struct named *names = set->n ? decode_alloc(d, false, set->n, sizeof(*names)) : NULL;
	const struct yaml_item *item = rules ? rules->items : NULL;

	for (unsigned i = 0; names && item && i < set->n; i++, item = item->next) {
		struct rule *r = &set->v[i];

		/* A name that was refused is none: its rule gets one, and no second message. */
		if (r->name.n == 0)
			r->name = make_name(d, true, "rule-", i + 1);
		names[i] = (struct named){ r->name, name_node(item->value), i };
	}
	if (names && item == NULL)
		refuse_duplicates(d, "rule", names, set->n);
}

static void check_listener_names(struct decode *d, const struct yaml_node *listen, const struct yaml_node *listeners)
{
	struct plan *plan = d->plan;
	struct named *names = plan->n_listeners ? decode_alloc(d, false, plan->n_listeners, sizeof(*names)) : NULL;
	const struct yaml_item *item = listeners ? listeners->items : NULL;

	for (unsigned i = 0; names && i < plan->n_listeners; i++) {
		names[i] = (struct named){ plan->listeners[i].name, listen, i };
		if (i == 0 && listen)
			continue;
		if (plan->listeners[i].name.n == 0)
			names[i].name = plan->listeners[i].name = make_name(d, false, "listener-", i + 1);
		names[i].node = item ? name_node(item->value) : NULL;
		item = item ? item->next : NULL;
	}
	if (names)
		refuse_duplicates(d, "listener", names, plan->n_listeners);
}

/* Keys of a mapping are unique, so only `upstream` and `upstreams: {default: }` can meet. */
static void check_upstream_names(struct decode *d, const struct yaml_node *upstream, const struct yaml_node *upstreams)
{
	const struct yaml_node *other = yaml_node_get(upstreams, "default");

	if (upstream && other)
		decode_error(d, upstream, "the upstream named default is given here and under upstreams");
}

/* ---- the command line ---- */

/* Of the whole file: no place in it is to blame. */
static void refuse_option(struct decode *d, const char *option, const char *value, const char *problem)
{
	diagnostics_add(d->diagnostics, DIAGNOSTIC_ERROR, 0, 0, "%s \"%.60s\" %s", option, value, problem);
}

static void apply_upstream(struct decode *d, const struct load_options *options)
{
	char problem[ENDPOINT_PROBLEM_BYTES] = "";
	struct plan *plan = d->plan;
	uint16_t number = 0;
	int rc;

	if (!options->upstream)
		return;
	if (plan->n_upstreams == 0) {
		const struct key *key = decode_find_key(&keys_file, SPAN("upstream"));

		plan->upstreams = decode_alloc(d, false, 1, sizeof(*plan->upstreams));
		if (!plan->upstreams)
			return;
		decode_defaults(d, key->map, plan->upstreams);
		plan->upstreams->name = KEYS_DEFAULT_NAME;
		plan->n_upstreams = 1;
	} else if (!match_keys_find_upstream(plan, KEYS_DEFAULT_NAME, &number) && plan->n_upstreams > 1) {
		refuse_option(d, "the upstream", options->upstream, "replaces none: the file has several, none named default");
		return;
	}
	if (plan->n_upstreams == 1)
		number = 0;
	rc = endpoint_parse_url(&plan->upstreams[number], d->arena, span_of_string(options->upstream), problem);
	if (rc < 0)
		d->out_of_memory = true;
	else if (rc > 0)
		refuse_option(d, "the upstream", options->upstream, problem);
}

static void apply_listen(struct decode *d, const struct load_options *options)
{
	const char *listen = options->listen;
	char problem[ENDPOINT_PROBLEM_BYTES] = "";
	struct plan *plan = d->plan;
	uint16_t number = 0;
	int rc;

	if (plan->n_listeners == 0) {
		plan->listeners = decode_alloc(d, false, 1, sizeof(*plan->listeners));
		if (!plan->listeners)
			return;
		plan->listeners->name = KEYS_DEFAULT_NAME;
		plan->n_listeners = 1;
		listen = listen ? listen : DEFAULT_LISTEN;
	} else if (listen && !match_keys_find_listener(plan, KEYS_DEFAULT_NAME, &number) && plan->n_listeners > 1) {
		refuse_option(d, "the address", listen, "replaces none: the file has several listeners, none named default");
		return;
	}
	if (!listen)
		return;
	if (plan->n_listeners == 1)
		number = 0;
	rc = endpoint_parse_listen(&plan->listeners[number].address, d->arena, span_of_string(listen), problem);
	if (rc < 0)
		d->out_of_memory = true;
	else if (rc > 0)
		refuse_option(d, "the address", listen, problem);
}

/* Out of the environment, where a line end easily gets behind it; it is not shown. */
static void take_admin_token(struct decode *d, struct span token)
{
	const char *problem = topology_keys_token_problem(token);

	if (problem)
		diagnostics_add(d->diagnostics, DIAGNOSTIC_ERROR, 0, 0, "BROWNOUT_TOKEN: a token %s", problem);
	else
		d->plan->admin.token = decode_copy(d, false, token);
}

static void apply_admin(struct decode *d, const struct load_options *options)
{
	struct plan_admin *admin = &d->plan->admin;
	char problem[ENDPOINT_PROBLEM_BYTES] = "";
	int rc;

	if (!options->admin)
		return;
	admin->enabled = true;
	if (options->admin_token && admin->token.n == 0)
		take_admin_token(d, span_of_string(options->admin_token));
	if (!*options->admin) /* where the file says, or the usual place */
		return;
	rc = endpoint_parse_listen(&admin->address, d->arena, span_of_string(options->admin), problem);
	if (rc < 0)
		d->out_of_memory = true;
	else if (rc > 0)
		refuse_option(d, "the admin address", options->admin, problem);
}

/* Whoever reaches it may stop all faults, or start them. */
static void check_admin(struct decode *d, const struct yaml_node *node, const struct load_options *options)
{
	const struct plan_admin *admin = &d->plan->admin;
	const struct yaml_node *address = yaml_node_get(node, "address");
	const struct yaml_node *token = yaml_node_get(node, "token");

	if (!admin->enabled || d->diagnostics->n_errors > 0 || endpoint_is_local(&admin->address))
		return;
	if (admin->token.n == 0 && options->admin && *options->admin)
		refuse_option(d, "the admin address", options->admin,
			"can be reached from other machines: it needs a token (BROWNOUT_TOKEN, or admin: {token: } in the file)");
	else if (admin->token.n == 0)
		decode_error(d, address ? address : node, "\"%.*s\" can be reached from other machines: it needs a token (write "
			"admin: {address: ..., token: ...})", DECODE_SHOWN(admin->address.host));
	else if (token && admin->token.n < ADMIN_TOKEN_BYTES_FEW)
		decode_warning(d, token, "a token of %zu bytes can be guessed; take %d or more", admin->token.n,
			ADMIN_TOKEN_BYTES_FEW);
}

/* Lines of the two, one among the other, are neither a log nor a trace. */
static void check_logs(struct decode *d, const struct yaml_node *log)
{
	const struct plan *plan = d->plan;
	const struct yaml_node *trace = yaml_node_get(log, "trace");

	if (trace && span_eq(plan->log_access, plan->log_trace) && !span_eq(plan->log_trace, SPAN("off")) && plan->log_trace.n)
		decode_error(d, trace, "log: access and trace cannot both go to \"%.*s\"", DECODE_SHOWN(plan->log_trace));
}

/* ---- routes ---- */

/* A listener without routes has one, to the only upstream or the default one, so that the proxy need not know of this. */
static void check_routes(struct decode *d, const struct yaml_node *root, const struct yaml_node *listeners, bool listen_given)
{
	const struct yaml_item *item = listeners ? listeners->items : NULL;
	struct plan *plan = d->plan;
	uint16_t number = 0;
	bool found = match_keys_find_upstream(plan, KEYS_DEFAULT_NAME, &number);

	if (plan->n_upstreams == 1) {
		number = 0;
		found = true;
	}
	for (unsigned i = 0; i < plan->n_listeners; i++) {
		struct plan_listener *l = &plan->listeners[i];
		const struct yaml_node *node = item && !(i == 0 && listen_given) ? item->value : root;

		if (node != root)
			item = item->next;
		if (l->n_routes || plan->n_upstreams == 0 || yaml_node_get(node == root ? NULL : node, "routes"))
			continue;
		if (!found) {
			decode_error(d, node, "the listener \"%.*s\" has no routes, and of several upstreams none is named "
				"default: write routes: [{upstream: %.*s}]", SPAN_ARG(l->name),
				SPAN_ARG(plan->upstreams[0].name));
			continue;
		}
		l->routes = decode_alloc(d, false, 1, sizeof(*l->routes));
		if (!l->routes)
			return;
		l->routes->upstream = number;
		l->n_routes = 1;
	}
}

/* ---- what can never act ---- */

static uint64_t count_conditions(const struct match *m)
{
	uint64_t n = (uint64_t)m->n_methods + m->n_hosts + m->n_paths + m->n_query + m->n_headers + m->n_clients +
		m->n_listeners + m->n_upstreams;

	for (unsigned i = 0; i < m->n_any; i++)
		n += count_conditions(m->any[i]);
	if (m->not_)
		n += count_conditions(m->not_);
	return n + 1;
}

/* match_covers, as long as the budget lasts. */
static bool covers(const struct match *a, const struct match *b, uint64_t *budget)
{
	uint64_t cost = count_conditions(a) * count_conditions(b);

	if (cost > *budget) {
		*budget = 0;
		return false;
	}
	*budget -= cost;
	return match_covers(a, b);
}

static void warn_of_hidden_routes(struct decode *d, const struct yaml_node *listeners, bool listen_given)
{
	const struct plan_listener *l = d->plan->listeners + listen_given;
	uint64_t budget = COVER_BUDGET;

	for (const struct yaml_item *item = listeners ? listeners->items : NULL; item; item = item->next, l++) {
		const struct yaml_node *routes = yaml_node_get(item->value, "routes");
		const struct yaml_item *route = routes ? routes->items : NULL;

		for (unsigned i = 0; route && i < l->n_routes; i++, route = route->next) {
			for (unsigned j = 0; j < i && budget > 0; j++) {
				if (!covers(&l->routes[j].match, &l->routes[i].match, &budget))
					continue;
				decode_warning(d, route->value, "this route is never reached: route %u takes all its requests",
					j + 1);
				break;
			}
		}
	}
}

static bool is_always(const struct rule_schedule *s)
{
	return s->start_after_requests == 0 && s->start_after_ns == 0 && s->duration_ns == 0 && s->ttl_ns == 0 &&
		s->ramp_over_ns == 0 && !s->burst && s->max_faults == 0 && s->max_active == 0;
}

/* Ends the list for every request that it matches. */
static bool takes_all(const struct rule *r)
{
	return r->enabled && !r->dry_run && r->percentage == RULE_PERCENTAGE_ALL && r->after == 0 && r->first == 0 &&
		r->every <= 1 && !r->sequence_once && is_always(&r->schedule) && rule_is_terminal(r);
}

/* An exchange that was ended before the upstream was touched never comes to phase response. */
static bool hides(const struct rule *r, const struct rule *later, uint64_t *budget)
{
	return (r->phase == later->phase || r->phase == RULE_PHASE_REQUEST) && covers(&r->match, &later->match, budget);
}

static void warn_of_hidden_rules(struct decode *d, const struct yaml_node *rules)
{
	const struct ruleset *set = &d->plan->rules;
	const struct rule **takers = set->n ? decode_alloc(d, false, set->n, sizeof(struct rule *)) : NULL;
	const struct yaml_item *item = rules ? rules->items : NULL;
	uint64_t budget = COVER_BUDGET;
	unsigned n_takers = 0;

	for (unsigned i = 0; takers && item && i < set->n; i++, item = item->next) {
		const struct rule *r = &set->v[i];
		bool hidden = false;

		for (unsigned j = 0; j < n_takers && r->enabled && !hidden && budget > 0; j++) {
			hidden = hides(takers[j], r, &budget);
			if (hidden)
				decode_warning(d, item->value, "the rule \"%.*s\" can never act: \"%.*s\" before it ends every "
					"request that it matches", SPAN_ARG(r->name), SPAN_ARG(takers[j]->name));
		}
		/* What is hidden hides nothing that its cover does not. */
		if (!hidden && takes_all(r))
			takers[n_takers++] = r;
	}
}

/* ---- all ---- */

void plan_check(struct decode *d, const struct yaml_node *root, const struct load_options *options)
{
	const struct yaml_node *listen = yaml_node_get(root, "listen");
	const struct yaml_node *listeners = yaml_node_get(root, "listeners");
	const struct yaml_node *rules = yaml_node_get(root, "rules");

	check_upstream_names(d, yaml_node_get(root, "upstream"), yaml_node_get(root, "upstreams"));
	apply_upstream(d, options);
	if (d->plan->n_upstreams == 0 && !yaml_node_get(root, "upstream") && !yaml_node_get(root, "upstreams"))
		decode_error(d, root, "there is no upstream: write \"upstream: " DEFAULT_URL_EXAMPLE "\", or "
			"\"upstream: origin\" for the embedded one");
	else if (d->plan->n_upstreams == 0 && d->diagnostics->n_errors == 0)
		decode_error(d, root, "upstreams is empty: write \"upstream: " DEFAULT_URL_EXAMPLE "\"");
	apply_listen(d, options);
	check_listener_names(d, listen, listeners);
	check_routes(d, root, listeners, listen != NULL);
	check_rule_names(d, rules);
	expect_keys_check(d, yaml_node_get(root, "expect"));
	apply_admin(d, options);
	check_admin(d, yaml_node_get(root, "admin"), options);
	check_logs(d, yaml_node_get(root, "log"));
	if (d->diagnostics->n_errors > 0) /* what follows reads conditions, which may be half decoded */
		return;
	warn_of_hidden_routes(d, listeners, listen != NULL);
	warn_of_hidden_rules(d, rules);
}
