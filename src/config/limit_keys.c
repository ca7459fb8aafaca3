/*
 * limit_keys: a quota is made on the heap, since most sets of faults have none.
 */
#include "config/limit_keys.h"

#include "config/rule_check.h"
#include "config/rule_keys.h"
#include "config/units.h"

#define HINT_BYTES 96

/* ---- key ---- */

static const struct rule_keys_word limit_key_words[] = {
	{ "all", LIMIT_KEY_ALL, false },
	{ "client", LIMIT_KEY_CLIENT, false },
	{ "path", LIMIT_KEY_PATH, false },
	{ "header", LIMIT_KEY_HEADER, true },
	{ "cookie", LIMIT_KEY_COOKIE, true },
	{ "query", LIMIT_KEY_QUERY, true },
};

static void decode_limit_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct fault_limit *limit = field;
	const struct rule_keys_word *word;
	struct span name;

	word = rule_keys_parse(d, node, limit_key_words, ARRAY_LEN(limit_key_words), value_limit_key.phrase, &name);
	if (!word)
		return;
	limit->key = (enum limit_key)word->value;
	limit->key_name = limit->key == LIMIT_KEY_HEADER ? decode_lower(d, key->heap, name) : decode_copy(d, key->heap, name);
}

static void schema_limit_key(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^(all|client|path|(header|cookie|query):.+)$");
}

const struct value_type value_limit_key = { "key", "one of all, client, path, header:NAME, cookie:NAME, query:NAME",
	decode_limit_key, schema_limit_key };

/* ---- retry_after ---- */

const struct choice limit_keys_hints[] = { { "auto", LIMIT_HINT_AUTO }, { "date", LIMIT_HINT_DATE }, { "none", LIMIT_HINT_NONE },
	{ 0 } };

static void decode_hint(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct fault_limit *limit = field;
	char block[HINT_BYTES];
	struct text hint;

	for (const struct choice *c = limit_keys_hints; c->name; c++) {
		if (span_eq(node->text, span_of_string(c->name))) {
			limit->hint = (enum limit_hint)c->value;
			return;
		}
	}
	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_duration_range(node->text, &limit->hint_min_ns, &limit->hint_max_ns, &hint) != 0)
		value_refuse(d, node, value_limit_hint.phrase, &hint);
	else if ((uint64_t)limit->hint_max_ns > key->max)
		decode_error(d, node, "%.*s is out of range (at most 24h)", DECODE_SHOWN(node->text));
	else
		limit->hint = LIMIT_HINT_RANGE;
}

static void schema_hint(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^([0-9.]+(ns|us|ms|s|m|h)|0)(\\.\\.([0-9.]+(ns|us|ms|s|m|h)|0))?$");
}

const struct value_type value_limit_hint = { "range", "auto, date, none or a range of durations such as 1s..3s", decode_hint,
	schema_hint };

/* ---- all ---- */

static void check_numbers(struct decode *d, const struct yaml_node *node, const struct fault_limit *limit)
{
	const struct yaml_node *window = yaml_node_get(node, "window"), *burst = yaml_node_get(node, "burst");

	if (limit->algorithm == LIMIT_CONCURRENCY && window)
		decode_error(d, window, "concurrency has no window: it limits how many requests there are at a time");
	if (limit->algorithm != LIMIT_CONCURRENCY && !window)
		decode_error(d, node, "the key \"window\" is missing");
	if (limit->algorithm != LIMIT_TOKEN_BUCKET && burst)
		decode_error(d, burst, "burst is of algorithm: token_bucket alone");
	if (limit->algorithm == LIMIT_SLIDING_WINDOW && limit->limit > LIMIT_SLIDING_MAX)
		decode_error(d, yaml_node_get(node, "limit"), "a sliding window has a limit of at most %d", LIMIT_SLIDING_MAX);
	if (limit->limit && limit->cost > MAX(limit->limit, limit->burst))
		decode_error(d, yaml_node_get(node, "cost"), "a request costs more than there ever is: none would pass");
}

void limit_keys_finish(struct decode *d, const struct yaml_node *node, void *base)
{
	struct fault_limit *limit = base;

	check_numbers(d, node, limit);
	if (limit->refusal.status && limit->refusal.status < 400)
		decode_error(d, yaml_node_get(node, "status"), "%u is no refusal: use a code of 400 to 599",
			limit->refusal.status);
	rule_check_abort(d, node, &limit->refusal);
}

void limit_keys_decode(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct fault_limit *limit = decode_alloc(d, true, 1, sizeof(*limit));

	if (!limit)
		return;
	memcpy((char *)base + key->offset, &limit, sizeof(limit));
	decode_value(d, key, node, limit);
}
