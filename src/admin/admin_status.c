/*
 * admin_status: the handlers that only look: what runs, how it does, what has been counted.
 */
#include <stdlib.h>

#include "admin/admin_internal.h"
#include "admin/dashboard.h"
#include "admin/embedded.h"
#include "base/clock.h"
#include "http/uri.h"
#include "observe/recent.h"

#define RECENT_LIMIT 200 /* exchanges where nothing else is asked for */
#define TIME_SECONDS_MAX UINT64_C(9000000000)

void admin_get_dashboard(const struct admin_request *r, struct admin_answer *a)
{
	(void)r;
	a->type = "text/html; charset=utf-8";
	a->file = dashboard_page();
	a->policy = dashboard_policy();
}

void admin_get_openapi(const struct admin_request *r, struct admin_answer *a)
{
	(void)r;
	a->type = "application/json";
	a->file = embedded_openapi;
}

void admin_get_healthz(const struct admin_request *r, struct admin_answer *a)
{
	(void)r;
	json_member_string(admin_answer_begin_json(a), "status", "ok");
	admin_answer_end_json(a);
}

void admin_get_readyz(const struct admin_request *r, struct admin_answer *a)
{
	bool draining = server_is_draining(r->admin->server);

	json_member_string(admin_answer_begin_json(a), "status", draining ? "draining" : "ok");
	admin_answer_end_json(a);
	if (draining)
		a->status = 503;
}

/* ---- numbers ---- */

static void put_seconds(struct json *j, const char *key, int64_t ns)
{
	json_key(j, key);
	json_double(j, (double)(ns / NS_PER_US) / 1e6);
}

/* Unix time, in milliseconds. */
static void put_time(struct json *j, const char *key, int64_t unix_ns)
{
	json_key(j, key);
	json_double(j, (double)(unix_ns / NS_PER_MS) / 1e3);
}

/* ---- what runs ---- */

static void put_listeners(struct json *j, struct server *server, const struct plan *plan)
{
	struct text address;

	text_init(&address);
	json_key(j, "listeners");
	json_begin_array(j);
	for (unsigned i = 0; i < plan->n_listeners; i++) {
		text_clear(&address);
		server_listener_address(server, i, &address);
		json_begin_object(j);
		json_member_span(j, "name", plan->listeners[i].name);
		json_member_span(j, "address", text_span(&address));
		json_end_object(j);
	}
	json_end_array(j);
	text_deinit(&address);
}

static void put_url(struct json *j, const struct plan_upstream *u)
{
	struct text url;

	text_init(&url);
	plan_upstream_write_url(u, &url);
	json_member_span(j, "url", text_span(&url));
	text_deinit(&url);
}

static void put_upstreams(struct json *j, const struct plan *plan)
{
	json_key(j, "upstreams");
	json_begin_array(j);
	for (unsigned i = 0; i < plan->n_upstreams; i++) {
		json_begin_object(j);
		json_member_span(j, "name", plan->upstreams[i].name);
		put_url(j, &plan->upstreams[i]);
		json_end_object(j);
	}
	json_end_array(j);
}

/* A text: most readers of JSON keep 53 bits of a number. */
static void put_seed(struct json *j, uint64_t seed)
{
	char block[24];
	struct text digits;

	text_init_fixed(&digits, block, sizeof(block));
	text_put_u64(&digits, seed);
	json_member_span(j, "seed", text_span(&digits));
}

void admin_get_status(const struct admin_request *r, struct admin_answer *a)
{
	struct server *server = r->admin->server;
	struct plan *plan = server_plan_ref(server);
	struct json *j = admin_answer_begin_json(a);

	json_member_string(j, "version", BROWNOUT_VERSION);
	put_time(j, "started", r->admin->start_wall_ns);
	put_seconds(j, "uptime_s", clock_mono_ns() - r->admin->start_ns);
	put_seed(j, plan->seed);
	json_key(j, "file");
	if (live_file_is_file(r->admin->file))
		json_c_string(j, live_file_name(r->admin->file));
	else
		json_none(j);
	json_member_bool(j, "expectations", r->admin->verdict != NULL);
	json_member_u64(j, "generation", server_generation(server));
	json_member_bool(j, "armed", server_is_armed(server));
	json_member_bool(j, "draining", server_is_draining(server));
	json_member_u64(j, "workers", server_workers(server));
	put_listeners(j, server, plan);
	put_upstreams(j, plan);
	json_member_u64(j, "rules", plan->rules.n);
	admin_answer_end_json(a);
	plan_unref(plan);
}

/* ---- counts ---- */

static int64_t gauge_load(const _Atomic int64_t *g)
{
	return atomic_load_explicit(g, memory_order_relaxed);
}

/* Of a histogram of nanoseconds, in seconds. */
static void put_times(struct json *j, const char *key, const struct histogram *h)
{
	json_key(j, key);
	json_begin_object(j);
	put_seconds(j, "p50_s", histogram_quantile(h, 0.5));
	put_seconds(j, "p99_s", histogram_quantile(h, 0.99));
	put_seconds(j, "max_s", (int64_t)counter_load(&h->max_ns));
	json_member_u64(j, "count", histogram_count(h));
	json_end_object(j);
}

static void put_answers(struct json *j, const struct counters *c)
{
	json_key(j, "responses");
	json_begin_object(j);
	json_member_u64(j, "1xx", counter_load(&c->v[COUNTER_RESPONSES_1XX]));
	json_member_u64(j, "2xx", counter_load(&c->v[COUNTER_RESPONSES_2XX]));
	json_member_u64(j, "3xx", counter_load(&c->v[COUNTER_RESPONSES_3XX]));
	json_member_u64(j, "4xx", counter_load(&c->v[COUNTER_RESPONSES_4XX]));
	json_member_u64(j, "5xx", counter_load(&c->v[COUNTER_RESPONSES_5XX]));
	json_end_object(j);
}

static void put_faults(struct json *j, const struct counters *c)
{
	json_key(j, "faults");
	json_begin_object(j);
	for (unsigned i = FAULT_NONE + 1; i < FAULT_KIND_COUNT; i++) {
		if (counter_load(&c->faults[i]))
			json_member_u64(j, fault_kind_name((enum fault_kind)i), counter_load(&c->faults[i]));
	}
	json_end_object(j);
}

void admin_write_totals(struct json *j, const struct server_snapshot *s)
{
	const struct counters *c = &s->total;

	put_time(j, "time", clock_wall_ns());
	json_member_u64(j, "requests", counter_load(&c->v[COUNTER_REQUESTS]));
	put_answers(j, c);
	put_faults(j, c);
	json_member_u64(j, "upstream_failures", counter_load(&c->v[COUNTER_UPSTREAM_FAILURES]));
	json_member_u64(j, "rejected", counter_load(&c->v[COUNTER_REQUESTS_REJECTED]));
	json_member_u64(j, "clients_left", counter_load(&c->v[COUNTER_CLIENTS_LEFT]));
	json_member_i64(j, "active", gauge_load(&c->active));
	json_member_i64(j, "held", gauge_load(&c->held));
	json_member_i64(j, "connections", gauge_load(&c->clients));
	json_member_u64(j, "bytes_in", counter_load(&c->v[COUNTER_BYTES_IN]));
	json_member_u64(j, "bytes_out", counter_load(&c->v[COUNTER_BYTES_OUT]));
	json_member_u64(j, "log_dropped", counter_load(&c->v[COUNTER_RECORDS_DROPPED]) + s->log_lost);
	put_times(j, "request_time", &c->request_time);
	put_times(j, "upstream_time", &c->upstream_time);
	put_times(j, "intended_delay", &c->delay);
	put_times(j, "delay_error", &c->delay_error);
}

void admin_get_totals(const struct admin_request *r, struct admin_answer *a)
{
	struct server_snapshot *s = malloc(sizeof(*s));

	if (!s) {
		admin_answer_error(a, 503, "memory is out");
		return;
	}
	server_snapshot(r->admin->server, s);
	admin_write_totals(admin_answer_begin_json(a), s);
	admin_answer_end_json(a);
	free(s);
}

/* ---- what was ---- */

/* Unix seconds with at most nine decimals, as times are written here, in nanoseconds. 1: it is none. */
static int parse_time(struct span s, int64_t *unix_ns)
{
	size_t dot = span_find(s, '.');
	struct span decimals = span_skip(s, dot + 1);
	uint64_t seconds, fraction = 0;

	if (span_to_u64(span_first(s, dot), &seconds) || seconds > TIME_SECONDS_MAX || decimals.n > 9 ||
		(decimals.n && span_to_u64(decimals, &fraction)))
		return 1;
	for (size_t i = decimals.n; i < 9; i++)
		fraction *= 10;
	*unix_ns = (int64_t)(seconds * (uint64_t)NS_PER_S + fraction);
	return 0;
}

void admin_get_history(const struct admin_request *r, struct admin_answer *a)
{
	char block[32];
	struct span since = http_query_value(r->query, SPAN("since"), block, sizeof(block));
	int64_t since_ns = 0;
	struct json *j;

	if (since.p && parse_time(since, &since_ns)) {
		admin_answer_error(a, 400, "since must be a Unix time in seconds, such as 1795185977.206");
		return;
	}
	j = admin_answer_begin_json(a);
	json_member_u64(j, "interval_s", 1);
	json_key(j, "samples");
	admin_history_write_since(j, r->admin->history, since_ns);
	admin_answer_end_json(a);
}

static void put_exchange(void *arg, uint64_t seq, struct span json)
{
	(void)seq;
	json_raw(arg, json);
}

void admin_get_recent(const struct admin_request *r, struct admin_answer *a)
{
	struct recent *recent = server_recent(r->admin->server);
	struct recent_query q = { .choice = RECENT_ALL };
	uint64_t limit, notable, last = 0;
	char block[ADMIN_NAME_BYTES_MAX];
	struct json *j;

	if (!admin_router_number(r, "limit", 1, RECENT_MAX, RECENT_LIMIT, &limit, a) ||
		!admin_router_number(r, "faulted", 0, 1, 0, &notable, a) ||
		!admin_router_number(r, "since", 0, UINT64_MAX, 0, &q.since, a))
		return;
	q.max = (unsigned)limit;
	q.rule = http_query_value(r->query, SPAN("rule"), block, sizeof(block));
	if (notable || q.rule.n)
		q.choice = RECENT_NOTABLE;
	j = admin_answer_begin_json(a);
	json_key(j, "exchanges");
	json_begin_array(j);
	if (recent)
		last = recent_read(recent, &q, put_exchange, j);
	json_end_array(j);
	json_member_u64(j, "next", last);
	admin_answer_end_json(a);
}
