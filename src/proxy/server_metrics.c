/*
 * server_metrics: everything that /metrics tells of a server, family by family, from one snapshot. It changes nothing, and what
 * it writes is bounded however many rules, listeners and upstreams there are.
 */
#include <stdlib.h>

#include "http/message.h"
#include "observe/metrics.h"
#include "observe/process_status.h"
#include "proxy/generation.h"
#include "proxy/server_private.h"

/* Rules, and upstreams, with samples of their own; those behind them are added up. */
#define RULES_MAX 1000
#define UPSTREAMS_MAX 255

/* No name in a rule file has parentheses. */
#define NAME_OTHER SPAN("(other)")
#define NAME_NONE SPAN("(none)")

static uint64_t load(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static uint64_t counted(const struct server_snapshot *t, enum counter id)
{
	return load(&t->total.v[id]);
}

/* A gauge is a sum of what each worker wrote at another moment: it may be below 0 for a moment. */
static uint64_t gauged(const _Atomic int64_t *v)
{
	int64_t now = atomic_load_explicit(v, memory_order_relaxed);

	return now > 0 ? (uint64_t)now : 0;
}

/* ---- requests ---- */

static void write_traffic_slot(struct metrics *m, const struct server_snapshot *t, unsigned slot, struct traffic_pair pair)
{
	struct span labels[3] = { pair.listener, pair.upstream.n ? pair.upstream : NAME_NONE };

	for (unsigned k = 0; k < TRAFFIC_CLASSES; k++) {
		labels[2] = span_of_string(traffic_class_name(k));
		metrics_u64(m, labels, load(&t->traffic.v[slot][k]));
	}
}

static void write_traffic(struct metrics *m, const struct server *s, const struct server_snapshot *t)
{
	unsigned n = traffic_n(s->traffic);

	metrics_family(m, METRIC_REQUESTS);
	for (unsigned i = TRAFFIC_OTHER + 1; i < n; i++)
		write_traffic_slot(m, t, i, traffic_pair(s->traffic, i));
	write_traffic_slot(m, t, TRAFFIC_OTHER, (struct traffic_pair){ NAME_OTHER, NAME_OTHER });
}

static void write_by_name(struct metrics *m, const char *name, uint64_t value)
{
	struct span label = span_of_string(name);

	metrics_u64(m, &label, value);
}

static void write_requests(struct metrics *m, const struct server *s, const struct server_snapshot *t)
{
	write_traffic(m, s, t);
	metrics_one(m, METRIC_REQUESTS_BEGUN, counted(t, COUNTER_REQUESTS));
	metrics_one(m, METRIC_REQUESTS_ACTIVE, gauged(&t->total.active));
	metrics_one(m, METRIC_REQUESTS_HELD, gauged(&t->total.held));
	metrics_family(m, METRIC_REQUESTS_REJECTED);
	/* Nothing was wrong with what had come of these. */
	write_by_name(m, "head_timeout", load(&t->total.rejects[HTTP_ERROR_NONE]));
	for (unsigned i = HTTP_ERROR_NONE + 1; i < HTTP_ERROR_COUNT; i++)
		write_by_name(m, http_error_name((enum http_error)i), load(&t->total.rejects[i]));
	metrics_family(m, METRIC_CLOSES);
	for (unsigned i = CLOSE_NONE + 1; i < CLOSE_REASON_COUNT; i++)
		write_by_name(m, close_reason_name((enum close_reason)i), load(&t->total.closes[i]));
	metrics_one(m, METRIC_INTERIM, counted(t, COUNTER_RESPONSES_1XX));
	metrics_one(m, METRIC_RECEIVED, counted(t, COUNTER_BYTES_IN));
	metrics_one(m, METRIC_SENT, counted(t, COUNTER_BYTES_OUT));
	metrics_one_histogram(m, METRIC_REQUEST_TIME, &t->total.request_time);
}

/* ---- faults ---- */

/* One value of each rule for each of these, in this order. */
static const enum metric rule_families[] = { METRIC_RULE_MATCHED, METRIC_RULE_FIRED, METRIC_RULE_DRY_RUN, METRIC_RULE_REFUSED,
	METRIC_RULE_EARLY, METRIC_RULE_ACTIVE, METRIC_RULE_ENABLED };

struct rule_row {
	struct span name; /* lives as long as the plan */
	uint64_t v[ARRAY_LEN(rule_families)];
	uint32_t kinds; /* of which its faults can be */
	uint64_t faults[FAULT_KIND_COUNT];
};

struct upstream_row {
	struct span name; /* lives as long as the plan */
	uint64_t open;
};

/* What is in force, at one moment. */
struct in_force {
	struct plan *plan; /* a reference */
	uint64_t generation;
	struct rule_row *rows;
	unsigned n_rows;
	struct upstream_row *upstreams;
	unsigned n_upstreams;
};

static void add_rule(struct rule_row *row, const struct rule *r, const struct rule_state *state)
{
	int64_t active = atomic_load_explicit(&state->active, memory_order_relaxed);
	const uint64_t values[ARRAY_LEN(rule_families)] = { load(&state->matched), load(&state->fired), load(&state->dry),
		load(&state->refused), load(&state->early), active > 0 ? (uint64_t)active : 0, r->enabled };
	uint64_t faults[FAULT_KIND_COUNT];
	uint32_t kinds;

	rule_state_faults(state, r, faults, &kinds);
	row->kinds |= kinds;
	for (unsigned k = 0; k < FAULT_KIND_COUNT; k++)
		row->faults[k] += faults[k];
	for (unsigned i = 0; i < ARRAY_LEN(values); i++)
		row->v[i] += values[i];
}

static void take_rows(struct in_force *now, const struct generation *g)
{
	unsigned n = g->plan->rules.n;

	now->n_rows = MIN(n, RULES_MAX + 1u);
	now->rows = calloc(now->n_rows + 1U, sizeof(*now->rows));
	for (unsigned i = 0; now->rows && i < n; i++) {
		struct rule_row *row = &now->rows[MIN(i, RULES_MAX)];

		row->name = i < RULES_MAX ? g->plan->rules.v[i].name : NAME_OTHER;
		add_rule(row, &g->plan->rules.v[i], g->states.v[i]);
	}
}

static void take_upstreams(struct in_force *now, const struct generation *g)
{
	unsigned n = g->plan->n_upstreams;

	now->n_upstreams = MIN(n, UPSTREAMS_MAX + 1u);
	now->upstreams = calloc(now->n_upstreams + 1U, sizeof(*now->upstreams));
	for (unsigned i = 0; now->upstreams && i < n; i++) {
		struct upstream_row *row = &now->upstreams[MIN(i, UPSTREAMS_MAX)];

		row->name = i < UPSTREAMS_MAX ? g->plan->upstreams[i].name : NAME_OTHER;
		row->open += atomic_load_explicit(&g->upstreams[i]->open, memory_order_relaxed);
	}
}

/* rows or upstreams are NULL where memory is out. */
static struct in_force take_in_force(struct server *s)
{
	struct in_force now;

	(void)pthread_mutex_lock(&s->lock);
	now = (struct in_force){ .plan = plan_ref(s->generation->plan), .generation = s->generation->number };
	take_rows(&now, s->generation);
	take_upstreams(&now, s->generation);
	(void)pthread_mutex_unlock(&s->lock);
	return now;
}

static void write_rule_faults(struct metrics *m, const struct in_force *now)
{
	metrics_family(m, METRIC_RULE_FAULTS);
	for (const struct rule_row *row = now->rows; row < now->rows + now->n_rows; row++) {
		for (unsigned k = FAULT_NONE + 1; k < FAULT_PASS; k++) {
			struct span labels[2] = { row->name, span_of_string(fault_kind_name((enum fault_kind)k)) };

			if (row->kinds & UINT32_C(1) << k)
				metrics_u64(m, labels, row->faults[k]);
		}
	}
}

static void write_rules(struct metrics *m, const struct in_force *now)
{
	write_rule_faults(m, now);
	for (unsigned i = 0; i < ARRAY_LEN(rule_families); i++) {
		metrics_family(m, rule_families[i]);
		for (const struct rule_row *row = now->rows; row < now->rows + now->n_rows; row++)
			metrics_u64(m, &row->name, row->v[i]);
	}
}

static void write_faults(struct metrics *m, const struct server_snapshot *t, const struct in_force *now)
{
	metrics_family(m, METRIC_FAULTS);
	for (unsigned k = FAULT_NONE + 1; k < FAULT_PASS; k++)
		write_by_name(m, fault_kind_name((enum fault_kind)k), load(&t->total.faults[k]));
	write_rules(m, now);
	metrics_one_histogram(m, METRIC_DELAY, &t->total.delay);
	metrics_one_histogram(m, METRIC_DELAY_ERROR, &t->total.delay_error);
	metrics_one(m, METRIC_DELAYS_EARLY, load(&t->total.delay_error.negatives));
	metrics_one(m, METRIC_KEYS_EVICTED, t->keys_forgotten);
}

/* ---- upstreams, connections, logs ---- */

static void write_upstreams(struct metrics *m, const struct server_snapshot *t, const struct in_force *now)
{
	metrics_family(m, METRIC_UPSTREAM_FAILURES);
	for (unsigned i = PROXY_ERROR_NONE + 1; i < PROXY_ERROR_COUNT; i++)
		write_by_name(m, proxy_error_name((enum proxy_error)i), load(&t->total.failures[i]));
	metrics_one_histogram(m, METRIC_UPSTREAM_TIME, &t->total.upstream_time);
	metrics_one(m, METRIC_UPSTREAM_CONNECTS, counted(t, COUNTER_UPSTREAM_CONNECTS));
	metrics_one(m, METRIC_UPSTREAM_REUSES, counted(t, COUNTER_UPSTREAM_REUSES));
	metrics_one(m, METRIC_UPSTREAM_RETRIES, counted(t, COUNTER_UPSTREAM_RETRIES));
	metrics_one(m, METRIC_UPSTREAM_CONNECTIONS, gauged(&t->total.upstream_open));
	metrics_one(m, METRIC_UPSTREAM_IDLE, gauged(&t->total.upstream_idle));
	metrics_family(m, METRIC_UPSTREAM_POOL);
	for (unsigned i = 0; i < now->n_upstreams; i++)
		metrics_u64(m, &now->upstreams[i].name, now->upstreams[i].open);
	metrics_family(m, METRIC_STATUS_VIOLATIONS);
	for (unsigned i = 0; i < STATUS_VIOLATION_COUNT; i++)
		write_by_name(m, status_violation_name((enum status_violation)i), load(&t->total.violations[i]));
}

static void write_connections(struct metrics *m, const struct server_snapshot *t)
{
	metrics_one(m, METRIC_CONNECTIONS, gauged(&t->total.clients));
	metrics_one(m, METRIC_CONNECTIONS_ACCEPTED, counted(t, COUNTER_CONNECTIONS));
	metrics_one(m, METRIC_CONNECTIONS_REFUSED, counted(t, COUNTER_CONNECTIONS_REFUSED));
	metrics_one(m, METRIC_ACCEPT_PAUSES, counted(t, COUNTER_ACCEPT_PAUSES));
	metrics_one(m, METRIC_LOG_RECORDS_DROPPED, counted(t, COUNTER_RECORDS_DROPPED));
	metrics_one(m, METRIC_LOG_LINES_LOST, t->log_lost);
}

/* ---- state ---- */

static void write_process(struct metrics *m, const struct server *s)
{
	struct process_status p;

	process_status_read(&p);
	metrics_family(m, METRIC_PROCESS_START_TIME);
	metrics_seconds(m, NULL, s->started_wall_ns);
	metrics_family(m, METRIC_PROCESS_CPU);
	metrics_seconds(m, NULL, p.cpu_ns);
	metrics_one(m, METRIC_PROCESS_RESIDENT_MEMORY, p.resident_bytes);
	metrics_one(m, METRIC_PROCESS_OPEN_FDS, p.open_fds);
	metrics_one(m, METRIC_PROCESS_MAX_FDS, p.max_fds);
}

static void write_state(struct metrics *m, const struct server *s, const struct in_force *now)
{
	struct span version = SPAN(BROWNOUT_VERSION);
	char digits[32];
	struct text seed;
	struct span label;

	text_init_fixed(&seed, digits, sizeof(digits));
	text_put_u64(&seed, now->plan->seed);
	label = text_span(&seed);
	metrics_one(m, METRIC_ARMED, server_is_armed(s));
	metrics_one(m, METRIC_DRAINING, server_is_draining(s));
	metrics_one(m, METRIC_CONFIG_GENERATION, now->generation);
	metrics_one(m, METRIC_CONFIG_FILE_REFUSED, atomic_load(&s->file_refused));
	metrics_one(m, METRIC_WORKERS, server_workers(s));
	metrics_family(m, METRIC_BUILD);
	metrics_u64(m, &version, 1);
	metrics_family(m, METRIC_RUN);
	metrics_u64(m, &label, 1);
	write_process(m, s);
}

static void write_all(struct metrics *m, const struct server *s, const struct server_snapshot *t, const struct in_force *now)
{
	write_requests(m, s, t);
	write_faults(m, t, now);
	write_upstreams(m, t, now);
	write_connections(m, t);
	write_state(m, s, now);
}

void server_write_metrics(struct server *s, bool openmetrics, struct text *out)
{
	struct server_snapshot *t = malloc(sizeof(*t));
	struct in_force now = take_in_force(s);
	struct metrics m;

	metrics_begin(&m, out, openmetrics);
	if (t && now.rows && now.upstreams) {
		server_snapshot(s, t);
		write_all(&m, s, t, &now);
	} else {
		out->cut = true;
	}
	metrics_end(&m);
	free(now.rows);
	free(now.upstreams);
	plan_unref(now.plan);
	free(t);
}

void server_note_file(struct server *s, bool in_force)
{
	atomic_store(&s->file_refused, !in_force);
}
