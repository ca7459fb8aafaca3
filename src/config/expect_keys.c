/*
 * expect_keys: limits are read into the rows of expect.def, which say what they count and compare. The comparison may be
 * written; the wrong one is an error, so that nobody asks for the contrary of what is judged.
 */
#include "config/expect_keys.h"

#include "config/match_keys.h"
#include "config/rule_keys.h"
#include "config/suggest.h"
#include "config/units.h"

#define HINT_BYTES 96
#define MILLIONTHS 1000000

/* ---- limits ---- */

static enum expect_key row_of(const struct key *key)
{
	return (enum expect_key)((key->offset - offsetof(struct expect, limits)) / sizeof(struct expect_limit));
}

static bool is_upper(unsigned way)
{
	return way == EXPECT_AT_MOST || way == EXPECT_BELOW;
}

/* "0.15 warn": takes the last word off *s. */
static uint8_t cut_severity(struct span *s)
{
	const struct span warn = SPAN(" warn"), fail = SPAN(" fail");
	struct span word = span_skip(*s, s->n - MIN(s->n, warn.n)); /* both are as long */
	bool is_warning = span_eq(word, warn);

	if (is_warning || span_eq(word, fail))
		*s = span_trim(span_first(*s, s->n - word.n));
	return is_warning ? EXPECT_WARN : EXPECT_FAIL;
}

/* Takes a comparison off *s. False where it is of the other direction than the row's (said). */
static bool cut_comparison(struct decode *d, const struct key *key, const struct yaml_node *node, struct span *s, uint8_t *way)
{
	uint8_t found;

	*way = (uint8_t)expect_key_way(row_of(key));
	if (s->n == 0 || (s->p[0] != '<' && s->p[0] != '>'))
		return true;
	found = s->p[0] == '<' ? EXPECT_BELOW : EXPECT_ABOVE;
	*s = span_skip(*s, 1);
	if (s->n && s->p[0] == '=') {
		found = found == EXPECT_BELOW ? EXPECT_AT_MOST : EXPECT_AT_LEAST;
		*s = span_skip(*s, 1);
	}
	*s = span_trim(*s);
	if (is_upper(found) != is_upper(*way)) {
		decode_error(d, node, "\"%.*s\" compares the wrong way: this is the %s allowed (write %.*s)",
			DECODE_SHOWN(node->text), is_upper(*way) ? "most" : "least", DECODE_SHOWN(*s));
		return false;
	}
	*way = found;
	return true;
}

/* What stands around the number of a limit. False: done, or said. */
static bool begin_limit(struct decode *d, const struct key *key, const struct yaml_node *node, struct span *s,
	struct expect_limit *limit)
{
	*s = node->text;
	if (span_eq(*s, SPAN("off"))) {
		limit->severity = EXPECT_OFF;
		return false;
	}
	limit->severity = cut_severity(s);
	return cut_comparison(d, key, node, s, &limit->way);
}

/* "1.25" or "99%", in millionths. */
static int parse_number(struct span s, uint64_t *millionths, struct text *hint)
{
	bool percent = s.n && s.p[s.n - 1] == '%';

	if (units_parse_percentage(percent ? span_first(s, s.n - 1) : s, millionths, hint) != 0)
		return 1;
	if (percent)
		*millionths /= 100;
	return 0;
}

static void put_bound(struct text *out, uint64_t millionths)
{
	text_put_u64(out, millionths / MILLIONTHS);
	if (millionths % MILLIONTHS)
		text_printf(out, ".%06u", (unsigned)(millionths % MILLIONTHS));
}

static void refuse_number(struct decode *d, const struct key *key, const struct yaml_node *node)
{
	char block[HINT_BYTES];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	put_bound(&t, key->min);
	text_put_literal(&t, " to ");
	put_bound(&t, key->max);
	if (key->max == MILLIONTHS)
		text_put_literal(&t, "; 1 is 100%");
	decode_error(d, node, "%.*s is out of range (%.*s)", DECODE_SHOWN(node->text), SPAN_ARG(text_span(&t)));
}

static void read_number(struct decode *d, const struct key *key, const struct yaml_node *node, struct span s, double *value)
{
	char block[HINT_BYTES];
	uint64_t millionths;
	struct text hint;

	text_init_fixed(&hint, block, sizeof(block));
	if (parse_number(s, &millionths, &hint) != 0)
		value_refuse(d, node, key->type->phrase, &hint);
	else if (millionths < key->min || millionths > key->max)
		refuse_number(d, key, node);
	else
		*value = (double)millionths / MILLIONTHS;
}

/* Half a request is none, and a share of an unknown number is no limit. */
static bool is_whole(struct span s)
{
	return span_find(s, '%') == s.n && span_find(s, '.') == s.n;
}

static void decode_limit(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct expect_limit *limit = field;
	struct span s;

	if (!begin_limit(d, key, node, &s, limit))
		return;
	if (expect_key_unit(row_of(key)) == EXPECT_UNIT_COUNT && !is_whole(s))
		decode_error(d, node, "\"%.*s\" is no whole number: this limit is a count", DECODE_SHOWN(node->text));
	else
		read_number(d, key, node, s, &limit->value);
}

static void schema_limit(struct json *j, const struct key *key)
{
	(void)key;
	json_key(j, "type");
	json_begin_array(j);
	json_c_string(j, "number");
	json_c_string(j, "string");
	json_end_array(j);
	json_member_u64(j, "minimum", 0);
	json_member_string(j, "pattern", "^([<>]=? *)?[0-9]+(\\.[0-9]{1,6})?%?( warn| fail)?$|^off$");
}

const struct value_type value_limit = { "limit", "a limit such as 4, 99%, \"< 0.8\", 0.15 warn or off", decode_limit,
	schema_limit };

static void decode_duration_limit(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct expect_limit *limit = field;
	struct key plain = *key;
	struct yaml_node rest = *node;
	int64_t ns = 0;

	if (!begin_limit(d, key, node, &rest.text, limit))
		return;
	plain.size = sizeof(ns);
	value_duration.decode(d, &plain, &rest, &ns);
	limit->value = (double)ns;
}

static void schema_duration_limit(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^([<>]=? *)?([0-9]+(\\.[0-9]{1,6})?(ns|us|ms|s|m|h)|0)( warn| fail)?$|^off$");
}

const struct value_type value_duration_limit = { "duration", "a duration", decode_duration_limit, schema_duration_limit };

static void decode_limit_range(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct expect *e = base;
	struct span s = node->text;
	uint8_t severity = cut_severity(&s);
	char block[HINT_BYTES];
	int64_t min_ns, max_ns;
	struct text hint;

	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_duration_range(s, &min_ns, &max_ns, &hint) != 0) {
		value_refuse(d, node, key->type->phrase, &hint);
		return;
	}
	e->limits[EXPECT_TIMEOUT_MIN] = (struct expect_limit){ severity, EXPECT_AT_LEAST, (double)min_ns };
	e->limits[EXPECT_TIMEOUT_MAX] = (struct expect_limit){ severity, EXPECT_AT_MOST, (double)max_ns };
}

static void schema_limit_range(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "\\.\\.");
}

const struct value_type value_limit_range = { "range", "a range of durations such as 1s..30s", decode_limit_range,
	schema_limit_range };

/* ---- limits that are flags ---- */

static void decode_wanted(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct key plain = *key;
	bool wanted = false;

	plain.size = sizeof(wanted);
	value_bool.decode(d, &plain, node, &wanted);
	*(struct expect_limit *)field = (struct expect_limit){ wanted ? EXPECT_FAIL : EXPECT_OFF,
		(uint8_t)expect_key_way(row_of(key)), 1 };
}

static void schema_wanted(struct json *j, const struct key *key)
{
	value_bool.schema(j, key);
}

const struct value_type value_wanted = { "bool", "true or false", decode_wanted, schema_wanted };

static const struct choice severities[] = { { "pass", EXPECT_OFF }, { "warn", EXPECT_WARN }, { "fail", EXPECT_FAIL }, { 0 } };

static void decode_severity(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct expect_limit limit = { .way = (uint8_t)expect_key_way(row_of(key)) };
	struct key plain = *key;

	plain.size = sizeof(limit.severity);
	plain.choices = severities;
	value_choice.decode(d, &plain, node, &limit.severity);
	memcpy(field, &limit, sizeof(limit));
}

static void schema_severity(struct json *j, const struct key *key)
{
	struct key plain = *key;

	plain.choices = severities;
	value_choice.schema(j, &plain);
}

const struct value_type value_severity = { "pass | warn | fail", "one of pass, warn, fail", decode_severity, schema_severity };

static void decode_number(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	read_number(d, key, node, node->text, field);
}

static void schema_number(struct json *j, const struct key *key)
{
	(void)key;
	json_member_string(j, "type", "number");
	json_member_u64(j, "minimum", 0);
}

const struct value_type value_number = { "number", "a number", decode_number, schema_number };

/* ---- what tells clients and requests apart ---- */

static const struct rule_keys_word client_words[] = {
	{ "address", OBSERVE_KEY_ADDRESS, false },
	{ "process", OBSERVE_KEY_PROCESS, false },
	{ "header", OBSERVE_KEY_HEADER, true },
};

static const struct rule_keys_word logical_words[] = {
	{ "header", OBSERVE_KEY_HEADER, true },
};

static void decode_key(struct decode *d, const struct key *key, const struct yaml_node *node, const struct rule_keys_word *words,
	size_t n, struct observe_key *field)
{
	const struct rule_keys_word *word;
	struct span name;

	word = rule_keys_parse(d, node, words, n, key->type->phrase, &name);
	if (word)
		*field = (struct observe_key){ (enum observe_key_kind)word->value, decode_lower(d, key->heap, name) };
}

static void decode_client_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	decode_key(d, key, node, client_words, ARRAY_LEN(client_words), field);
}

static void schema_client_key(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^(address|process|header:.+)$");
}

const struct value_type value_client_key = { "client key", "one of address, process, header:NAME", decode_client_key,
	schema_client_key };

static void decode_logical_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	decode_key(d, key, node, logical_words, ARRAY_LEN(logical_words), field);
}

static void schema_logical_key(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^header:.+$");
}

const struct value_type value_logical_key = { "logical key", "header:NAME", decode_logical_key, schema_logical_key };

static void decode_observed_field(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)match_keys_decode_field_name(d, key, node, field);
}

static void schema_observed_field(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, NULL);
}

const struct value_type value_observed_field = { "field name", "the name of a header field", decode_observed_field,
	schema_observed_field };

/* "$.a.b": names without quotes, dots or brackets in them. */
static bool is_json_path(struct span s)
{
	unsigned depth = 0;

	if (!span_starts_with(s, SPAN("$.")))
		return false;
	for (s = span_skip(s, 1); s.n; depth++) {
		size_t n;

		s = span_skip(s, 1);
		n = span_find(s, '.');
		if (n == 0 || span_find(span_first(s, n), '[') < n || span_find(span_first(s, n), '"') < n)
			return false;
		s = span_skip(s, n);
	}
	return depth <= OBSERVE_JSON_DEPTH_MAX;
}

static void decode_json_path(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct span *path = field;

	if (is_json_path(node->text))
		*path = decode_copy(d, key->heap, node->text);
	else
		value_refuse(d, node, key->type->phrase, NULL);
}

static void schema_json_path(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^\\$(\\.[^.\\[\"]+){1,8}$");
}

const struct value_type value_json_path = { "JSON path", "the path of a member such as $.nonce or $.meta.sent_at",
	decode_json_path, schema_json_path };

/* ---- the whole ---- */

void expect_keys_decode_profile(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	enum expect_profile profile = EXPECT_PROFILE_NONE;

	if (decode_is_scalar(d, node, "a profile"))
		key->type->decode(d, key, node, &profile);
	expect_init(base, profile);
}

void expect_keys_check(struct decode *d, const struct yaml_node *expect)
{
	const struct yaml_node *during = yaml_node_get(yaml_node_get(expect, "amplification"), "during");
	struct span name = d->plan->expect.amplification_during;
	char block[DECODE_SUGGESTION_BYTES];
	struct suggestion s;
	unsigned column;

	if (expect) {
		d->plan->has_expect = true;
		yaml_tree_place(d->tree, expect->at, &d->plan->expect_line, &column);
		d->plan->expect_hash = yaml_node_hash(expect);
	}
	if (!during || name.n == 0)
		return;
	suggest_begin(&s, name);
	for (unsigned i = 0; i < d->plan->rules.n; i++) {
		if (span_eq(d->plan->rules.v[i].name, name))
			return;
		suggest_offer(&s, d->plan->rules.v[i].name);
	}
	decode_error(d, during, "expect.amplification.during: there is no rule \"%.*s\"%s", DECODE_SHOWN(name),
		decode_suggestion(s.best, block, sizeof(block)));
}
