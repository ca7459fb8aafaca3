/*
 * match_keys: from texts to compiled conditions. What is half decoded stays in a state that match_deinit can free.
 */
#include "config/match_keys.h"

#include <stdlib.h>

#include "config/suggest.h"

/* ---- patterns ---- */

static void compile(struct decode *d, const struct yaml_node *node, struct pattern *p, enum pattern_kind kind, unsigned flags)
{
	char problem[120] = "";
	size_t offset = 0;
	int rc = pattern_compile(p, kind, flags, node->text, problem, sizeof(problem), &offset);

	if (rc < 0) {
		d->out_of_memory = true;
	} else if (rc > 0) {
		decode_error(d, node, "\"%.*s\" is not a regular expression: %s (after %zu bytes)", DECODE_SHOWN(node->text),
			problem, offset);
	}
}

/* "/search?q=x": the query is no part of the path, and '?' is a wildcard. */
static bool looks_like_query(struct span path)
{
	size_t mark = span_find(path, '?');

	return mark < path.n && span_find(span_skip(path, mark), '=') < path.n - mark;
}

static bool is_path(struct decode *d, const struct yaml_node *node)
{
	struct span path = node->text;

	if (path.n == 0 || path.p[0] != '/') {
		decode_error(d, node, "\"%.*s\" is not a path (write /%.*s)", DECODE_SHOWN(path), DECODE_SHOWN(path));
		return false;
	}
	if (looks_like_query(path)) {
		decode_error(d, node, "\"%.*s\" holds a query; match that with query: {name: value}", DECODE_SHOWN(path));
		return false;
	}
	return true;
}

static void decode_path_glob(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)key;
	if (span_eq(node->text, SPAN("*"))) /* of OPTIONS * */
		compile(d, node, field, PATTERN_EXACT, PATTERN_SEGMENTS);
	else if (is_path(d, node))
		compile(d, node, field, PATTERN_GLOB, PATTERN_SEGMENTS);
}

static void schema_path(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^(/.*|\\*)$");
}

const struct value_type value_path_glob = { "path", "a path such as /api/**", decode_path_glob, schema_path };

static void decode_path_prefix(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)key;
	if (is_path(d, node))
		compile(d, node, field, PATTERN_PREFIX, PATTERN_SEGMENTS);
}

const struct value_type value_path_prefix = { "path", "a path such as /api", decode_path_prefix, schema_path };

static void decode_host_glob(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	size_t colon = span_find(node->text, ':');

	(void)key;
	if (node->text.n == 0)
		decode_error(d, node, "must not be empty");
	else if (colon < node->text.n && node->text.p[0] != '[')
		decode_error(d, node, "a host is matched without its port (write %.*s)",
			DECODE_SHOWN(span_first(node->text, colon)));
	else
		compile(d, node, field, PATTERN_GLOB, PATTERN_NOCASE);
}

const struct value_type value_host_glob = { "host", "a host such as *.example.com", decode_host_glob, value_schema_text };

static void decode_glob(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)key;
	compile(d, node, field, PATTERN_GLOB, 0);
}

const struct value_type value_glob = { "text", "a text with * for anything", decode_glob, value_schema_text };

static void decode_regex(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)key;
	if (node->text.n == 0)
		decode_error(d, node, "must not be empty");
	else if (d->n_regexes++ >= DECODE_REGEXES_MAX)
		decode_error(d, node, "more than %d regular expressions", DECODE_REGEXES_MAX);
	else
		compile(d, node, field, PATTERN_REGEX, 0);
}

const struct value_type value_regex = { "regex", "a regular expression", decode_regex, value_schema_text };

static void decode_presence(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	const struct key as_bool = { .size = sizeof(bool) };
	const struct yaml_node empty = { .kind = YAML_SCALAR, .at = node->at };
	bool present = true;

	(void)key;
	value_bool.decode(d, &as_bool, node, &present);
	compile(d, &empty, field, present ? PATTERN_PRESENT : PATTERN_ABSENT, 0);
}

static void schema_presence(struct json *j, const struct key *key)
{
	value_bool.schema(j, key);
}

const struct value_type value_presence = { "bool", "true or false", decode_presence, schema_presence };

/* ---- method, client ---- */

static void decode_method(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH" };
	struct span *method = field;

	(void)key;
	if (!value_is_token(node->text)) {
		value_refuse(d, node, value_method.phrase, NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct span name = span_of_string(known[i]);

		if (span_eq_nocase(node->text, name) && !span_eq(node->text, name))
			decode_warning(d, node, "\"%.*s\" is not %s: methods are case-sensitive", DECODE_SHOWN(node->text),
				known[i]);
	}
	*method = decode_copy(d, true, node->text);
}

static void schema_method(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$");
}

const struct value_type value_method = { "method", "a method such as GET", decode_method, schema_method };

static void decode_network(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)key;
	if (match_net_parse(field, node->text) != 0)
		decode_error(d, node, "\"%.*s\" is not an address or network (10.0.0.0/8: no bits set behind the length)",
			DECODE_SHOWN(node->text));
}

static void schema_network(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^[0-9a-fA-F:.]+(/[0-9]{1,3})?$");
}

const struct value_type value_network = { "network", "an address or network such as 10.0.0.0/8", decode_network, schema_network };

/* ---- names of listeners and upstreams ---- */

bool match_keys_find_upstream(const struct plan *plan, struct span name, uint16_t *number)
{
	for (unsigned i = 0; i < plan->n_upstreams; i++) {
		*number = (uint16_t)i;
		if (span_eq(plan->upstreams[i].name, name))
			return true;
	}
	return false;
}

bool match_keys_find_listener(const struct plan *plan, struct span name, uint16_t *number)
{
	for (unsigned i = 0; i < plan->n_listeners; i++) {
		*number = (uint16_t)i;
		if (span_eq(plan->listeners[i].name, name))
			return true;
	}
	return false;
}

static void refuse_name(struct decode *d, const struct yaml_node *node, const char *what, const struct suggestion *s)
{
	char block[DECODE_SUGGESTION_BYTES];

	decode_error(d, node, "there is no %s \"%.*s\"%s", what, DECODE_SHOWN(node->text),
		decode_suggestion(s->best, block, sizeof(block)));
}

static void decode_upstream_name(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct suggestion s;

	(void)key;
	if (match_keys_find_upstream(d->plan, node->text, field))
		return;
	suggest_begin(&s, node->text);
	for (unsigned i = 0; i < d->plan->n_upstreams; i++)
		suggest_offer(&s, d->plan->upstreams[i].name);
	refuse_name(d, node, "upstream", &s);
}

const struct value_type value_upstream_name = { "name", "the name of an upstream", decode_upstream_name, value_schema_text };

static void decode_listener_name(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct suggestion s;

	(void)key;
	if (match_keys_find_listener(d->plan, node->text, field))
		return;
	suggest_begin(&s, node->text);
	for (unsigned i = 0; i < d->plan->n_listeners; i++)
		suggest_offer(&s, d->plan->listeners[i].name);
	refuse_name(d, node, "listener", &s);
}

const struct value_type value_listener_name = { "name", "the name of a listener", decode_listener_name, value_schema_text };

/* ---- status ---- */

/* "5xx". */
static bool parse_class(struct span s, unsigned *class_)
{
	if (s.n != 3 || s.p[0] < '1' || s.p[0] > '5' || !span_eq_nocase(span_skip(s, 1), SPAN("xx")))
		return false;
	*class_ = (unsigned)(s.p[0] - '0');
	return true;
}

static bool parse_code(struct span s, unsigned *code)
{
	uint64_t value;

	if (s.n != 3 || span_to_u64(s, &value) != 0 || value < 100 || value > 599)
		return false;
	*code = (unsigned)value;
	return true;
}

static void decode_status_set(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	size_t dash = span_find(node->text, '-');
	unsigned first, last;

	(void)key;
	if (parse_class(node->text, &first))
		match_status_add(field, first * 100, first * 100 + 99);
	else if (parse_code(node->text, &first))
		match_status_add(field, first, first);
	else if (dash < node->text.n && parse_code(span_first(node->text, dash), &first) &&
		 parse_code(span_skip(node->text, dash + 1), &last) && first <= last)
		match_status_add(field, first, last);
	else
		decode_error(d, node, "\"%.*s\" is not %s", DECODE_SHOWN(node->text), value_status_set.phrase);
}

static void schema_status_set(struct json *j, const struct key *key)
{
	(void)key;
	json_key(j, "type");
	json_begin_array(j);
	json_c_string(j, "integer");
	json_c_string(j, "string");
	json_end_array(j);
	json_member_u64(j, "minimum", 100);
	json_member_u64(j, "maximum", 599);
	json_member_string(j, "pattern", "^[1-5]([xX]{2}|[0-9]{2}(-[1-5][0-9]{2})?)$");
}

const struct value_type value_status_set = { "status", "a status code (503), class (5xx) or range (500-599)", decode_status_set,
	schema_status_set };

static void decode_status_class(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	unsigned class_;

	(void)key;
	if (parse_class(node->text, &class_))
		match_status_add(field, class_ * 100, class_ * 100 + 99);
	else
		decode_error(d, node, "\"%.*s\" is not %s", DECODE_SHOWN(node->text), value_status_class.phrase);
}

static void schema_status_class(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^[1-5][xX]{2}$");
}

const struct value_type value_status_class = { "class", "a class of status codes such as 5xx", decode_status_class,
	schema_status_class };

/* The set is no list in memory but bits, so each entry adds to the match itself. */
void match_keys_decode_status(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	unsigned i = 0;

	if (node->kind != YAML_SEQUENCE) {
		decode_value(d, key, node, base);
		return;
	}
	if (!node->items)
		decode_error(d, node, "must not be empty");
	for (const struct yaml_item *item = node->items; item; item = item->next) {
		size_t mark = decode_enter_item(d, i++);

		decode_value(d, key, item->value, base);
		decode_leave(d, mark);
	}
}

/* ---- any, not ---- */

static struct match *decode_inner(struct decode *d, const struct key *key, const struct yaml_node *node)
{
	struct match *inner = decode_alloc(d, true, 1, sizeof(*inner));

	if (!inner)
		return NULL;
	if (node->kind == YAML_MAPPING && node->n == 0)
		decode_error(d, node, "must not be empty");
	else
		decode_value(d, key, node, inner);
	return inner;
}

void match_keys_decode_any(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct match *m = base;

	if (node->kind != YAML_SEQUENCE || node->n == 0) {
		decode_error(d, node, "must be a list of at least one match");
		return;
	}
	m->any = decode_alloc(d, true, node->n, sizeof(struct match *));
	if (!m->any)
		return;
	for (const struct yaml_item *item = node->items; item; item = item->next) {
		size_t mark = decode_enter_item(d, m->n_any);

		m->any[m->n_any] = decode_inner(d, key, item->value);
		m->n_any += m->any[m->n_any] != NULL;
		decode_leave(d, mark);
	}
}

void match_keys_decode_not(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct match *m = base;

	m->not_ = decode_inner(d, key, node);
}

bool match_keys_decode_field_name(struct decode *d, const struct key *key, const struct yaml_node *node, struct span *name)
{
	if (!value_is_token(node->text)) {
		decode_error(d, node, "\"%.*s\" is not the name of a header field", DECODE_SHOWN(node->text));
		return false;
	}
	*name = decode_lower(d, key->heap, node->text);
	return true;
}
