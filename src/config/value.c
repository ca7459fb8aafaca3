/*
 * value: a quoted scalar is as good as a plain one ("503" is 503), so that ${VAR} and JSON need no care. Only `true` and
 * `false` are truth values: what YAML 1.1 makes of yes, no, on and off has surprised enough people.
 */
#include "config/value.h"

#include <inttypes.h>

#include "config/suggest.h"
#include "config/units.h"

#define HINT_BYTES 96

void value_refuse(struct decode *d, const struct yaml_node *node, const char *phrase, const struct text *hint)
{
	if (hint && hint->n)
		decode_error(d, node, "\"%.*s\" is not %s (%.*s)", DECODE_SHOWN(node->text), phrase, SPAN_ARG(text_span(hint)));
	else
		decode_error(d, node, "\"%.*s\" is not %s", DECODE_SHOWN(node->text), phrase);
}

bool value_is_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || ascii_is_digit(c);

		if (!letter && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return s.n > 0;
}

bool value_is_field_content(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* ---- schema ---- */

void value_schema_string(struct json *j, const char *pattern)
{
	json_member_string(j, "type", "string");
	if (pattern)
		json_member_string(j, "pattern", pattern);
}

void value_schema_text(struct json *j, const struct key *key)
{
	(void)key;
	json_key(j, "type");
	json_begin_array(j);
	json_c_string(j, "string");
	json_c_string(j, "number");
	json_c_string(j, "boolean");
	json_end_array(j);
}

static void schema_enum(struct json *j, const struct choice *choices)
{
	json_key(j, "enum");
	json_begin_array(j);
	for (; choices->name; choices++) {
		/* Without quotes it is no string to an editor. */
		if (strcmp(choices->name, "true") == 0)
			json_bool(j, true);
		else
			json_c_string(j, choices->name);
	}
	json_end_array(j);
}

/* ---- bool ---- */

static void decode_bool(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	static const char *const truths[] = { "yes", "on", "y", "1", "enabled" };
	static const char *const falsehoods[] = { "no", "off", "n", "0", "disabled" };
	char block[HINT_BYTES];
	struct text hint;

	if (span_eq(node->text, SPAN("true")) || span_eq(node->text, SPAN("false"))) {
		decode_store(key, field, node->text.n == 4);
		return;
	}
	text_init_fixed(&hint, block, sizeof(block));
	for (size_t i = 0; i < ARRAY_LEN(truths); i++) {
		if (span_eq_nocase(node->text, span_of_string(truths[i])))
			text_put_string(&hint, "write true");
		if (span_eq_nocase(node->text, span_of_string(falsehoods[i])))
			text_put_string(&hint, "write false");
	}
	if (span_eq_nocase(node->text, SPAN("true")) || span_eq_nocase(node->text, SPAN("false")))
		text_put_string(&hint, "in lower case");
	value_refuse(d, node, value_bool.phrase, &hint);
}

static void schema_bool(struct json *j, const struct key *key)
{
	(void)key;
	json_member_string(j, "type", "boolean");
}

const struct value_type value_bool = { "bool", "true or false", decode_bool, schema_bool };

/* ---- count and choice ---- */

static const struct choice *find_choice(const struct choice *choices, struct span word)
{
	for (; choices && choices->name; choices++) {
		if (span_eq(word, span_of_string(choices->name)))
			return choices;
	}
	return NULL;
}

static void decode_count(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	const struct choice *choice = find_choice(key->choices, node->text);
	char block[HINT_BYTES];
	struct text hint;
	uint64_t value;

	text_init_fixed(&hint, block, sizeof(block));
	if (choice)
		decode_store(key, field, choice->value);
	else if (units_parse_count(node->text, &value, &hint) != 0)
		value_refuse(d, node, value_count.phrase, &hint);
	else if (value < key->min || value > key->max)
		decode_error(d, node, "%.*s is out of range (%" PRIu64 " to %" PRIu64 ")", DECODE_SHOWN(node->text), key->min,
			key->max);
	else
		decode_store(key, field, value);
}

static void schema_count(struct json *j, const struct key *key)
{
	json_member_string(j, "type", "integer");
	json_member_u64(j, "minimum", key->min);
	json_member_u64(j, "maximum", key->max);
}

const struct value_type value_count = { "count", "a whole number", decode_count, schema_count };

static void decode_choice(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	const struct choice *choice = find_choice(key->choices, node->text);
	char names[200], block[DECODE_SUGGESTION_BYTES];
	struct suggestion s;
	struct text t;

	if (choice) {
		decode_store(key, field, choice->value);
		return;
	}
	text_init_fixed(&t, names, sizeof(names));
	suggest_begin(&s, node->text);
	for (choice = key->choices; choice->name; choice++)
		suggest_offer(&s, span_of_string(choice->name));
	decode_put_choices(&t, key);
	decode_error(d, node, "\"%.*s\" is not %s%.*s%s", DECODE_SHOWN(node->text), key->choices[1].name ? "one of " : "",
		SPAN_ARG(text_span(&t)), decode_suggestion(s.best, block, sizeof(block)));
}

static void schema_choice(struct json *j, const struct key *key)
{
	schema_enum(j, key->choices);
}

const struct value_type value_choice = { "word", "a word", decode_choice, schema_choice };

/* ---- quantities ---- */

static void refuse_range(struct decode *d, const struct yaml_node *node, void (*write)(struct text *, uint64_t), uint64_t min,
	uint64_t max)
{
	char block[HINT_BYTES];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	write(&t, min);
	text_put_string(&t, " to ");
	write(&t, max);
	decode_error(d, node, "%.*s is out of range (%.*s)", DECODE_SHOWN(node->text), SPAN_ARG(text_span(&t)));
}

static void write_duration(struct text *out, uint64_t ns)
{
	units_write_duration(out, (int64_t)ns);
}

static void decode_duration(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	const struct choice *choice = find_choice(key->choices, node->text);
	char block[HINT_BYTES];
	struct text hint;
	int64_t ns;

	text_init_fixed(&hint, block, sizeof(block));
	if (choice)
		decode_store(key, field, choice->value);
	else if (units_parse_duration(node->text, &ns, &hint) != 0)
		value_refuse(d, node, value_duration.phrase, &hint);
	else if ((uint64_t)ns < key->min || (uint64_t)ns > key->max)
		refuse_range(d, node, write_duration, key->min, key->max);
	else
		decode_store(key, field, (uint64_t)ns);
}

static void schema_duration(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^([0-9]+(\\.[0-9]{1,6})?(ns|us|ms|s|m|h)|0)$");
}

const struct value_type value_duration = { "duration", "a duration", decode_duration, schema_duration };

static void decode_size(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	char block[HINT_BYTES];
	struct text hint;
	uint64_t bytes;

	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_size(node->text, &bytes, &hint) != 0)
		value_refuse(d, node, value_size.phrase, &hint);
	else if (bytes < key->min || bytes > key->max)
		refuse_range(d, node, units_write_size, key->min, key->max);
	else
		decode_store(key, field, bytes);
}

static void schema_size(struct json *j, const struct key *key)
{
	(void)key;
	json_key(j, "type");
	json_begin_array(j);
	json_c_string(j, "string");
	json_c_string(j, "integer");
	json_end_array(j);
	json_member_string(j, "pattern", "^[0-9]+(\\.[0-9]{1,6})?(B|KiB|MiB|GiB|KB|MB|GB)?$");
	json_member_u64(j, "minimum", 0);
}

const struct value_type value_size = { "size", "a size", decode_size, schema_size };

static void decode_percentage(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	char block[HINT_BYTES];
	struct text hint;
	uint64_t millionths;

	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_percentage(node->text, &millionths, &hint) != 0)
		value_refuse(d, node, value_percentage.phrase, &hint);
	else if (millionths > RULE_PERCENTAGE_ALL)
		decode_error(d, node, "%.*s is out of range (0 to 100)", DECODE_SHOWN(node->text));
	else
		decode_store(key, field, millionths);
}

static void schema_percentage(struct json *j, const struct key *key)
{
	(void)key;
	json_member_string(j, "type", "number");
	json_member_u64(j, "minimum", 0);
	json_member_u64(j, "maximum", 100);
}

const struct value_type value_percentage = { "percentage", "a percentage of 0 to 100 with up to 6 decimals", decode_percentage,
	schema_percentage };

/* ---- text ---- */

static void decode_text(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct span *text = field;

	if (node->text.n == 0)
		decode_error(d, node, "must not be empty");
	else
		*text = decode_copy(d, key->heap, node->text);
}

const struct value_type value_text = { "text", "a text", decode_text, value_schema_text };

/* `access: false` is meant to turn it off; a file of that name would be a surprise, and can be had as ./false. */
static void decode_destination(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	static const char *const truths[] = { "true", "yes", "on" };
	static const char *const falsehoods[] = { "false", "no", "none" };
	char block[HINT_BYTES];
	struct text hint;

	text_init_fixed(&hint, block, sizeof(block));
	for (size_t i = 0; i < ARRAY_LEN(truths); i++) {
		if (span_eq_nocase(node->text, span_of_string(truths[i])))
			text_put_string(&hint, "write stderr, or ./NAME for a file of that name");
		if (span_eq_nocase(node->text, span_of_string(falsehoods[i])))
			text_put_string(&hint, "write off, or ./NAME for a file of that name");
	}
	if (hint.n || memchr(node->text.p, '\0', node->text.n))
		value_refuse(d, node, value_destination.phrase, &hint);
	else
		decode_text(d, key, node, field);
}

const struct value_type value_destination = { "text", "stderr, stdout, off or the path of a file", decode_destination,
	value_schema_text };
