/*
 * fault_keys: from texts to answers. Whether the parts fit together is the business of rule_check.
 */
#include "config/fault_keys.h"

#include <stdlib.h>

#include "config/units.h"
#include "core/status.h"

#define HINT_BYTES 96

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

static void append_field(struct decode *d, struct fault_field **fields, unsigned *n, struct span name, struct span value)
{
	struct fault_field *grown = realloc(*fields, (*n + 1) * sizeof(*grown));

	if (!grown) {
		d->out_of_memory = true;
		return;
	}
	*fields = grown;
	grown[*n].name = decode_copy(d, true, name);
	grown[*n].value = decode_copy(d, true, value);
	++*n;
}

void fault_keys_add_field(struct decode *d, struct fault_abort *a, struct span name, struct span value)
{
	append_field(d, &a->fields, &a->n_fields, name, value);
}

bool fault_keys_find_field(const struct fault_abort *a, struct span name, struct span *value)
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

bool fault_keys_check_field_name(struct decode *d, const struct yaml_node *node)
{
	const char *against = reason_against_field(node->text);

	if (!value_is_token(node->text))
		decode_error(d, node, "\"%.*s\" is not the name of a header field", DECODE_SHOWN(node->text));
	else if (against)
		decode_error(d, node, "%.*s %s", SPAN_ARG(node->text), against);
	else
		return true;
	return false;
}

/* The list that the key stands for, of the struct of its map. */
static void add_header(struct decode *d, const struct key *key, void *base, struct span name, const struct yaml_node *node)
{
	const struct key in_arena = { .heap = false };
	char *list = (char *)base + key->offset;
	unsigned *n = (unsigned *)(void *)((char *)base + key->count_offset);
	struct span value = { NULL, 0 };
	struct fault_field *fields;

	if (!decode_is_scalar(d, node, key->type->phrase))
		return;
	key->type->decode(d, &in_arena, node, &value);
	if (value.n == 0 && node->text.n != 0)
		return;
	memcpy(&fields, list, sizeof(fields));
	append_field(d, &fields, n, name, value);
	memcpy(list, &fields, sizeof(fields));
}

/* A name may have several values (Set-Cookie): each becomes a field of its own. */
static void add_headers(struct decode *d, const struct key *key, void *base, struct span name, const struct yaml_node *node)
{
	unsigned i = 0;

	if (node->kind != YAML_SEQUENCE) {
		add_header(d, key, base, name, node);
		return;
	}
	for (const struct yaml_item *value = node->items; value; value = value->next) {
		size_t mark = decode_enter_item(d, i++);

		add_header(d, key, base, name, value->value);
		decode_leave(d, mark);
	}
}

void fault_keys_decode_headers(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	if (node->kind != YAML_MAPPING) {
		decode_error(d, node, "must be a mapping of names to texts");
		return;
	}
	for (const struct yaml_item *item = node->items; item; item = item->next) {
		struct span name = item->key->text;
		size_t mark = decode_enter_key(d, name);

		if (fault_keys_check_field_name(d, item->key))
			add_headers(d, key, base, name, item->value);
		decode_leave(d, mark);
	}
}

/* ---- retry_after ---- */

/* What a parser of Retry-After may meet (RFC 9110 section 10.2.3) and should survive. */
const struct choice fault_keys_lies[] = { { "past_date", 0 }, { "negative", 1 }, { "huge", 2 }, { "float", 3 }, { "garbage", 4 },
	{ 0 } };

static const char *const lies[] = { "Sun, 06 Nov 1994 08:49:37 GMT", "-1", "99999999999999999999", "1.5", "soon" };

const struct choice fault_keys_hints[] = { { "lie", 0 }, { 0 } };

static void tell_lie(struct decode *d, struct fault_abort *a, uint64_t which)
{
	a->retry_after = (struct fault_retry_after){ .kind = RETRY_AFTER_VERBATIM };
	a->retry_after.text = decode_copy(d, true, span_of_string(lies[which]));
}

static void decode_wait(struct decode *d, const struct key *key, const struct yaml_node *node, struct fault_abort *a,
	enum retry_after_kind kind)
{
	char block[HINT_BYTES];
	struct text hint;
	int64_t min_ns, max_ns;

	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_duration_range(node->text, &min_ns, &max_ns, &hint) != 0)
		value_refuse(d, node, key->type->phrase, &hint);
	else if ((uint64_t)max_ns > key->max)
		decode_error(d, node, "%.*s is out of range (at most 8760h)", DECODE_SHOWN(node->text));
	else
		a->retry_after = (struct fault_retry_after){ .kind = kind, .min_ns = min_ns, .max_ns = max_ns };
}

void fault_keys_decode_retry_after(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	if (node->kind != YAML_SCALAR || node->broken || yaml_node_is_null(node))
		decode_value(d, key, node, base);
	else if (span_eq(node->text, span_of_string(fault_keys_hints[0].name)))
		tell_lie(d, base, 0);
	else
		decode_wait(d, key, node, base, RETRY_AFTER_SECONDS);
}

void fault_keys_decode_date(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	if (decode_is_scalar(d, node, key->type->phrase))
		decode_wait(d, key, node, base, RETRY_AFTER_DATE);
}

void fault_keys_decode_lie(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	uint64_t which = UINT64_MAX;
	const struct key in_place = { .choices = key->choices, .size = sizeof(which) };

	if (!decode_is_scalar(d, node, key->type->phrase))
		return;
	key->type->decode(d, &in_place, node, &which);
	if (which < ARRAY_LEN(lies))
		tell_lie(d, base, which);
}

static void decode_nothing(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)d;
	(void)key;
	(void)node;
	(void)field;
}

static void schema_wait(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^([0-9.]+(ns|us|ms|s|m|h)|0)(\\.\\.([0-9.]+(ns|us|ms|s|m|h)|0))?$");
}

const struct value_type value_wait = { "duration | range", "a duration such as 5s or a range such as 2s..6s", decode_nothing,
	schema_wait };
