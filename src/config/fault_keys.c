/*
 * fault_keys: from texts to the faults of a rule. Whether the parts fit together is the business of rule_check.
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

void fault_keys_add_field(struct decode *d, struct fault_abort *a, struct span name, struct span value)
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

static void add_header(struct decode *d, const struct key *key, struct fault_abort *a, struct span name,
	const struct yaml_node *node)
{
	const struct key in_arena = { .heap = false };
	struct span value = { NULL, 0 };

	if (!decode_is_scalar(d, node, key->type->phrase))
		return;
	key->type->decode(d, &in_arena, node, &value);
	if (value.n || node->text.n == 0)
		fault_keys_add_field(d, a, name, value);
}

/* A name may have several values (Set-Cookie): each becomes a field of its own. */
void fault_keys_decode_headers(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
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

static void decode_nothing(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)d;
	(void)key;
	(void)node;
	(void)field;
}

/* ---- retry_after ---- */

void fault_keys_decode_retry_after(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct fault_abort *a = base;
	int64_t ns = -1;
	const struct key in_place = { .max = key->max, .size = sizeof(ns) };

	if (!decode_is_scalar(d, node, key->type->phrase))
		return;
	key->type->decode(d, &in_place, node, &ns);
	if (ns >= 0)
		a->retry_after = (struct fault_retry_after){ .kind = RETRY_AFTER_SECONDS, .min_ns = ns, .max_ns = ns };
}

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
	delay->a_ns = min_ns;
	delay->b_ns = max_ns;
}

void fault_keys_decode_fixed(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
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

void fault_keys_decode_uniform(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
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
