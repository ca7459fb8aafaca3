/*
 * summary: the counts of a run as a few lines or as JSON. What brownout injected is never mixed with what the upstream
 * did by itself. Looks at no clock and no server.
 */
#include "cli/summary.h"

#include <inttypes.h>
#include <math.h>

#include "base/json.h"
#include "core/rule.h"
#include "http/message.h"

#define LABEL_COLUMNS 20
#define NAME_COLUMNS_MAX 40

static uint64_t load(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static uint64_t count(const struct summary *s, enum counter id)
{
	return load(&s->total.v[id]);
}

/* ---- names of what is counted in arrays ---- */

static const char *fault_name(unsigned i)
{
	return fault_kind_name((enum fault_kind)i);
}

static const char *reject_name(unsigned i)
{
	return i < HTTP_ERROR_COUNT ? http_error_name((enum http_error)i) : "other";
}

static const char *failure_name(unsigned i)
{
	return proxy_error_name((enum proxy_error)i);
}

static const char *violation_name(unsigned i)
{
	return status_violation_name((enum status_violation)i);
}

static const char *close_name(unsigned i)
{
	return close_reason_name((enum close_reason)i);
}

/* ---- text ---- */

static void put_label(struct text *out, const char *label)
{
	text_printf(out, "  %-*s", LABEL_COLUMNS, label);
}

static void put_part(struct text *out, const char *name, uint64_t n, bool *first)
{
	text_printf(out, "%s%s %" PRIu64, *first ? "" : ", ", name, n);
	*first = false;
}

/* "3: connection_refused 2, dns_error 1"; "0" where there is none. */
static void put_kinds(struct text *out, const char *label, const _Atomic uint64_t *counts, unsigned n,
	const char *(*name)(unsigned))
{
	uint64_t total = 0;
	bool first = true;

	for (unsigned i = 0; i < n; i++)
		total += load(&counts[i]);
	put_label(out, label);
	text_put_u64(out, total);
	if (total)
		text_put_literal(out, ": ");
	for (unsigned i = 0; i < n; i++) {
		if (load(&counts[i]))
			put_part(out, name(i), load(&counts[i]), &first);
	}
	text_put_char(out, '\n');
}

static void put_answers(const struct summary *s, struct text *out)
{
	static const struct {
		enum counter id;
		const char *name;
	} classes[] = {
		{ COUNTER_RESPONSES_1XX, "1xx" },
		{ COUNTER_RESPONSES_2XX, "2xx" },
		{ COUNTER_RESPONSES_3XX, "3xx" },
		{ COUNTER_RESPONSES_4XX, "4xx" },
		{ COUNTER_RESPONSES_5XX, "5xx" },
	};
	bool first = true;

	put_label(out, "answers");
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (count(s, classes[i].id))
			put_part(out, classes[i].name, count(s, classes[i].id), &first);
	}
	text_put_string(out, first ? "none\n" : "\n");
}

/* Bytes of a name that are shown, cut at a character; *columns is how many places they take. */
static struct span shown(struct span name, unsigned *columns)
{
	struct span rest = name;

	*columns = 0;
	while (rest.n && *columns < NAME_COLUMNS_MAX) {
		rest = span_skip(rest, MAX(span_utf8_length(rest), 1u));
		++*columns;
	}
	return span_first(name, name.n - rest.n);
}

/* What is counted of each rule. A column that is not always shown is left out where no rule has anything in it. */
static const struct rule_column {
	const char *name; /* in JSON */
	const char *title;
	size_t offset;
	bool always;
} rule_columns[] = {
	{ "matched", "matched", offsetof(struct server_rule_count, matched), true },
	{ "fired", "fired", offsetof(struct server_rule_count, fired), true },
	{ "dry_run", "dry run", offsetof(struct server_rule_count, dry), false },
	{ "refused", "refused", offsetof(struct server_rule_count, refused), false },
	{ "early", "early", offsetof(struct server_rule_count, early), false },
};

static uint64_t rule_count(const struct server_rule_count *r, const struct rule_column *column)
{
	uint64_t n;

	memcpy(&n, (const char *)r + column->offset, sizeof(n));
	return n;
}

static bool column_is_shown(const struct summary *s, const struct rule_column *column)
{
	bool shown = column->always;

	for (unsigned i = 0; i < s->n_rules && !shown; i++)
		shown = rule_count(&s->rules[i], column) > 0;
	return shown;
}

/* Percent of the matches that fired; no number where there was none. */
static double share(const struct server_rule_count *r)
{
	return r->matched ? 100.0 * (double)r->fired / (double)r->matched : (double)NAN;
}

static void put_rule(const struct server_rule_count *r, const bool *columns, unsigned width, struct text *out)
{
	unsigned used;
	struct span name = shown(span_of_string(r->name), &used);

	text_printf(out, "  %.*s%*s", SPAN_ARG(name), (int)(width - used), "");
	for (size_t i = 0; i < ARRAY_LEN(rule_columns); i++) {
		if (columns[i])
			text_printf(out, "%12" PRIu64, rule_count(r, &rule_columns[i]));
	}
	if (r->matched)
		text_printf(out, "%8.2f %%\n", share(r));
	else
		text_printf(out, "%10s\n", "-");
}

static void put_rules(const struct summary *s, struct text *out)
{
	bool columns[ARRAY_LEN(rule_columns)];
	unsigned width = 4;
	unsigned used;

	if (s->n_rules == 0)
		return;
	for (unsigned i = 0; i < s->n_rules; i++) {
		(void)shown(span_of_string(s->rules[i].name), &used);
		width = MAX(width, used);
	}
	text_printf(out, "  %-*s", (int)width, "rule");
	for (size_t i = 0; i < ARRAY_LEN(rule_columns); i++) {
		columns[i] = column_is_shown(s, &rule_columns[i]);
		if (columns[i])
			text_printf(out, "%12s", rule_columns[i].title);
	}
	text_printf(out, "%10s\n", "share");
	for (unsigned i = 0; i < s->n_rules; i++)
		put_rule(&s->rules[i], columns, width, out);
}

static void put_ms(struct text *out, const char *name, int64_t ns)
{
	text_printf(out, "%s %.3f ms", name, (double)ns / (double)NS_PER_MS);
}

static void put_delay_error(const struct summary *s, struct text *out)
{
	const struct histogram *h = &s->total.delay_error;

	if (histogram_count(h) + load(&h->negatives) == 0)
		return;
	put_label(out, "delay error");
	put_ms(out, "p50", histogram_quantile(h, 0.5));
	put_ms(out, ", p99", histogram_quantile(h, 0.99));
	put_ms(out, ", max", (int64_t)load(&h->max_ns));
	text_printf(out, " of %" PRIu64 " delays, %" PRIu64 " early\n", histogram_count(h), load(&h->negatives));
}

/* Lines that matter only where they are not zero. */
static void put_losses(const struct summary *s, struct text *out)
{
	if (count(s, COUNTER_CONNECTIONS_REFUSED)) {
		put_label(out, "over the limit");
		text_printf(out, "%" PRIu64 " connections refused\n", count(s, COUNTER_CONNECTIONS_REFUSED));
	}
	if (count(s, COUNTER_RECORDS_DROPPED) + s->log_lost) {
		put_label(out, "logs");
		text_printf(out, "%" PRIu64 " records dropped (too slow), %" PRIu64 " lines not written (the file failed)\n",
			count(s, COUNTER_RECORDS_DROPPED), s->log_lost);
	}
	if (s->keys_forgotten) {
		put_label(out, "keys forgotten");
		text_printf(out, "%" PRIu64 ": more than can be kept; these began anew\n", s->keys_forgotten);
	}
}

void summary_write_text(const struct summary *s, struct text *out)
{
	text_put_literal(out, "brownout ran ");
	text_put_seconds(out, s->elapsed_ns, 1);
	text_printf(out, " s, seed %" PRIu64 "%s\n", s->seed, s->seed_drawn ? " (drawn)" : "");
	put_label(out, "requests");
	text_printf(out, "%" PRIu64 " on %" PRIu64 " connections\n", count(s, COUNTER_REQUESTS), count(s, COUNTER_CONNECTIONS));
	put_answers(s, out);
	put_kinds(out, "faults", s->total.faults, FAULT_KIND_COUNT, fault_name);
	put_delay_error(s, out);
	put_kinds(out, "upstream failures", s->total.failures, PROXY_ERROR_COUNT, failure_name);
	put_kinds(out, "upstream violations", s->total.violations, STATUS_VIOLATION_COUNT, violation_name);
	put_kinds(out, "refused requests", s->total.rejects, COUNTERS_REJECTS_MAX, reject_name);
	put_label(out, "clients that left");
	text_printf(out, "%" PRIu64 "\n", count(s, COUNTER_CLIENTS_LEFT));
	put_losses(s, out);
	put_rules(s, out);
}

/* ---- JSON ---- */

/* Those that are not zero. */
static void write_kinds(struct json *j, const char *key, const _Atomic uint64_t *counts, unsigned n,
	const char *(*name)(unsigned))
{
	json_key(j, key);
	json_begin_object(j);
	for (unsigned i = 0; i < n; i++) {
		if (load(&counts[i]))
			json_member_u64(j, name(i), load(&counts[i]));
	}
	json_end_object(j);
}

static void write_seconds(struct json *j, const char *key, int64_t ns)
{
	char block[32];
	struct text number;

	text_init_fixed(&number, block, sizeof(block));
	text_put_seconds(&number, ns, 9);
	json_key(j, key);
	json_raw(j, text_span(&number));
}

static void write_delay_error(const struct histogram *h, struct json *j)
{
	json_key(j, "delay_error");
	json_begin_object(j);
	json_member_u64(j, "count", histogram_count(h));
	json_member_u64(j, "early", load(&h->negatives));
	write_seconds(j, "p50", histogram_quantile(h, 0.5));
	write_seconds(j, "p99", histogram_quantile(h, 0.99));
	write_seconds(j, "max", (int64_t)load(&h->max_ns));
	json_end_object(j);
}

static void write_rules(const struct summary *s, struct json *j)
{
	json_key(j, "rules");
	json_begin_array(j);
	for (unsigned i = 0; i < s->n_rules; i++) {
		json_begin_object(j);
		json_member_string(j, "name", s->rules[i].name);
		for (size_t k = 0; k < ARRAY_LEN(rule_columns); k++)
			json_member_u64(j, rule_columns[k].name, rule_count(&s->rules[i], &rule_columns[k]));
		json_key(j, "share");
		json_double(j, share(&s->rules[i]));
		json_end_object(j);
	}
	json_end_array(j);
}

void summary_write_json(const struct summary *s, struct text *out)
{
	struct json j;

	json_init(&j, out, 2);
	json_begin_object(&j);
	write_seconds(&j, "elapsed", s->elapsed_ns);
	json_member_u64(&j, "seed", s->seed);
	json_member_bool(&j, "seed_drawn", s->seed_drawn);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		json_member_u64(&j, counter_name((enum counter)i), count(s, (enum counter)i));
	json_member_u64(&j, "log_lost", s->log_lost);
	json_member_u64(&j, "keys_forgotten", s->keys_forgotten);
	write_kinds(&j, "faults_by_kind", s->total.faults, FAULT_KIND_COUNT, fault_name);
	write_kinds(&j, "upstream_failures_by_type", s->total.failures, PROXY_ERROR_COUNT, failure_name);
	write_kinds(&j, "violations_by_kind", s->total.violations, STATUS_VIOLATION_COUNT, violation_name);
	write_kinds(&j, "requests_rejected_by_reason", s->total.rejects, COUNTERS_REJECTS_MAX, reject_name);
	write_kinds(&j, "closes_by_reason", s->total.closes, CLOSE_REASON_COUNT, close_name);
	write_delay_error(&s->total.delay_error, &j);
	write_rules(s, &j);
	json_end_object(&j);
	text_put_char(out, '\n');
}
