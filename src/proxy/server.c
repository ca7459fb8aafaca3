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
#include "base/processors.h"
#include "observe/recent.h"
#include "origin/origin.h"
#include "proxy/server_private.h"

int server_fail(char *error, size_t n, int r, const char *what)
{
	(void)snprintf(error, n, "%s: %s", what, strerror(-r));
	return r;
}

static unsigned count_workers(const struct plan *plan)
{
	unsigned usable;

	if (plan->workers)
		return plan->workers;
	usable = processors_usable();
	return MIN(usable, PLAN_WORKERS_MAX);
}

/* ---- what the workers share ---- */

int server_start_origin(struct server *s, const struct plan *plan, char *error, size_t error_n)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < plan->n_upstreams && !s->origin; i++) {
		if (plan->upstreams[i].address.kind == ENDPOINT_ORIGIN)
			r = origin_start(&s->origin, &s->origin_address);
	}
	return r < 0 ? server_fail(error, error_n, r, "the embedded upstream cannot start") : 0;
}

static int init_shared(struct server *s, struct plan *plan, char *error, size_t error_n)
{
	int r;

	s->shared.n_workers = s->n_workers;
	s->traffic = traffic_new();
	r = s->traffic ? resolver_new(&s->shared.resolver) : -ENOMEM;
	if (r < 0)
		return server_fail(error, error_n, r, "start");
	r = server_start_origin(s, plan, error, error_n);
	if (r == 0)
		r = generation_new(&s->generation, plan, NULL, s->traffic, &s->origin_address, error, error_n);
	if (r == 0)
		atomic_store(&s->number, s->generation->number);
	return r;
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
int server_bind(struct server *s, const struct plan *plan, unsigned i, int *fds, struct address *bound, char *error,
	size_t error_n)
{
	struct address want;
	char text[ADDRESS_TEXT_BYTES];
	struct text at;
	int r = endpoint_address(&plan->listeners[i].address, &want, error, error_n);

	if (r < 0)
		return r;
	/* Each worker binds anew below; a second brownout must not do so. */
	if (want.sa.sa_family != AF_UNIX && address_port(&want))
		r = listener_probe(&want);
	for (unsigned w = 0; r == 0 && w < s->n_workers; w++) {
		int *fd = &fds[w * plan->n_listeners + i];

		if (w > 0 && want.sa.sa_family == AF_UNIX) {
			*fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
			r = *fd < 0 ? -errno : 0;
		} else {
			r = listener_bind(w ? bound : &want, fd, bound);
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

void server_unbind(const struct address *bound)
{
	if (bound->n && bound->sa.sa_family == AF_UNIX && bound->un.sun_path[0])
		(void)unlink(bound->un.sun_path);
}

static int bind_all(struct server *s, const struct plan *plan, int *fds, char *error, size_t error_n)
{
	int r = 0;

	s->bound = calloc(plan->n_listeners, sizeof(*s->bound));
	if (!s->bound)
		return server_fail(error, error_n, -ENOMEM, "start");
	s->n_bound = plan->n_listeners;
	for (unsigned i = 0; r == 0 && i < plan->n_listeners; i++)
		r = server_bind(s, plan, i, fds, &s->bound[i], error, error_n);
	return r;
}

/* ---- threads ---- */

static bool is_wanted(struct span destination)
{
	return destination.n && !span_eq(destination, SPAN("off"));
}

static bool wants_records(const struct plan *plan, const struct collector_sink *sink)
{
	return is_wanted(plan->log_access) || is_wanted(plan->log_trace) || plan->admin.enabled || sink;
}

/* `file` is opened by one of the two; what is wrong goes to error, by the key's name. */
static int open_log(struct server *s, const struct plan *plan, struct span file, bool trace, char *error, size_t error_n)
{
	struct collector_options options = { .format = plan->log_format == PLAN_LOG_JSON ? ACCESS_JSON : ACCESS_TEXT };
	char *path = file.n ? span_dup(file) : NULL;
	int r;

	if (file.n && !path)
		return server_fail(error, error_n, -ENOMEM, "start");
	options.access = path;
	r = trace ? collector_add_trace(s->collector, path, &plan->rules) : collector_new(&s->collector, &options);
	if (r < 0)
		(void)snprintf(error, error_n, "log.%s: cannot open %s: %s", trace ? "trace" : "access", path ? path : "it",
			strerror(-r));
	free(path);
	return r;
}

/* -ENOMEM */
static int keep_recent(struct server *s)
{
	s->recent = recent_new();
	if (s->recent)
		collector_set_recent(s->collector, s->recent);
	return s->recent ? 0 : -ENOMEM;
}

static int init_collector(struct server *s, const struct plan *plan, const struct collector_sink *sink, char *error,
	size_t error_n)
{
	int r;

	if (!wants_records(plan, sink))
		return 0;
	r = open_log(s, plan, is_wanted(plan->log_access) ? plan->log_access : SPAN_EMPTY, false, error, error_n);
	if (r == 0 && is_wanted(plan->log_trace))
		r = open_log(s, plan, plan->log_trace, true, error, error_n);
	if (r < 0)
		return r;
	if (sink)
		collector_set_sink(s->collector, sink);
	for (unsigned i = 0; r == 0 && i < s->n_made; i++)
		r = collector_add_ring(s->collector, s->workers[i].ring);
	if (r == 0 && plan->admin.enabled)
		r = keep_recent(s);
	if (r == 0)
		r = collector_start(s->collector);
	return r < 0 ? server_fail(error, error_n, r, "the log cannot start") : 0;
}

static int init_workers(struct server *s, const struct plan *plan, bool records, int *fds, char *error, size_t error_n)
{
	int r = 0;

	s->workers = aligned_alloc(CACHE_LINE_BYTES, s->n_workers * sizeof(*s->workers));
	if (!s->workers)
		return server_fail(error, error_n, -ENOMEM, "start");
	s->shared.workers = s->workers;
	while (r == 0 && s->n_made < s->n_workers) {
		int *mine = &fds[s->n_made * plan->n_listeners];

		r = worker_init(&s->workers[s->n_made], s->n_made, &s->shared, s->generation, mine, records);
		s->n_made++;
		/* Taken over, whatever came of it. */
		for (unsigned i = 0; i < plan->n_listeners; i++)
			mine[i] = -1;
	}
	if (r < 0)
		return server_fail(error, error_n, r, "a worker cannot start");
	return 0;
}

static int start_workers(struct server *s, char *error, size_t error_n)
{
	while (s->n_started < s->n_workers) {
		int r = worker_start(&s->workers[s->n_started]);

		if (r < 0)
			return server_fail(error, error_n, r, "a worker thread cannot start");
		s->n_started++;
	}
	return 0;
}

int server_start(struct server **server, struct plan *plan, const struct collector_sink *sink, char *error, size_t error_n)
{
	struct server *s = calloc(1, sizeof(*s));
	size_t n_fds;
	int *fds;
	int r;

	if (!s)
		return server_fail(error, error_n, -ENOMEM, "start");
	(void)pthread_mutex_init(&s->lock, NULL); /* cannot fail with default attributes */
	atomic_store(&s->armed, true);
	s->started_wall_ns = clock_wall_ns();
	s->n_workers = count_workers(plan);
	n_fds = (size_t)s->n_workers * plan->n_listeners;
	fds = malloc(n_fds * sizeof(*fds));
	for (size_t i = 0; fds && i < n_fds; i++)
		fds[i] = -1;
	r = fds ? bind_all(s, plan, fds, error, error_n) : server_fail(error, error_n, -ENOMEM, "start");
	if (r == 0)
		r = init_shared(s, plan, error, error_n);
	if (r == 0)
		r = init_workers(s, plan, wants_records(plan, sink), fds, error, error_n);
	if (r == 0)
		r = init_collector(s, plan, sink, error, error_n);
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

struct recent *server_recent(struct server *s)
{
	return s->recent;
}

void server_drain(struct server *s)
{
	bool first;

	/* A reload that is under way is waited for, and no other begins: it would open listeners behind the drain's back. */
	(void)pthread_mutex_lock(&s->lock);
	first = atomic_load(&s->drain_until_ns) == 0;
	if (first)
		atomic_store(&s->drain_until_ns, clock_mono_ns() + s->generation->plan->limits.drain_ns);
	(void)pthread_mutex_unlock(&s->lock);
	if (!first)
		return;
	for (unsigned i = 0; i < s->n_started; i++)
		worker_post_drain(&s->workers[i]);
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

/* 0; EBUSY where the thread has not ended by then. (What waits by CLOCK_MONOTONIC by itself is unknown to race detectors.) */
static int join_until(pthread_t thread, int64_t until_ns)
{
	int r;

	while ((r = pthread_tryjoin_np(thread, NULL)) == EBUSY && clock_mono_ns() < until_ns)
		(void)usleep(1000);
	return r;
}

int server_stop(struct server *s, unsigned *late)
{
	int64_t until_ns = clock_mono_ns() + SERVER_STOP_NS;

	for (unsigned i = s->n_joined; i < s->n_started; i++)
		worker_post_stop(&s->workers[i]);
	for (; s->n_joined < s->n_started; s->n_joined++) {
		if (join_until(s->workers[s->n_joined].thread, until_ns) == 0)
			continue;
		if (late)
			*late = s->n_joined;
		return -ETIMEDOUT;
	}
	return 0;
}

/* What was recorded before a moment has been seen by two passes later. */
void server_flush_records(struct server *s)
{
	uint64_t until;

	if (!s->collector)
		return;
	until = collector_passes(s->collector) + 2;
	while (collector_passes(s->collector) < until)
		(void)usleep(1000);
}

void server_set_end(struct server *s, enum trace_end end)
{
	if (s->collector)
		collector_set_end(s->collector, end);
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

int server_reopen_error(struct server *s)
{
	return s->collector ? collector_reopen_error(s->collector) : 0;
}

static void add_responses(struct server_snapshot *snapshot)
{
	static const enum counter by_class[TRAFFIC_CLASSES] = {
		[1] = COUNTER_RESPONSES_1XX, [2] = COUNTER_RESPONSES_2XX, [3] = COUNTER_RESPONSES_3XX,
		[4] = COUNTER_RESPONSES_4XX, [5] = COUNTER_RESPONSES_5XX,
	};

	for (unsigned k = 1; k < TRAFFIC_CLASSES; k++)
		counter_add(&snapshot->total, by_class[k], traffic_of_class(&snapshot->traffic, k));
}

void server_snapshot(struct server *s, struct server_snapshot *snapshot)
{
	const struct rule_common *common;

	memset(snapshot, 0, sizeof(*snapshot));
	for (unsigned i = 0; i < s->n_made; i++) {
		counters_sum(&snapshot->total, &s->workers[i].counters);
		if (s->workers[i].traffic)
			traffic_sum(&snapshot->traffic, s->workers[i].traffic);
	}
	add_responses(snapshot);
	if (s->collector)
		snapshot->log_lost = collector_lost(s->collector);
	(void)pthread_mutex_lock(&s->lock);
	common = s->generation->states.common;
	snapshot->keys_forgotten = keytable_evictions(common->keys) + limiter_evictions(common->limiter);
	(void)pthread_mutex_unlock(&s->lock);
}

/* ---- the end ---- */

void server_free(struct server *s)
{
	if (server_stop(s, NULL) < 0)
		return; /* it is all in use still */
	/* It posts to the workers' loops. */
	if (s->shared.resolver)
		resolver_free(s->shared.resolver);
	/* Workers first: what they close is the last that is recorded. */
	for (unsigned i = 0; i < s->n_made; i++)
		worker_deinit(&s->workers[i]);
	errand_forget(&s->errands);
	if (s->collector)
		collector_free(s->collector);
	recent_free(s->recent);
	for (unsigned i = 0; i < s->n_made; i++)
		ring_free(s->workers[i].ring);
	free(s->workers);
	if (s->origin)
		origin_stop(s->origin);
	for (unsigned i = 0; i < s->n_bound; i++)
		server_unbind(&s->bound[i]);
	server_tidy_generations(s, true);
	traffic_free(s->traffic);
	(void)pthread_mutex_destroy(&s->lock);
	free(s->bound);
	free(s);
}
