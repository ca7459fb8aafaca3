/*
 * content_keys: bodies are made whole here, once; serving only sends them.
 */
#include "config/content_keys.h"

#include "config/fault_keys.h"
#include "config/side_file.h"
#include "core/status.h"

static void decode_nothing(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)d;
	(void)key;
	(void)node;
	(void)field;
}

static void set_content(struct decode *d, struct content *c, struct span body, const char *type)
{
	c->body = decode_copy(d, true, body);
	c->type = span_of_string(type);
}

/* ---- json ---- */

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
			json_none(j);
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

void content_keys_decode_json(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct text out;
	struct json j;

	(void)key;
	text_init(&out);
	json_init(&j, &out, 0);
	write_json(&j, node);
	if (out.cut)
		d->out_of_memory = true;
	set_content(d, base, text_span(&out), "application/json");
	text_deinit(&out);
}

static void schema_any(struct json *j, const struct key *key)
{
	(void)j;
	(void)key;
}

const struct value_type value_any = { "any", "any value", decode_nothing, schema_any };

/* ---- file ---- */

static const char *type_of_file(struct span name)
{
	static const struct {
		const char *end;
		const char *type;
	} types[] = {
		{ ".json", "application/json" },
		{ ".html", "text/html; charset=utf-8" },
		{ ".txt", "text/plain; charset=utf-8" },
		{ ".xml", "application/xml" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".csv", "text/csv; charset=utf-8" },
		{ ".png", "image/png" },
		{ ".svg", "image/svg+xml" },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct span end = span_of_string(types[i].end);

		if (name.n > end.n && span_eq_nocase(span_skip(name, name.n - end.n), end))
			return types[i].type;
	}
	return "application/octet-stream";
}

void content_keys_decode_file(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct text content;

	if (!decode_is_scalar(d, node, key->type->phrase))
		return;
	if (side_file_read(d, node, &content))
		set_content(d, base, text_span(&content), type_of_file(node->text));
	text_deinit(&content);
}

const struct value_type value_file = { "file", "the name of a file", decode_nothing, value_schema_text };

/* ---- problem ---- */

const struct choice content_keys_words[] = { { "problem", 1 }, { 0 } };

/* RFC 9457 section 3.1; of about:blank the title is the phrase of the status (section 4.2.1). */
static void make_problem(struct decode *d, unsigned status, struct content *c)
{
	const struct status_info *info = status_classify(status);
	struct text out;
	struct json j;

	text_init(&out);
	json_init(&j, &out, 0);
	json_begin_object(&j);
	json_member_string(&j, "type", "about:blank");
	json_member_string(&j, "title", info ? info->reason : "");
	json_member_u64(&j, "status", status);
	json_member_string(&j, "detail", "This answer was injected by brownout.");
	json_end_object(&j);
	if (out.cut)
		d->out_of_memory = true;
	set_content(d, c, text_span(&out), "application/problem+json");
	text_deinit(&out);
}

/* ---- body ---- */

static struct content decode_content(struct decode *d, const struct key *key, const struct yaml_node *node, unsigned status)
{
	struct content c = { { NULL, 0 }, { NULL, 0 } };

	if (node->kind != YAML_SCALAR || node->broken || yaml_node_is_null(node))
		decode_value(d, key, node, &c);
	else if (!span_eq(node->text, span_of_string(content_keys_words[0].name)))
		c.body = decode_copy(d, true, node->text);
	else
		make_problem(d, status, &c);
	return c;
}

void content_keys_decode_body(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct fault_abort *a = base;
	struct content c = decode_content(d, key, node, a->status);
	struct span ignored;

	a->has_body = true;
	a->body = c.body;
	if (c.type.n && !fault_keys_find_field(a, SPAN("content-type"), &ignored))
		fault_keys_add_field(d, a, SPAN("Content-Type"), c.type);
}

void content_keys_decode_new_body(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct fault_edit *e = base;
	struct content c = decode_content(d, key, node, e->status);

	if (e->status == 0 && node->kind == YAML_SCALAR && span_eq(node->text, span_of_string(content_keys_words[0].name)))
		decode_error(d, node, "a problem document tells the status: give that too");
	e->has_body = true;
	e->body = c.body;
	e->content_type = decode_copy(d, true, c.type);
}
