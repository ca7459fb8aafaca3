/*
 * delay_keys: numbers stay what was written; what they mean as a distribution is the business of core/distribution.
 */
#include "config/delay_keys.h"

#include <stdlib.h>

#include "config/content_keys.h"
#include "config/side_file.h"
#include "config/units.h"

#define HINT_BYTES 96
#define SAMPLE_ERRORS_MAX 5

/* Where in the word's range a percentage lies: struct delay_point. */
#define QUANTILE_ALL (UINT64_C(1) << 32)

static void decode_nothing(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)d;
	(void)key;
	(void)node;
	(void)field;
}

/* ---- fixed, uniform ---- */

static void refuse_long(struct decode *d, const struct key *key, const struct yaml_node *node)
{
	char block[HINT_BYTES];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	units_write_duration(&t, (int64_t)key->max);
	decode_error(d, node, "%.*s is out of range (at most %.*s)", DECODE_SHOWN(node->text), SPAN_ARG(text_span(&t)));
}

static void set_range(struct decode *d, const struct key *key, const struct yaml_node *node, struct fault_delay *delay,
	int64_t min_ns, int64_t max_ns)
{
	if ((uint64_t)max_ns > key->max) {
		refuse_long(d, key, node);
		return;
	}
	delay->kind = min_ns == max_ns ? DELAY_FIXED : DELAY_UNIFORM;
	delay->a_ns = min_ns;
	delay->b_ns = max_ns;
}

void delay_keys_decode_fixed(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	char block[HINT_BYTES];
	struct text hint;
	int64_t ns;

	if (!decode_is_scalar(d, node, key->type->phrase))
		return;
	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_duration(node->text, &ns, &hint) == 0) {
		set_range(d, key, node, base, ns, ns);
		return;
	}
	if (hint.n == 0 && node->text.n && memmem(node->text.p, node->text.n, "..", 2))
		text_put_string(&hint, "write {uniform: 100ms..2s} for a random delay");
	value_refuse(d, node, key->type->phrase, &hint);
}

void delay_keys_decode_uniform(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	char block[HINT_BYTES];
	struct text hint;
	int64_t min_ns, max_ns;

	if (!decode_is_scalar(d, node, key->type->phrase))
		return;
	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_duration_range(node->text, &min_ns, &max_ns, &hint) == 0)
		set_range(d, key, node, base, min_ns, max_ns);
	else
		value_refuse(d, node, key->type->phrase, &hint);
}

static void schema_duration_range(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^([0-9.]+(ns|us|ms|s|m|h)|0)\\.\\.([0-9.]+(ns|us|ms|s|m|h)|0)$");
}

const struct value_type value_duration_range = { "range", "a range of durations such as 100ms..2s", decode_nothing,
	schema_duration_range };

/* ---- normal, lognormal, pareto ---- */

static void decode_shape(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	char block[HINT_BYTES];
	struct text hint;
	uint64_t millionths;
	double shape;

	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_percentage(node->text, &millionths, &hint) != 0) {
		value_refuse(d, node, value_shape.phrase, &hint);
	} else if (millionths < key->min || millionths > key->max) {
		decode_error(d, node, "%.*s is out of range (%g to %g)", DECODE_SHOWN(node->text), (double)key->min / 1e6,
			(double)key->max / 1e6);
	} else {
		shape = (double)millionths / 1e6;
		memcpy(field, &shape, sizeof(shape));
	}
}

static void schema_shape(struct json *j, const struct key *key)
{
	(void)key;
	json_member_string(j, "type", "number");
}

const struct value_type value_shape = { "number", "a number with up to 6 decimals", decode_shape, schema_shape };

void delay_keys_finish_normal(struct decode *d, const struct yaml_node *node, void *base)
{
	struct fault_delay *delay = base;

	(void)d;
	(void)node;
	delay->kind = DELAY_NORMAL;
}

void delay_keys_finish_lognormal(struct decode *d, const struct yaml_node *node, void *base)
{
	struct fault_delay *delay = base;

	delay->kind = DELAY_LOGNORMAL;
	if (delay->a_ns > 0 && delay->b_ns > 0 && delay->b_ns < delay->a_ns)
		decode_error(d, yaml_node_get(node, "p99"), "p99 is less than the median: of 100 delays 50 would be above it");
}

void delay_keys_finish_pareto(struct decode *d, const struct yaml_node *node, void *base)
{
	struct fault_delay *delay = base;

	(void)d;
	(void)node;
	delay->kind = DELAY_PARETO;
}

/* ---- percentiles ---- */

/* "p50", "p99.9", "max" */
static bool parse_percentile(struct span name, uint64_t *quantile)
{
	uint64_t millionths;

	if (span_eq(name, SPAN("max"))) {
		*quantile = QUANTILE_ALL;
		return true;
	}
	if (name.n < 2 || name.p[0] != 'p' || units_parse_percentage(span_skip(name, 1), &millionths, NULL) != 0 ||
		millionths >= RULE_PERCENTAGE_ALL)
		return false;
	*quantile = millionths * QUANTILE_ALL / RULE_PERCENTAGE_ALL;
	return true;
}

static bool decode_point(struct decode *d, const struct key *key, const struct yaml_item *item, struct delay_point *point)
{
	const struct key in_place = { .max = key->max, .size = sizeof(point->ns) };

	point->ns = -1;
	if (!parse_percentile(item->key->text, &point->quantile)) {
		decode_error(d, item->key, "\"%.*s\" is not a percentile such as p50 or p99.9, nor max",
			DECODE_SHOWN(item->key->text));
		return false;
	}
	if (decode_is_scalar(d, item->value, key->type->phrase))
		key->type->decode(d, &in_place, item->value, &point->ns);
	return point->ns >= 0;
}

static int compare_points(const void *a, const void *b)
{
	const struct delay_point *x = a, *y = b;

	if (x->quantile != y->quantile)
		return x->quantile < y->quantile ? -1 : 1;
	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static void check_ascending(struct decode *d, const struct yaml_node *node, const struct fault_delay *delay)
{
	for (unsigned i = 1; i < delay->n_points; i++) {
		const struct delay_point *p = &delay->points[i];

		if (p->quantile == p[-1].quantile)
			decode_error(d, node, "a percentile is given twice");
		else if (p->ns < p[-1].ns)
			decode_error(d, node, "the delay of a higher percentile is less than that of a lower one");
		else
			continue;
		return;
	}
}

void delay_keys_decode_percentiles(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct fault_delay *delay = base;
	bool all_good = true;

	if (node->kind != YAML_MAPPING || node->n == 0) {
		decode_error(d, node, "must be a mapping of percentiles to durations such as {p50: 20ms, p99: 1s, max: 3s}");
		return;
	}
	delay->points = decode_alloc(d, true, node->n, sizeof(*delay->points));
	if (!delay->points)
		return;
	delay->kind = DELAY_PERCENTILES;
	for (const struct yaml_item *item = node->items; item; item = item->next) {
		size_t mark = decode_enter_key(d, item->key->text);

		all_good &= decode_point(d, key, item, &delay->points[delay->n_points++]);
		decode_leave(d, mark);
	}
	qsort(delay->points, delay->n_points, sizeof(*delay->points), compare_points);
	if (all_good)
		check_ascending(d, node, delay);
}

/* ---- samples ---- */

/* One line of the file; false where it is wrong (said). Blank lines and comments leave *ns below 0. */
static bool parse_sample(struct decode *d, const struct key *key, const struct yaml_node *node, struct span line, unsigned number,
	int64_t *ns)
{
	char block[HINT_BYTES];
	struct text hint;

	*ns = -1;
	line = span_trim(line);
	if (line.n && line.p[line.n - 1] == '\r')
		line = span_trim(span_first(line, line.n - 1));
	if (line.n == 0 || line.p[0] == '#')
		return true;
	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_duration(line, ns, &hint) == 0 && (uint64_t)*ns <= key->max)
		return true;
	decode_error(d, node, "%.*s:%u: \"%.*s\" is not a duration of at most 24h%s%.*s%s", DECODE_SHOWN(node->text), number,
		DECODE_SHOWN(line), hint.n ? " (" : "", SPAN_ARG(text_span(&hint)), hint.n ? ")" : "");
	return false;
}

static unsigned count_lines(struct span text)
{
	unsigned n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

static void parse_samples(struct decode *d, const struct key *key, const struct yaml_node *node, struct span text,
	struct fault_delay *delay)
{
	unsigned n_lines = count_lines(text), n_wrong = 0;

	delay->points = decode_alloc(d, true, n_lines, sizeof(*delay->points));
	for (unsigned number = 1; delay->points && number <= n_lines && n_wrong < SAMPLE_ERRORS_MAX; number++) {
		size_t end = span_find(text, '\n');
		int64_t ns;

		n_wrong += !parse_sample(d, key, node, span_first(text, end), number, &ns);
		text = span_skip(text, MIN(end + 1, text.n));
		if (ns >= 0)
			delay->points[delay->n_points++].ns = ns;
	}
	if (delay->n_points > DELAY_KEYS_SAMPLES_MAX)
		decode_error(d, node, "\"%.*s\" has %u samples; at most %d are allowed", DECODE_SHOWN(node->text),
			delay->n_points, DELAY_KEYS_SAMPLES_MAX);
	else if (delay->n_points == 0 && n_wrong == 0 && delay->points)
		decode_error(d, node, "\"%.*s\" has no sample: write one duration on each line", DECODE_SHOWN(node->text));
	if (delay->n_points)
		qsort(delay->points, delay->n_points, sizeof(*delay->points), compare_points);
	delay->kind = DELAY_SAMPLES;
}

void delay_keys_decode_samples(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct text content;

	if (!decode_is_scalar(d, node, value_file.phrase))
		return;
	if (side_file_read(d, node, &content))
		parse_samples(d, key, node, text_span(&content), base);
	text_deinit(&content);
}

/* ---- all ---- */

void delay_keys_finish(struct decode *d, const struct yaml_node *node, void *base)
{
	struct fault_delay *delay = base;
	const struct yaml_node *min = yaml_node_get(node, "min");

	if (delay->max_ns > 0 && delay->min_ns > delay->max_ns)
		decode_error(d, yaml_node_get(node, "max"), "max is less than min");
	if (min && delay->kind == DELAY_PERCENTILES && delay->n_points && delay->points[0].ns >= 0 &&
		delay->min_ns > delay->points[0].ns)
		decode_error(d, min, "min is more than the lowest percentile");
}
