/*
 * byte_keys: rates and cuts.
 */
#include "config/byte_keys.h"

#include "config/units.h"

#define HINT_BYTES 96

/* ---- rates ---- */

static void decode_rate(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	const struct span end = SPAN("/s");
	struct span size = node->text;
	char block[HINT_BYTES];
	struct text hint;
	uint64_t bytes;
	bool per_second = size.n > end.n && span_eq(span_skip(size, size.n - end.n), end);

	text_init_fixed(&hint, block, sizeof(block));
	if (per_second)
		size = span_first(size, size.n - end.n);
	if (units_parse_size(size, &bytes, &hint) != 0) {
		value_refuse(d, node, value_rate.phrase, &hint);
	} else if (!per_second) {
		text_printf(&hint, "write %.*s/s", SPAN_ARG(span_first(size, 40)));
		value_refuse(d, node, value_rate.phrase, &hint);
	} else if (bytes < key->min || bytes > key->max) {
		text_put_string(&hint, "1B/s to ");
		units_write_size(&hint, key->max);
		decode_error(d, node, "%.*s is out of range (%.*s/s)", DECODE_SHOWN(node->text), SPAN_ARG(text_span(&hint)));
	} else {
		decode_store(key, field, bytes);
	}
}

static void schema_rate(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^[0-9]+(\\.[0-9]{1,6})?(B|KiB|MiB|GiB|KB|MB|GB)?/s$");
}

const struct value_type value_rate = { "rate", "a rate such as 64KiB/s", decode_rate, schema_rate };

void byte_keys_finish_throttle(struct decode *d, const struct yaml_node *node, void *base)
{
	(void)base;
	if (node->kind == YAML_MAPPING && !yaml_node_get(node, "download") && !yaml_node_get(node, "upload"))
		decode_error(d, node, "needs download, upload or both");
}

void byte_keys_finish_drip(struct decode *d, const struct yaml_node *node, void *base)
{
	struct fault_drip *drip = base;

	(void)d;
	(void)node;
	if (drip->bytes == 0)
		drip->bytes = 1;
}

/* ---- cuts ---- */

static void decode_cut(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct fault_truncate *cut = field;
	bool percent = node->text.n > 1 && node->text.p[node->text.n - 1] == '%';
	char block[HINT_BYTES];
	struct text hint;
	uint64_t value;

	(void)key;
	text_init_fixed(&hint, block, sizeof(block));
	if (percent && units_parse_percentage(span_first(node->text, node->text.n - 1), &value, &hint) == 0) {
		cut->kind = TRUNCATE_PERCENT;
		cut->percent_e6 = (uint32_t)MIN(value, RULE_PERCENTAGE_ALL);
		if (value >= RULE_PERCENTAGE_ALL)
			decode_error(d, node, "%.*s cuts nothing off: write less than 100%%", DECODE_SHOWN(node->text));
	} else if (!percent && units_parse_size(node->text, &value, &hint) == 0) {
		cut->kind = TRUNCATE_BYTES;
		cut->bytes = value;
	} else {
		value_refuse(d, node, value_cut.phrase, &hint);
	}
}

static void schema_cut(struct json *j, const struct key *key)
{
	(void)key;
	json_key(j, "type");
	json_begin_array(j);
	json_c_string(j, "string");
	json_c_string(j, "integer");
	json_end_array(j);
	json_member_string(j, "pattern", "^[0-9]+(\\.[0-9]{1,6})?(B|KiB|MiB|GiB|KB|MB|GB|%)?$");
}

const struct value_type value_cut = { "size | percentage", "a size such as 1KiB or a part such as 50%", decode_cut, schema_cut };
