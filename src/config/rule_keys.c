/*
 * rule_keys: from texts to the faults of a rule. Whether the parts fit together is the business of rule_check.
 */
#include "config/rule_keys.h"

#include <stdlib.h>

#include "config/suggest.h"
#include "config/units.h"
#include "core/status.h"

#define HINT_BYTES 96

/* ---- names ---- */

static bool is_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || ascii_is_digit(c) || (c && strchr("._-/:", c));
}

/* They appear in header fields, logs and variables, so they are made of what needs quoting nowhere. */
bool rule_decode_name(struct decode *d, const struct key *key, const struct yaml_node *node, struct span *name)
{
	char clean[RULE_NAME_BYTES_MAX];
	struct text t;
	size_t n_wrong = 0;

	text_init_fixed(&t, clean, sizeof(clean));
	for (size_t i = 0; i < node->text.n && i < sizeof(clean); i++) {
		char c = node->text.p[i];

		n_wrong += !is_name_char(c);
		text_put_char(&t, is_name_char(c) ? c : '-');
	}
	if (node->text.n > RULE_NAME_BYTES_MAX) {
		decode_error(d, node, "a name has at most %d bytes", RULE_NAME_BYTES_MAX);
		return false;
	}
	if (n_wrong || node->text.n == 0) {
		decode_error(d, node, "\"%.*s\" is not a name: letters, digits and ._-/: (write %.*s)", DECODE_SHOWN(node->text),
			SPAN_ARG(t.n ? text_span(&t) : SPAN("a-name")));
		return false;
	}
	*name = decode_copy(d, key->heap, node->text);
	return true;
}

static void decode_name(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)rule_decode_name(d, key, node, field);
}

static void schema_name(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^[A-Za-z0-9._/:-]{1,64}$");
}

const struct value_type value_name = { "name", "a name", decode_name, schema_name };

/* ---- key ---- */

static const struct {
	const char *word;
	enum rule_key key;
	bool named;
} rule_key_words[] = {
	{ "ordinal", RULE_KEY_ORDINAL, false },
	{ "client", RULE_KEY_CLIENT, false },
	{ "fingerprint", RULE_KEY_FINGERPRINT, false },
	{ "header", RULE_KEY_HEADER, true },
	{ "cookie", RULE_KEY_COOKIE, true },
	{ "query", RULE_KEY_QUERY, true },
};

static void refuse_rule_key(struct decode *d, const struct yaml_node *node, struct span word)
{
	char block[DECODE_SUGGESTION_BYTES];
	struct suggestion s;

	suggest_begin(&s, word);
	for (size_t i = 0; i < ARRAY_LEN(rule_key_words); i++)
		suggest_offer(&s, span_of_string(rule_key_words[i].word));
	decode_error(d, node, "\"%.*s\" is not %s%s", DECODE_SHOWN(node->text), value_rule_key.phrase,
		decode_suggestion(s.best, block, sizeof(block)));
}

static void decode_rule_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct rule *r = field;
	size_t colon = span_find(node->text, ':');
	struct span word = span_first(node->text, colon), name = span_skip(node->text, colon + 1);
	size_t i = 0;

	while (i < ARRAY_LEN(rule_key_words) && !span_eq(word, span_of_string(rule_key_words[i].word)))
		i++;
	if (i == ARRAY_LEN(rule_key_words)) {
		refuse_rule_key(d, node, word);
		return;
	}
	if (!rule_key_words[i].named && colon < node->text.n) {
		decode_error(d, node, "\"%.*s\" takes no name (write %.*s)", SPAN_ARG(word), SPAN_ARG(word));
		return;
	}
	if (rule_key_words[i].named && (name.n == 0 || (rule_key_words[i].key != RULE_KEY_QUERY && !value_is_token(name)))) {
		decode_error(d, node, "\"%.*s\" needs a name (write %.*s:NAME)", DECODE_SHOWN(node->text), SPAN_ARG(word));
		return;
	}
	r->key = rule_key_words[i].key;
	r->key_name = r->key == RULE_KEY_HEADER ? decode_lower(d, key->heap, name) : decode_copy(d, key->heap, name);
}

static void schema_rule_key(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^(ordinal|client|fingerprint|(header|cookie|query):.+)$");
}

const struct value_type value_rule_key = { "key",
	"one of ordinal, client, fingerprint, header:NAME, cookie:NAME, query:NAME", decode_rule_key, schema_rule_key };

void rule_decode_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	if (decode_is_scalar(d, node, key->type->phrase))
		decode_rule_key(d, key, node, base);
}

/* ---- status, reason ---- */

static void decode_status(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	uint64_t code;

	if (span_to_u64(node->text, &code) != 0 || code < STATUS_MIN || code > STATUS_MAX)
		decode_error(d, node, "\"%.*s\" is not %s", DECODE_SHOWN(node->text), value_status.phrase);
	else if (status_is_interim((unsigned)code))
		decode_error(d, node, "%u %s is interim and cannot be the answer: use a final code (200 to 599)", (unsigned)code,
			status_classify((unsigned)code)->reason);
	else
		decode_store(key, field, code);
}

static void schema_status(struct json *j, const struct key *key)
{
	(void)key;
	json_member_string(j, "type", "integer");
	json_member_u64(j, "minimum", 200);
	json_member_u64(j, "maximum", STATUS_MAX);
}

const struct value_type value_status = { "status", "a final status code (200 to 599)", decode_status, schema_status };

static void decode_reason(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct span *reason = field;

	if (!value_is_field_content(node->text))
		decode_error(d, node, "a reason phrase is one line without control characters");
	else
		*reason = decode_copy(d, key->heap, node->text);
}

const struct value_type value_reason = { "text", "a text of one line", decode_reason, value_schema_text };

/* ---- headers ---- */

void abort_add_field(struct decode *d, struct fault_abort *a, struct span name, struct span value)
{
	struct fault_field *grown = realloc(a->fields, (a->n_fields + 1) * sizeof(*grown));

	if (!grown) {
		d->out_of_memory = true;
		return;
	}
	a->fields = grown;
	grown[a->n_fields].name = decode_copy(d, true, name);
	grown[a->n_fields].value = decode_copy(d, true, value);
	a->n_fields++;
}

bool abort_find_field(const struct fault_abort *a, struct span name, struct span *value)
{
	for (unsigned i = 0; i < a->n_fields; i++) {
		if (!span_eq_nocase(a->fields[i].name, name))
			continue;
		*value = a->fields[i].value;
		return true;
	}
	return false;
}

/* Fields that tell how the message is framed, or that only the proxy can say: a wrong one breaks the connection. */
static const char *reason_against_field(struct span name)
{
	static const char *const framing[] = { "content-length", "transfer-encoding", "connection", "keep-alive",
		"proxy-connection", "te", "trailer" };

	for (size_t i = 0; i < ARRAY_LEN(framing); i++) {
		if (span_eq_nocase(name, span_of_string(framing[i])))
			return "frames the message; brownout sets it itself";
	}
	if (span_eq_nocase(name, SPAN("x-brownout")))
		return "is the evidence that brownout itself sets (see fault_header)";
	return NULL;
}

static void decode_field(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct span *value = field;

	if (!value_is_field_content(node->text))
		decode_error(d, node, "a header value is one line without control characters");
	else if (span_trim(node->text).n != node->text.n)
		decode_error(d, node, "a header value cannot begin or end with a blank");
	else
		*value = decode_copy(d, key->heap, node->text);
}

const struct value_type value_field = { "text", "a text of one line", decode_field, value_schema_text };

static void add_header(struct decode *d, const struct key *key, struct fault_abort *a, struct span name,
	const struct yaml_node *node)
{
	const struct key in_arena = { .heap = false };
	struct span value = { NULL, 0 };

	if (!decode_is_scalar(d, node, key->type->phrase))
		return;
	key->type->decode(d, &in_arena, node, &value);
	if (value.n || node->text.n == 0)
		abort_add_field(d, a, name, value);
}

/* A name may have several values (Set-Cookie): each becomes a field of its own. */
void abort_decode_headers(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	if (node->kind != YAML_MAPPING) {
		decode_error(d, node, "must be a mapping of names to texts");
		return;
	}
	for (const struct yaml_item *item = node->items; item; item = item->next) {
		struct span name = item->key->text;
		size_t mark = decode_enter_key(d, name);
		const char *against = reason_against_field(name);
		unsigned i = 0;

		if (!value_is_token(name))
			decode_error(d, item->key, "\"%.*s\" is not the name of a header field", DECODE_SHOWN(name));
		else if (against)
			decode_error(d, item->key, "%.*s %s", SPAN_ARG(name), against);
		else if (item->value->kind != YAML_SEQUENCE)
			add_header(d, key, base, name, item->value);
		else
			for (const struct yaml_item *value = item->value->items; value; value = value->next) {
				size_t inner = decode_enter_item(d, i++);

				add_header(d, key, base, name, value->value);
				decode_leave(d, inner);
			}
		decode_leave(d, mark);
	}
}

/* ---- body ---- */

void abort_decode_body(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct fault_abort *a = base;

	if (node->kind == YAML_SCALAR && !node->broken && !yaml_node_is_null(node)) {
		a->has_body = true;
		a->body = decode_copy(d, true, node->text);
	} else {
		decode_value(d, key, node, base);
	}
}

/* The number grammar of JSON (RFC 8259 section 6), which is narrower than YAML's. */
static bool is_json_number(struct span s)
{
	size_t i = 0, digits;

	i += s.n > 0 && s.p[0] == '-';
	for (digits = i; i < s.n && ascii_is_digit(s.p[i]); i++)
		;
	if (i == digits || (s.p[digits] == '0' && i - digits > 1))
		return false;
	if (i < s.n && s.p[i] == '.') {
		for (digits = ++i; i < s.n && ascii_is_digit(s.p[i]); i++)
			;
		if (i == digits)
			return false;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
		for (digits = i; i < s.n && ascii_is_digit(s.p[i]); i++)
			;
		if (i == digits)
			return false;
	}
	return i == s.n;
}

/* Plain scalars that JSON can say without quotes are said so. */
static void write_json(struct json *j, const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR) {
		bool word = span_eq(node->text, SPAN("true")) || span_eq(node->text, SPAN("false"));

		if (yaml_node_is_null(node))
			json_null(j);
		else if (node->plain && (word || is_json_number(node->text)))
			json_raw(j, node->text);
		else
			json_span(j, node->text);
		return;
	}
	if (node->kind == YAML_SEQUENCE)
		json_begin_array(j);
	else
		json_begin_object(j);
	for (const struct yaml_item *item = node->items; item; item = item->next) {
		if (item->key)
			json_key_span(j, item->key->text);
		write_json(j, item->value);
	}
	if (node->kind == YAML_SEQUENCE)
		json_end_array(j);
	else
		json_end_object(j);
}

void abort_decode_json(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct fault_abort *a = base;
	struct text out;
	struct json j;
	struct span ignored;

	text_init(&out);
	json_init(&j, &out, 0);
	write_json(&j, node);
	if (out.cut)
		d->out_of_memory = true;
	a->has_body = true;
	a->body = decode_copy(d, key->heap, text_span(&out));
	if (!abort_find_field(a, SPAN("content-type"), &ignored))
		abort_add_field(d, a, SPAN("Content-Type"), SPAN("application/json"));
	text_deinit(&out);
}

static void decode_nothing(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)d;
	(void)key;
	(void)node;
	(void)field;
}

static void schema_any(struct json *j, const struct key *key)
{
	(void)j;
	(void)key;
}

const struct value_type value_any = { "any", "any value", decode_nothing, schema_any };

/* ---- delay ---- */

static void set_delay(struct decode *d, const struct key *key, const struct yaml_node *node, struct fault_delay *delay,
	int64_t min_ns, int64_t max_ns)
{
	if ((uint64_t)max_ns > key->max) {
		char block[HINT_BYTES];
		struct text t;

		text_init_fixed(&t, block, sizeof(block));
		units_write_duration(&t, (int64_t)key->max);
		decode_error(d, node, "%.*s is out of range (at most %.*s)", DECODE_SHOWN(node->text), SPAN_ARG(text_span(&t)));
		return;
	}
	delay->kind = min_ns == max_ns ? DELAY_FIXED : DELAY_UNIFORM;
	delay->min_ns = min_ns;
	delay->max_ns = max_ns;
}

void delay_decode_fixed(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	char block[HINT_BYTES];
	struct text hint;
	int64_t ns;

	if (!decode_is_scalar(d, node, key->type->phrase))
		return;
	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_duration(node->text, &ns, &hint) == 0) {
		set_delay(d, key, node, base, ns, ns);
		return;
	}
	if (hint.n == 0 && node->text.n && memmem(node->text.p, node->text.n, "..", 2))
		text_put_string(&hint, "write {uniform: 100ms..2s} for a random delay");
	value_refuse(d, node, key->type->phrase, &hint);
}

void delay_decode_uniform(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	char block[HINT_BYTES];
	struct text hint;
	int64_t min_ns, max_ns;

	if (!decode_is_scalar(d, node, key->type->phrase))
		return;
	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_duration_range(node->text, &min_ns, &max_ns, &hint) == 0)
		set_delay(d, key, node, base, min_ns, max_ns);
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
