/*
 * admin_router: made from admin_routes.def alone.
 */
#include "admin/admin_router.h"

#include "http/bytes.h"
#include "http/uri.h"
#include "observe/metrics.h"

struct admin_route {
	struct span method;
	struct span path;
	void (*answer)(const struct admin_request *r, struct admin_answer *a);
	unsigned flags;
	enum admin_body accepts;
};

static const struct admin_route routes[] = {
#define ROUTE(method_, path_, handler_, flags_, accepts_, summary_)                                                             \
	{ { #method_, sizeof(#method_) - 1 }, { path_, sizeof(path_) - 1 }, handler_, flags_, ADMIN_BODY_##accepts_ },
#include "admin/admin_routes.def"
#undef ROUTE
};

/* ---- paths ---- */

/* The bytes that s stands for, into r->name. False where it is empty, too long, or no percent-encoding. */
static bool take_name(struct admin_request *r, struct span s)
{
	struct text name;

	text_init_fixed(&name, r->name_block, sizeof(r->name_block));
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			if (s.n - i < 3 || !http_byte_is(s.p[i + 1], HTTP_BYTE_HEX) || !http_byte_is(s.p[i + 2], HTTP_BYTE_HEX))
				return false;
			c = (char)(http_hex_values[(unsigned char)s.p[i + 1]] << 4 | http_hex_values[(unsigned char)s.p[i + 2]]);
			i += 2;
		}
		text_put_char(&name, c);
	}
	r->name = text_span(&name);
	return name.n > 0 && !name.cut;
}

static bool path_fits(struct admin_request *r, const struct admin_route *route, struct span path)
{
	const struct span part = SPAN("{name}");
	size_t at = span_find(route->path, '{');

	if (at == route->path.n)
		return span_eq(path, route->path);
	return span_starts_with(path, span_first(route->path, at)) && span_eq(span_skip(route->path, at), part) &&
		take_name(r, span_skip(path, at));
}

/* HEAD is GET without the content. */
static bool method_fits(const struct admin_route *route, const struct http_request *head)
{
	return span_eq(head->method, route->method) ||
		(head->method_id == HTTP_METHOD_HEAD && span_eq(route->method, SPAN("GET")));
}

static void refuse_method(struct admin_request *r, const struct http_request *head, struct admin_answer *a)
{
	const char *separator = "";

	admin_answer_error(a, 405, "this path does not take %.*s", SPAN_ARG(span_first(head->method, 20)));
	text_put_literal(&a->fields, "Allow: ");
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (!path_fits(r, &routes[i], head->path))
			continue;
		text_put_string(&a->fields, separator);
		text_put_span(&a->fields, routes[i].method);
		if (span_eq(routes[i].method, SPAN("GET")))
			text_put_literal(&a->fields, ", HEAD");
		separator = ", ";
	}
	text_put_literal(&a->fields, "\r\n");
}

/* NULL after a was made the refusal. */
static const struct admin_route *find_route(struct admin_request *r, const struct http_request *head, struct admin_answer *a)
{
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (!path_fits(r, &routes[i], head->path))
			continue;
		if (method_fits(&routes[i], head))
			return &routes[i];
		found = true;
	}
	if (found)
		refuse_method(r, head, a);
	else
		admin_answer_error(a, 404, "there is nothing here; GET /openapi.json says what there is");
	return NULL;
}

/* ---- bodies ---- */

/* Of the media type alone, whatever its parameters. */
static bool is_one_of(struct span type, const char *const *names)
{
	struct span essence = span_trim(span_first(type, span_find(type, ';')));

	for (; *names; names++) {
		if (span_eq_nocase(essence, span_of_string(*names)))
			return true;
	}
	return false;
}

/* False after a was made the refusal. A form of another site's page can send none of these types. */
static bool take_type(struct admin_request *r, const struct http_request *head, struct admin_answer *a)
{
	static const char *const json[] = { "application/json", "application/merge-patch+json", NULL };
	static const char *const yaml[] = { "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", NULL };
	const struct http_field *type = http_fields_first(&head->fields, HTTP_FIELD_CONTENT_TYPE);

	if (head->body == HTTP_BODY_NONE || (head->body == HTTP_BODY_LENGTH && head->body_length == 0))
		return true;
	r->is_json = type && is_one_of(type->value, json);
	if (r->is_json || (type && r->route->accepts != ADMIN_BODY_JSON && is_one_of(type->value, yaml)))
		return true;
	admin_answer_error(a, 415, "the Content-Type of the body must be application/json%s",
		r->route->accepts == ADMIN_BODY_JSON ? "" : " or application/yaml");
	return false;
}

static bool take_body(struct admin_request *r, const struct http_request *head, struct admin_answer *a)
{
	if (!take_type(r, head, a))
		return false;
	if (head->body != HTTP_BODY_LENGTH || head->body_length <= ADMIN_BODY_BYTES_MAX)
		return true;
	admin_answer_error(a, 413, "a body has %zu bytes at most", ADMIN_BODY_BYTES_MAX);
	return false;
}

/* ---- requests ---- */

static bool may_ask(const struct admin_auth *auth, const struct http_request *head, unsigned flags, struct admin_answer *a)
{
	const char *why = "";
	unsigned status = admin_auth_check(auth, head, flags, &why);

	if (!status)
		return true;
	admin_answer_error(a, status, "%s", why);
	if (status == 401)
		text_put_literal(&a->fields, "WWW-Authenticate: Bearer realm=\"brownout\"\r\n");
	return false;
}

static bool wants_openmetrics(const struct http_request *head)
{
	const struct http_field *accept = http_fields_find(&head->fields, SPAN("accept"), 0);

	return accept && metrics_accepts_openmetrics(accept->value);
}

unsigned admin_router_begin(struct admin_request *r, struct admin *admin, const struct admin_auth *auth,
	const struct http_request *head, struct admin_answer *a)
{
	const struct admin_route *route;

	*r = (struct admin_request){ .admin = admin, .minor = head->minor, .is_head = head->method_id == HTTP_METHOD_HEAD };
	route = find_route(r, head, a);
	/* Who may not ask is not told what there is either. */
	if (!may_ask(auth, head, route ? route->flags : 0, a) || !route)
		return a->status;
	if (head->query.n > sizeof(r->query_block)) {
		admin_answer_error(a, 414, "a query has %zu bytes at most", sizeof(r->query_block));
		return a->status;
	}
	r->route = route;
	r->openmetrics = wants_openmetrics(head);
	r->query = span_of(r->query_block, head->query.n);
	if (head->query.n)
		memcpy(r->query_block, head->query.p, head->query.n);
	if (!take_body(r, head, a)) {
		r->route = NULL;
		return a->status;
	}
	return 0;
}

void admin_router_answer(const struct admin_request *r, struct admin_answer *a)
{
	r->route->answer(r, a);
	if (a->body.cut || a->fields.cut) {
		text_deinit(&a->body);
		text_deinit(&a->fields);
		text_init(&a->body);
		text_init(&a->fields);
		admin_answer_error(a, 503, "memory is out");
	}
}

bool admin_router_number(const struct admin_request *r, const char *name, uint64_t min, uint64_t max, uint64_t otherwise,
	uint64_t *value, struct admin_answer *a)
{
	char block[32];
	struct span s = http_query_value(r->query, span_of_string(name), block, sizeof(block));

	*value = otherwise;
	if (!s.p || (span_to_u64(s, value) == 0 && *value >= min && *value <= max))
		return true;
	admin_answer_error(a, 400, "%s must be a whole number from %llu to %llu", name, (unsigned long long)min,
		(unsigned long long)max);
	return false;
}
