/*
 * metrics: see metrics.h. Prometheus' text format is described in its documentation ("Exposition formats"), OpenMetrics in
 * draft-richih-opsawg-openmetrics; they differ in how counters and infos are called and in what ends the text.
 */
#include "observe/metrics.h"

#include <assert.h>

struct row {
	struct span name;
	enum metric_type type;
	struct span unit;
	struct span labels;
	struct span help;
};

static const struct row rows[METRIC_COUNT] = {
#define METRIC(id, name, type, unit, labels, help)                                                                              \
	[METRIC_##id] = { { name, sizeof(name) - 1 }, METRIC_##type, { unit, sizeof(unit) - 1 },                                \
		{ labels, sizeof(labels) - 1 }, { help, sizeof(help) - 1 } },
#include "observe/metrics.def"
#undef METRIC
};

static const char *type_name(enum metric_type type)
{
	static const char *const names[] = { "counter", "gauge", "histogram", "info" };

	return names[type];
}

/* What a sample's name has behind the family's. */
static const char *sample_suffix(enum metric_type type)
{
	static const char *const suffixes[] = { "_total", "", "", "_info" };

	return suffixes[type];
}

void metrics_begin(struct metrics *m, struct text *out, bool openmetrics)
{
	*m = (struct metrics){ .out = out, .openmetrics = openmetrics, .family = METRIC_COUNT };
}

void metrics_end(struct metrics *m)
{
	if (m->openmetrics)
		text_put_literal(m->out, "# EOF\n");
}

/* ---- a family ---- */

/* "# HELP name " */
static void put_comment(struct metrics *m, const char *what, const struct row *row)
{
	text_put_literal(m->out, "# ");
	text_put_string(m->out, what);
	text_put_char(m->out, ' ');
	text_put_span(m->out, row->name);
	/* The text format knows samples alone: its families are called as these are. */
	if (!m->openmetrics)
		text_put_string(m->out, sample_suffix(row->type));
	text_put_char(m->out, ' ');
}

void metrics_family(struct metrics *m, enum metric id)
{
	const struct row *row = &rows[id];
	enum metric_type type = !m->openmetrics && row->type == METRIC_INFO ? METRIC_GAUGE : row->type;

	m->family = id;
	put_comment(m, "HELP", row);
	text_put_span(m->out, row->help);
	text_put_char(m->out, '\n');
	put_comment(m, "TYPE", row);
	text_put_string(m->out, type_name(type));
	text_put_char(m->out, '\n');
	if (!m->openmetrics || !row->unit.n)
		return;
	put_comment(m, "UNIT", row);
	text_put_span(m->out, row->unit);
	text_put_char(m->out, '\n');
}

/* ---- samples ---- */

static void put_label_value(struct text *out, struct span value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == '\n') {
			text_put_literal(out, "\\n");
			continue;
		}
		if (c == '"' || c == '\\')
			text_put_char(out, '\\');
		text_put_char(out, c);
	}
}

static void put_labels(struct text *out, struct span names, const struct span *values)
{
	struct span name;
	unsigned i = 0;

	if (!names.n)
		return;
	while (span_next_element(&names, &name)) {
		text_put_char(out, i ? ',' : '{');
		text_put_span(out, name);
		text_put_literal(out, "=\"");
		put_label_value(out, values[i++]);
		text_put_char(out, '"');
	}
	text_put_char(out, '}');
}

static void put_sample_name(struct metrics *m, const struct span *labels)
{
	const struct row *row = &rows[m->family];

	assert(row->type != METRIC_HISTOGRAM);
	assert((row->labels.n != 0) == (labels != NULL));
	text_put_span(m->out, row->name);
	text_put_string(m->out, sample_suffix(row->type));
	put_labels(m->out, row->labels, labels);
	text_put_char(m->out, ' ');
}

void metrics_u64(struct metrics *m, const struct span *labels, uint64_t value)
{
	put_sample_name(m, labels);
	text_put_u64(m->out, value);
	text_put_char(m->out, '\n');
}

void metrics_seconds(struct metrics *m, const struct span *labels, int64_t ns)
{
	put_sample_name(m, labels);
	text_put_seconds(m->out, ns, 9);
	text_put_char(m->out, '\n');
}

void metrics_one(struct metrics *m, enum metric id, uint64_t value)
{
	metrics_family(m, id);
	metrics_u64(m, NULL, value);
}

/* More than a signed count of nanoseconds holds is no wonder where many wait for long. */
static void put_sum(struct text *out, uint64_t ns)
{
	char fraction[sizeof("0.123456789")];
	struct text t;

	text_init_fixed(&t, fraction, sizeof(fraction));
	text_put_seconds(&t, (int64_t)(ns % (uint64_t)NS_PER_S), 9);
	text_put_u64(out, ns / (uint64_t)NS_PER_S);
	text_put_span(out, span_skip(text_span(&t), 1));
}

static void put_bucket(struct text *out, struct span name, const char *bound, uint64_t count)
{
	text_put_span(out, name);
	text_put_literal(out, "_bucket{le=\"");
	text_put_string(out, bound);
	text_put_literal(out, "\"} ");
	text_put_u64(out, count);
	text_put_char(out, '\n');
}

void metrics_one_histogram(struct metrics *m, enum metric id, const struct histogram *h)
{
	uint64_t counts[HISTOGRAM_BOUNDS_N];
	uint64_t n = histogram_at_most(h, counts);
	struct span name = rows[id].name;

	assert(rows[id].type == METRIC_HISTOGRAM);
	metrics_family(m, id);
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS_N; i++)
		put_bucket(m->out, name, histogram_bound_text(i), counts[i]);
	put_bucket(m->out, name, "+Inf", n);
	text_put_span(m->out, name);
	text_put_literal(m->out, "_sum ");
	put_sum(m->out, atomic_load_explicit(&h->sum_ns, memory_order_relaxed));
	text_put_char(m->out, '\n');
	text_put_span(m->out, name);
	text_put_literal(m->out, "_count ");
	text_put_u64(m->out, n);
	text_put_char(m->out, '\n');
}

/* ---- which format ---- */

const char *metrics_content_type(bool openmetrics)
{
	return openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
			     "text/plain; version=0.0.4; charset=utf-8";
}

/* The next of the parts of a media range that semicolons separate, trimmed; false at the end. */
static bool next_parameter(struct span *rest, struct span *part)
{
	size_t at;

	if (!rest->n)
		return false;
	at = span_find(*rest, ';');
	*part = span_trim(span_first(*rest, at));
	*rest = span_skip(*rest, at + 1);
	return true;
}

/* "0.75" in thousandths (RFC 9110 section 12.4.2); what is no weight counts as 0. */
static unsigned weight_of(struct span s)
{
	unsigned weight = 0;
	unsigned unit = 1000;

	for (size_t i = 0; i < s.n; i++) {
		if (i == 1 && s.p[i] == '.')
			continue;
		if (!ascii_is_digit(s.p[i]) || i > 4 || (i == 1 && s.p[i] != '.'))
			return 0;
		weight += (unsigned)(s.p[i] - '0') * unit;
		unit /= 10;
	}
	return MIN(weight, 1000u);
}

/* The weight of a media range where it is of this type; 0 for others, and for a version that is not this one. */
static unsigned range_weight(struct span range, struct span type, struct span version)
{
	unsigned weight = 1000;
	struct span part;

	if (!next_parameter(&range, &part) || !span_eq_nocase(part, type))
		return 0;
	while (next_parameter(&range, &part)) {
		size_t at = span_find(part, '=');
		struct span name = span_first(part, at);
		struct span value = span_skip(part, at + 1);

		if (span_eq_nocase(name, SPAN("q")))
			weight = weight_of(value);
		else if (span_eq_nocase(name, SPAN("version")) && !span_eq(value, version))
			return 0;
	}
	return weight;
}

bool metrics_accepts_openmetrics(struct span accept)
{
	unsigned openmetrics = 0;
	unsigned plain = 0;
	struct span range;

	while (span_next_element(&accept, &range)) {
		openmetrics = MAX(openmetrics, range_weight(range, SPAN("application/openmetrics-text"), SPAN("1.0.0")));
		plain = MAX(plain, range_weight(range, SPAN("text/plain"), SPAN("0.0.4")));
	}
	return openmetrics && openmetrics >= plain;
}

/* ---- reference ---- */

void metrics_write_reference(struct text *out)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		struct span labels = rows[i].labels;
		struct span label;

		text_put_literal(out, "  ");
		text_put_span(out, rows[i].name);
		text_put_string(out, sample_suffix(rows[i].type));
		text_put_literal(out, "  ");
		text_put_string(out, type_name(rows[i].type));
		for (unsigned n = 0; labels.n && span_next_element(&labels, &label); n++) {
			text_put_string(out, n ? ", " : " by ");
			text_put_span(out, label);
		}
		text_put_literal(out, "\n      ");
		text_put_span(out, rows[i].help);
		text_put_char(out, '\n');
	}
}
