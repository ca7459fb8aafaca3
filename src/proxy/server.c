/*
 * server: brings a plan to life and back down: sockets first (so that a busy port is a clear error before anything runs),
 * then what the workers share, then the threads. Everything is undone in the opposite order.
 */
#include "proxy/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "observe/collector.h"
#include "origin/origin.h"
#include "proxy/control.h"
#include "proxy/worker.h"

struct server {
	struct plan *plan;
	struct shared shared;
	struct rule_states states;
	struct traffic *traffic;
	struct origin *origin;
	struct collector *collector;
	struct worker *workers;
	unsigned n_workers; /* to be made */
	unsigned n_made; /* worker_init was called */
	unsigned n_started;
	bool joined;
	struct address *bound; /* by listener */
	_Atomic int64_t drain_until_ns; /* 0: not draining */
};

static int fail(char *error, size_t n, int r, const char *what)
{
	(void)snprintf(error, n, "%s: %s", what, strerror(-r));
	return r;
}

static unsigned count_workers(const struct plan *plan)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (plan->workers)
		return plan->workers;
	return online > 0 ? (unsigned)online : 1;
}

/* ---- what the workers share ---- */

static int init_answer(void *context, const struct rule *rule, const struct fault_abort *abort)
{
	struct server *s = context;

	return fault_answer_init_abort(&s->shared.answers[abort->number], abort, rule->name, s->plan->proxy_status);
}

/* Answers that requests may ask for stand behind those of the rules. */
static unsigned count_answers(const struct server *s)
{
	return s->plan->rules.n_aborts + (s->plan->control.enabled ? CONTROL_ABORTS : 0);
}

static int init_control(struct server *s)
{
	int r = 0;

	if (!s->plan->control.enabled)
		return 0;
	s->shared.control = control_new(s->plan->rules.n_aborts);
	if (!s->shared.control)
		return -ENOMEM;
	for (unsigned status = 200; r == 0 && status <= STATUS_MAX; status++)
		r = init_answer(s, &s->shared.control->rule, &s->shared.control->aborts[status]);
	return r;
}

static int init_answers(struct server *s)
{
	int r;

	s->shared.answers = calloc(count_answers(s) + 1U, sizeof(*s->shared.answers));
	if (!s->shared.answers)
		return -ENOMEM;
	r = ruleset_each_abort(&s->plan->rules, init_answer, s);
	return r == 0 ? init_control(s) : r;
}

/* Windows and ramps count from now. */
static int init_states(struct server *s)
{
	int r = rule_states_init(&s->states, &s->plan->rules);

	atomic_store(&s->states.epoch_ns, clock_mono_ns());
	s->states.max_faults = s->plan->safety.max_faults;
	s->states.max_active = s->plan->safety.max_active;
	s->states.stop_after_ns = s->plan->safety.stop_after_ns;
	return r;
}

/* Upstreams that need no name: unix sockets and the embedded one. */
static int init_fixed(struct server *s, char *error, size_t error_n)
{
	struct address origin = { .n = 0 };

	for (unsigned i = 0; i < s->plan->n_upstreams; i++) {
		const struct endpoint *e = &s->plan->upstreams[i].address;
		int r = 0;

		if (e->kind == ENDPOINT_UNIX && address_from_unix(&s->shared.fixed[i], e->host) != 0)
			return fail(error, error_n, -ENAMETOOLONG, "the path of a unix upstream");
		if (e->kind == ENDPOINT_ORIGIN && !s->origin)
			r = origin_start(&s->origin, &origin);
		if (r < 0)
			return fail(error, error_n, r, "the embedded upstream cannot start");
		if (e->kind == ENDPOINT_ORIGIN)
			s->shared.fixed[i] = origin;
	}
	return 0;
}

static int init_shared(struct server *s, char *error, size_t error_n)
{
	int r;

	s->shared.plan = s->plan;
	s->shared.n_workers = s->n_workers;
	s->shared.states = &s->states;
	s->shared.fixed = calloc(s->plan->n_upstreams + 1U, sizeof(*s->shared.fixed));
	s->shared.upstream_open = calloc(s->plan->n_upstreams + 1U, sizeof(*s->shared.upstream_open));
	if (!s->shared.fixed || !s->shared.upstream_open)
		return fail(error, error_n, -ENOMEM, "start");
	r = init_states(s);
	s->traffic = traffic_new();
	if (r == 0)
		r = s->traffic ? traffic_map_init(&s->shared.traffic, s->traffic, s->plan) : -ENOMEM;
	if (r == 0)
		r = init_answers(s);
	if (r == 0)
		r = resolver_new(&s->shared.resolver);
	if (r < 0)
		return fail(error, error_n, r, "start");
	return init_fixed(s, error, error_n);
}

/* ---- sockets ---- */

static int endpoint_address(const struct endpoint *e, struct address *a, char *error, size_t error_n)
{
	unsigned n = 0;
	int r;

	if (e->kind == ENDPOINT_UNIX) {
		if (address_from_unix(a, e->host) == 0)
			return 0;
		(void)snprintf(error, error_n, "listen: %.*s: the path of a unix socket is too long", SPAN_ARG(e->host));
		return -ENAMETOOLONG;
	}
	r = address_resolve(a, 1, &n, e->host, e->port);
	if (r == 0 && n)
		return 0;
	(void)snprintf(error, error_n, "listen: %.*s: %s", SPAN_ARG(e->host), address_resolve_error(r));
	return -EADDRNOTAVAIL;
}

/* One descriptor per worker: TCP has a queue for each; a unix socket has one queue that all look at. */
static int bind_one(struct server *s, unsigned i, int *fds, char *error, size_t error_n)
{
	struct address want;
	char text[ADDRESS_TEXT_BYTES];
	struct text at;
	int r = endpoint_address(&s->plan->listeners[i].address, &want, error, error_n);

	if (r < 0)
		return r;
	/* Each worker binds anew below; a second brownout must not do so. */
	if (want.sa.sa_family != AF_UNIX && address_port(&want))
		r = listener_probe(&want);
	for (unsigned w = 0; r == 0 && w < s->n_workers; w++) {
		int *fd = &fds[w * s->plan->n_listeners + i];

		if (w > 0 && want.sa.sa_family == AF_UNIX) {
			*fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
			r = *fd < 0 ? -errno : 0;
		} else {
			r = listener_bind(w ? &s->bound[i] : &want, fd, &s->bound[i]);
		}
		if (r < 0)
			*fd = -1;
	}
	if (r < 0) {
		text_init_fixed(&at, text, sizeof(text));
		address_write(&want, &at);
		(void)snprintf(error, error_n, "cannot listen on %.*s: %s", SPAN_ARG(text_span(&at)), strerror(-r));
	}
	return r;
}

static int bind_all(struct server *s, int *fds, char *error, size_t error_n)
{
	int r = 0;

	s->bound = calloc(s->plan->n_listeners, sizeof(*s->bound));
	if (!s->bound)
		return fail(error, error_n, -ENOMEM, "start");
	for (unsigned i = 0; r == 0 && i < s->plan->n_listeners; i++)
		r = bind_one(s, i, fds, error, error_n);
	return r;
}

/* ---- threads ---- */

static bool wants_access(const struct plan *plan)
{
	return plan->log_access.n && !span_eq(plan->log_access, SPAN("off"));
}

static bool wants_records(const struct plan *plan)
{
	return wants_access(plan) || plan->log_trace.n || plan->admin.enabled;
}

/* `file` is opened by one of the two; what is wrong goes to error, by the key's name. */
static int open_log(struct server *s, struct span file, bool trace, char *error, size_t error_n)
{
	struct collector_options options = { .format = s->plan->log_format == PLAN_LOG_JSON ? ACCESS_JSON : ACCESS_TEXT };
	char *path = file.n ? span_dup(file) : NULL;
	int r;

	if (file.n && !path)
		return fail(error, error_n, -ENOMEM, "start");
	options.access = path;
	r = trace ? collector_add_trace(s->collector, path, &s->plan->rules) : collector_new(&s->collector, &options);
	if (r < 0)
		(void)snprintf(error, error_n, "log.%s: cannot open %s: %s", trace ? "trace" : "access", path ? path : "it",
			strerror(-r));
	free(path);
	return r;
}

static int init_collector(struct server *s, char *error, size_t error_n)
{
	int r;

	if (!wants_records(s->plan))
		return 0;
	r = open_log(s, wants_access(s->plan) ? s->plan->log_access : SPAN_EMPTY, false, error, error_n);
	if (r == 0 && s->plan->log_trace.n)
		r = open_log(s, s->plan->log_trace, true, error, error_n);
	if (r < 0)
		return r;
	for (unsigned i = 0; r == 0 && i < s->n_made; i++)
		r = collector_add_ring(s->collector, s->workers[i].ring);
	if (r == 0)
		r = collector_start(s->collector);
	return r < 0 ? fail(error, error_n, r, "the log cannot start") : 0;
}

static int init_workers(struct server *s, int *fds, char *error, size_t error_n)
{
	int r = 0;

	s->workers = aligned_alloc(CACHE_LINE_BYTES, s->n_workers * sizeof(*s->workers));
	if (!s->workers)
		return fail(error, error_n, -ENOMEM, "start");
	while (r == 0 && s->n_made < s->n_workers) {
		int *mine = &fds[s->n_made * s->plan->n_listeners];

		r = worker_init(&s->workers[s->n_made], s->n_made, &s->shared, mine, wants_records(s->plan));
		s->n_made++;
		/* Taken over, whatever came of it. */
		for (unsigned i = 0; i < s->plan->n_listeners; i++)
			mine[i] = -1;
	}
	if (r < 0)
		return fail(error, error_n, r, "a worker cannot start");
	return 0;
}

static int start_workers(struct server *s, char *error, size_t error_n)
{
	while (s->n_started < s->n_workers) {
		int r = worker_start(&s->workers[s->n_started]);

		if (r < 0)
			return fail(error, error_n, r, "a worker thread cannot start");
		s->n_started++;
	}
	return 0;
}

int server_start(struct server **server, struct plan *plan, char *error, size_t error_n)
{
	struct server *s = calloc(1, sizeof(*s));
	size_t n_fds;
	int *fds;
	int r;

	if (!s)
		return fail(error, error_n, -ENOMEM, "start");
	s->plan = plan_ref(plan);
	s->n_workers = count_workers(plan);
	n_fds = (size_t)s->n_workers * plan->n_listeners;
	fds = malloc(n_fds * sizeof(*fds));
	for (size_t i = 0; fds && i < n_fds; i++)
		fds[i] = -1;
	r = fds ? bind_all(s, fds, error, error_n) : fail(error, error_n, -ENOMEM, "start");
	if (r == 0)
		r = init_shared(s, error, error_n);
	if (r == 0)
		r = init_workers(s, fds, error, error_n);
	if (r == 0)
		r = init_collector(s, error, error_n);
	if (r == 0)
		r = start_workers(s, error, error_n);
	for (size_t i = 0; fds && i < n_fds; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
	free(fds);
	if (r < 0) {
		server_free(s);
		return r;
	}
	*server = s;
	return 0;
}

/* ---- while it runs ---- */

unsigned server_workers(const struct server *s)
{
	return s->n_workers;
}

uint64_t server_seed(const struct server *s)
{
	return s->plan->seed;
}

const struct plan *server_plan(const struct server *s)
{
	return s->plan;
}

void server_listener_address(const struct server *s, unsigned i, struct text *out)
{
	address_write(&s->bound[i], out);
}

void server_drain(struct server *s)
{
	int64_t not_yet = 0;

	if (!atomic_compare_exchange_strong(&s->drain_until_ns, &not_yet, clock_mono_ns() + s->plan->limits.drain_ns))
		return;
	for (unsigned i = 0; i < s->n_started; i++) {
		if (worker_post_drain(&s->workers[i]) < 0)
			log_error("no memory to stop worker %u softly", i);
	}
}

bool server_is_draining(const struct server *s)
{
	return atomic_load(&s->drain_until_ns) != 0;
}

bool server_is_done(const struct server *s)
{
	int64_t until = atomic_load(&s->drain_until_ns);

	if (atomic_load(&s->shared.workers_running) == 0)
		return true;
	return until != 0 && clock_mono_ns() >= until;
}

void server_stop(struct server *s)
{
	for (unsigned i = 0; i < s->n_started && !s->joined; i++) {
		while (worker_post_stop(&s->workers[i]) < 0)
			(void)usleep(1000);
	}
	for (unsigned i = 0; i < s->n_started && !s->joined; i++)
		(void)pthread_join(s->workers[i].thread, NULL);
	s->joined = true;
}

bool server_comes_round(struct server *s)
{
	bool all = true;

	for (unsigned i = 0; i < s->n_started; i++)
		all &= worker_comes_round(&s->workers[i]);
	return all;
}

void server_reopen_logs(struct server *s)
{
	if (s->collector)
		collector_reopen(s->collector);
}

void server_snapshot(const struct server *s, struct server_snapshot *snapshot)
{
	memset(snapshot, 0, sizeof(*snapshot));
	for (unsigned i = 0; i < s->n_made; i++) {
		counters_sum(&snapshot->total, &s->workers[i].counters);
		if (s->workers[i].traffic)
			traffic_sum(&snapshot->traffic, s->workers[i].traffic);
	}
	if (s->collector)
		snapshot->log_lost = collector_lost(s->collector);
	snapshot->keys_forgotten = keytable_evictions(s->states.keys);
	if (s->states.limiter)
		snapshot->keys_forgotten += limiter_evictions(s->states.limiter);
}

const struct traffic *server_traffic(const struct server *s)
{
	return s->traffic;
}

unsigned server_rule_count(const struct server *s)
{
	return s->plan->rules.n;
}

void server_rule(const struct server *s, unsigned i, struct server_rule_count *count)
{
	const struct rule_state *state = &s->states.v[i];

	count->rule = &s->plan->rules.v[i];
	count->matched = atomic_load_explicit(&state->matched, memory_order_relaxed);
	count->fired = atomic_load_explicit(&state->fired, memory_order_relaxed);
	count->dry = atomic_load_explicit(&state->dry, memory_order_relaxed);
	count->refused = atomic_load_explicit(&state->refused, memory_order_relaxed);
	count->early = atomic_load_explicit(&state->early, memory_order_relaxed);
}

/* ---- the end ---- */

void server_free(struct server *s)
{
	server_stop(s);
	/* It posts to the workers' loops. */
	if (s->shared.resolver)
		resolver_free(s->shared.resolver);
	/* Workers first: what they close is the last that is recorded. */
	for (unsigned i = 0; i < s->n_made; i++)
		worker_deinit(&s->workers[i]);
	if (s->collector)
		collector_free(s->collector);
	for (unsigned i = 0; i < s->n_made; i++)
		ring_free(s->workers[i].ring);
	free(s->workers);
	if (s->origin)
		origin_stop(s->origin);
	for (unsigned i = 0; s->shared.answers && i < count_answers(s); i++)
		fault_answer_deinit(&s->shared.answers[i]);
	free(s->shared.answers);
	control_free(s->shared.control);
	rule_states_deinit(&s->states);
	traffic_map_deinit(&s->shared.traffic);
	traffic_free(s->traffic);
	free(s->shared.fixed);
	free((void *)(uintptr_t)s->shared.upstream_open);
	for (unsigned i = 0; s->bound && i < s->plan->n_listeners; i++) {
		if (s->bound[i].n && s->bound[i].sa.sa_family == AF_UNIX && s->bound[i].un.sun_path[0])
			(void)unlink(s->bound[i].un.sun_path);
	}
	free(s->bound);
	plan_unref(s->plan);
	free(s);
}
