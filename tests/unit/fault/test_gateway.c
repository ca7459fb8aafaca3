/*
 * gateway: the facts that are known of each gateway's answers, one by one, and whole answers byte for byte.
 */
#include "fault/gateway.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/status.h"
#include "fault/answer.h"
#include "http/message.h"
#include "http/write.h"

TestSuite(gateway, .timeout = 60);

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define NO_LENGTH SIZE_MAX

static void render(struct fault_answer *a, enum gateway g, unsigned status)
{
	const struct fault_abort abort = { .status = (uint16_t)status, .profile = (uint8_t)(g + 1), .number = 3 };

	cr_assert_eq(fault_answer_init_abort(a, &abort, SPAN("down"), true), 0);
}

/* Head, Connection and empty line, as they leave. */
static void put_answer(struct text *out, const struct fault_answer *a, bool keep_alive)
{
	text_init(out);
	fault_answer_put_head(out, a, SPAN(DATE));
	fault_answer_put_connection(out, a, keep_alive, 1);
	text_put_literal(out, "\r\n");
}

static const struct {
	enum gateway gateway;
	unsigned status;
	const char *reason;
	size_t body; /* bytes; NO_LENGTH: only ours, not known of the real one */
	const char *type;
	bool closes;
} facts[] = {
	{ GATEWAY_NGINX, 502, "Bad Gateway", 150, "text/html", false },
	{ GATEWAY_NGINX, 503, "Service Temporarily Unavailable", 190, "text/html", false },
	{ GATEWAY_NGINX, 504, "Gateway Time-out", 160, "text/html", false },
	{ GATEWAY_NGINX, 429, "Too Many Requests", 162, "text/html", false },
	{ GATEWAY_NGINX, 301, "Moved Permanently", 162, "text/html", false },
	{ GATEWAY_NGINX, 302, "Moved Temporarily", 138, "text/html", false },
	{ GATEWAY_NGINX, 400, "Bad Request", 150, "text/html", true },
	{ GATEWAY_NGINX, 401, "Unauthorized", 172, "text/html", false },
	{ GATEWAY_NGINX, 404, "Not Found", 146, "text/html", false },
	{ GATEWAY_NGINX, 405, "Not Allowed", 150, "text/html", false },
	{ GATEWAY_NGINX, 408, "Request Time-out", NO_LENGTH, "text/html", false },
	{ GATEWAY_NGINX, 413, "Request Entity Too Large", 176, "text/html", true },
	{ GATEWAY_NGINX, 414, "Request-URI Too Large", 170, "text/html", true },
	{ GATEWAY_NGINX, 416, "Requested Range Not Satisfiable", 190, "text/html", false },
	{ GATEWAY_NGINX, 500, "Internal Server Error", 170, "text/html", true },
	{ GATEWAY_NGINX, 501, "Not Implemented", 158, "text/html", true },
	{ GATEWAY_NGINX, 505, "HTTP Version Not Supported", 180, "text/html", false },
	{ GATEWAY_NGINX, 407, "", 0, NULL, false },
	{ GATEWAY_NGINX, 418, "", 0, NULL, false },
	{ GATEWAY_NGINX, 422, "", 0, NULL, false },
	{ GATEWAY_NGINX, 451, "", 0, NULL, false },
	{ GATEWAY_NGINX, 508, "", 0, NULL, false },
	{ GATEWAY_HAPROXY, 502, "Bad Gateway", 107, "text/html", false },
	{ GATEWAY_HAPROXY, 503, "Service Unavailable", 107, "text/html", false },
	{ GATEWAY_HAPROXY, 504, "Gateway Time-out", 92, "text/html", false },
	{ GATEWAY_HAPROXY, 200, "OK", 58, "text/html", false },
	{ GATEWAY_HAPROXY, 400, "Bad request", 90, "text/html", true },
	{ GATEWAY_HAPROXY, 401, "Unauthorized", 112, "text/html", false },
	{ GATEWAY_HAPROXY, 403, "Forbidden", 93, "text/html", false },
	{ GATEWAY_HAPROXY, 404, "Not Found", 83, "text/html", false },
	{ GATEWAY_HAPROXY, 405, "Method Not Allowed", 146, "text/html", false },
	{ GATEWAY_HAPROXY, 407, "Unauthorized", 112, "text/html", false },
	{ GATEWAY_HAPROXY, 408, "Request Time-out", 110, "text/html", true },
	{ GATEWAY_HAPROXY, 410, "Gone", 114, "text/html", false },
	{ GATEWAY_HAPROXY, 413, "Payload Too Large", 106, "text/html", false },
	{ GATEWAY_HAPROXY, 421, "Misdirected Request", 104, "text/html", false },
	{ GATEWAY_HAPROXY, 422, "Unprocessable Content", 116, "text/html", false },
	{ GATEWAY_HAPROXY, 425, "Too Early", 80, "text/html", false },
	{ GATEWAY_HAPROXY, 429, "Too Many Requests", 117, "text/html", false },
	{ GATEWAY_HAPROXY, 500, "Internal Server Error", 97, "text/html", false },
	{ GATEWAY_HAPROXY, 501, "Not Implemented", 136, "text/html", false },
	{ GATEWAY_ENVOY, 504, "Gateway Timeout", 24, "text/plain", false },
	{ GATEWAY_ENVOY, 503, "Service Unavailable", 19, "text/plain", false },
	{ GATEWAY_KONG, 502, "Bad Gateway", NO_LENGTH, "application/json; charset=utf-8", false },
	{ GATEWAY_TRAEFIK, 502, "Bad Gateway", 11, "text/plain; charset=utf-8", false },
	{ GATEWAY_TRAEFIK, 503, "Service Unavailable", 19, "text/plain; charset=utf-8", false },
	{ GATEWAY_TRAEFIK, 504, "Gateway Timeout", 15, "text/plain; charset=utf-8", false },
	{ GATEWAY_VARNISH, 503, "Backend fetch failed", NO_LENGTH, "text/html; charset=utf-8", false },
	{ GATEWAY_CADDY, 502, "Bad Gateway", 0, NULL, false },
	{ GATEWAY_APACHE, 502, "Proxy Error", NO_LENGTH, "text/html; charset=iso-8859-1", false },
	{ GATEWAY_APACHE, 504, "Gateway Timeout", NO_LENGTH, "text/html; charset=iso-8859-1", false },
	{ GATEWAY_AWS_ALB, 502, "Bad Gateway", 122, "text/html", false },
	{ GATEWAY_AWS_ALB, 503, "Service Temporarily Unavailable", 162, "text/html", false },
	{ GATEWAY_AWS_ALB, 504, "Gateway Time-out", 132, "text/html", false },
	{ GATEWAY_AWS_APIGW, 504, "Gateway Timeout", 41, "application/json", false },
	{ GATEWAY_AWS_APIGW, 503, "Service Unavailable", 33, "application/json", false },
	{ GATEWAY_AWS_APIGW, 429, "Too Many Requests", 31, "application/json", false },
	{ GATEWAY_CLOUDFRONT, 504, "Gateway Timeout", NO_LENGTH, "text/html", false },
	{ GATEWAY_CLOUDFLARE, 524, NULL, NO_LENGTH, "text/html; charset=UTF-8", false },
	{ GATEWAY_HEROKU, 503, "Service Unavailable", NO_LENGTH, "text/html; charset=utf-8", false },
	{ GATEWAY_FASTLY, 503, "first byte timeout", NO_LENGTH, "text/html; charset=utf-8", false },
	{ GATEWAY_AZURE_APPGW, 502, "Bad Gateway", NO_LENGTH, "text/html", false },
	{ GATEWAY_GCP_LB, 502, "Bad Gateway", NO_LENGTH, "text/html; charset=UTF-8", false },
	{ GATEWAY_AKAMAI, 504, "Gateway Timeout", NO_LENGTH, "text/html", true },
};

Test(gateway, answers_with_its_reason_type_length_and_connection)
{
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		const char *name = gateway_name(facts[i].gateway);
		struct http_field v[24];
		struct http_response r = { .fields = { .v = v, .cap = ARRAY_LEN(v) } };
		const struct http_field *type;
		struct fault_answer a;
		enum http_error error;
		struct text out;

		render(&a, facts[i].gateway, facts[i].status);
		put_answer(&out, &a, true);
		cr_assert_eq(http_response_parse(&r, out.p, out.n, HTTP_METHOD_GET, &error), HTTP_PARSE_OK, "%s", name);
		cr_expect_eq(r.status, facts[i].status);
		if (facts[i].reason)
			cr_expect(span_eq(r.reason, span_of_string(facts[i].reason)), "%s %u: %.*s", name, r.status,
				SPAN_ARG(r.reason));
		cr_expect_eq(r.body, HTTP_BODY_LENGTH, "%s", name);
		cr_expect_eq(r.body_length, a.body.n, "%s", name);
		if (facts[i].body != NO_LENGTH)
			cr_expect_eq(a.body.n, facts[i].body, "%s %u: %zu bytes", name, r.status, a.body.n);
		type = http_fields_first(&r.fields, HTTP_FIELD_CONTENT_TYPE);
		cr_expect_eq(type != NULL, facts[i].type != NULL, "%s", name);
		if (type && facts[i].type)
			cr_expect(span_eq(type->value, span_of_string(facts[i].type)), "%s: %.*s", name, SPAN_ARG(type->value));
		cr_expect_eq(a.closes, facts[i].closes, "%s %u", name, r.status);
		cr_expect_null(memchr(out.p, '$', out.n), "%s: a place is left", name);
		cr_expect(a.body.n == 0 || !memchr(a.body.p, '$', a.body.n), "%s: a place is left", name);
		text_deinit(&out);
		fault_answer_deinit(&a);
	}
}

static const struct {
	enum gateway gateway;
	unsigned status;
	bool keep_alive;
	const char *head;
	const char *body; /* NULL: not looked at */
} wholes[] = {
	{ GATEWAY_NGINX, 502, true,
		"HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\nDate: " DATE "\r\nContent-Type: text/html\r\n"
		"Content-Length: 150\r\n"
		"Connection: keep-alive\r\n\r\n",
		"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
		"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n" },
	{ GATEWAY_NGINX, 502, false,
		"HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\nDate: " DATE "\r\nContent-Type: text/html\r\n"
		"Content-Length: 150\r\n"
		"Connection: close\r\n\r\n", NULL },
	{ GATEWAY_HAPROXY, 504, true,
		"HTTP/1.1 504 Gateway Time-out\r\ncontent-length: 92\r\ncache-control: no-cache\r\n"
		"content-type: text/html\r\n\r\n",
		NULL },
	{ GATEWAY_HAPROXY, 408, false,
		"HTTP/1.1 408 Request Time-out\r\ncontent-length: 110\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n"
		"connection: close\r\n\r\n", NULL },
	{ GATEWAY_ENVOY, 504, true,
		"HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 24\r\ncontent-type: text/plain\r\ndate: " DATE "\r\n"
		"server: envoy\r\n\r\n", "upstream request timeout" },
	{ GATEWAY_ENVOY, 503, true,
		"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 19\r\ncontent-type: text/plain\r\ndate: " DATE "\r\n"
		"server: envoy\r\n\r\n", "no healthy upstream" },
	{ GATEWAY_ENVOY, 404, true,
		"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\ndate: " DATE "\r\nserver: envoy\r\n"
		"cache-control: no-store\r\n\r\n", "" },
	{ GATEWAY_TRAEFIK, 503, true,
		"HTTP/1.1 503 Service Unavailable\r\nDate: " DATE "\r\nContent-Length: 19\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n\r\n", "no available server" },
	{ GATEWAY_CADDY, 502, true, "HTTP/1.1 502 Bad Gateway\r\nServer: Caddy\r\nDate: " DATE "\r\nContent-Length: 0\r\n\r\n",
		"" },
	{ GATEWAY_AWS_ALB, 503, true,
		"HTTP/1.1 503 Service Temporarily Unavailable\r\nServer: awselb/2.0\r\nDate: " DATE "\r\n"
		"Content-Type: text/html\r\n"
		"Content-Length: 162\r\nConnection: keep-alive\r\n\r\n", NULL },
	{ GATEWAY_NGINX, 204, true,
		"HTTP/1.1 204 No Content\r\nServer: nginx\r\nDate: " DATE "\r\nCache-Control: no-store\r\n"
		"Connection: keep-alive\r\n\r\n", "" },
};

static void expect_bytes(const char *what, struct span got, const char *want)
{
	cr_expect(span_eq(got, span_of_string(want)), "%s:\n%.*s\nnot\n%s", what, SPAN_ARG(got), want);
}

Test(gateway, answers_byte_for_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(wholes); i++) {
		struct fault_answer a;
		struct text out;

		render(&a, wholes[i].gateway, wholes[i].status);
		put_answer(&out, &a, wholes[i].keep_alive);
		expect_bytes(gateway_name(wholes[i].gateway), text_span(&out), wholes[i].head);
		if (wholes[i].body)
			expect_bytes(gateway_name(wholes[i].gateway), a.body, wholes[i].body);
		text_deinit(&out);
		fault_answer_deinit(&a);
	}
}

static const struct {
	enum gateway gateway;
	unsigned status;
	const char *field;
} fields[] = {
	{ GATEWAY_VARNISH, 503, "\r\nRetry-After: 5\r\n" },
	{ GATEWAY_VARNISH, 503, "\r\nX-Varnish: " },
	{ GATEWAY_CLOUDFRONT, 504, "\r\nX-Cache: Error from cloudfront\r\n" },
	{ GATEWAY_CLOUDFRONT, 504, ".cloudfront.net (CloudFront)\r\n" },
	{ GATEWAY_CLOUDFLARE, 522, "\r\nServer: cloudflare\r\n" },
	{ GATEWAY_FASTLY, 503, "\r\nRetry-After: 0\r\n" },
	{ GATEWAY_AZURE_APPGW, 504, "\r\nServer: Microsoft-Azure-Application-Gateway/v2\r\n" },
	{ GATEWAY_AKAMAI, 504, "\r\nExpires: " DATE "\r\nDate: " DATE "\r\n" },
	{ GATEWAY_AKAMAI, 504, "\r\nMime-Version: 1.0\r\n" },
	{ GATEWAY_KONG, 502, "\r\nX-Kong-Request-Id: " },
	{ GATEWAY_AWS_APIGW, 504, "\r\nx-amzn-RequestId: " },
};

Test(gateway, has_the_fields_that_it_is_known_by)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		struct fault_answer a;
		struct text out;

		render(&a, fields[i].gateway, fields[i].status);
		put_answer(&out, &a, true);
		cr_expect_not_null(memmem(out.p, out.n, fields[i].field, strlen(fields[i].field)), "%s: %s in\n%.*s",
			gateway_name(fields[i].gateway), fields[i].field, (int)out.n, out.p);
		text_deinit(&out);
		fault_answer_deinit(&a);
	}
}

static const struct {
	enum gateway gateway;
	int64_t timeout_ns;
	unsigned status;
} timeouts[] = {
	{ GATEWAY_NGINX, 60 * NS_PER_S, 504 }, { GATEWAY_HAPROXY, 0, 504 }, { GATEWAY_ENVOY, 15 * NS_PER_S, 504 },
	{ GATEWAY_KONG, 60 * NS_PER_S, 504 }, { GATEWAY_TRAEFIK, 0, 504 }, { GATEWAY_VARNISH, 60 * NS_PER_S, 503 },
	{ GATEWAY_CADDY, 0, 504 }, { GATEWAY_APACHE, 60 * NS_PER_S, 504 }, { GATEWAY_AWS_ALB, 60 * NS_PER_S, 504 },
	{ GATEWAY_AWS_APIGW, 29 * NS_PER_S, 504 }, { GATEWAY_CLOUDFRONT, 30 * NS_PER_S, 504 },
	{ GATEWAY_CLOUDFLARE, 120 * NS_PER_S, 524 }, { GATEWAY_HEROKU, 30 * NS_PER_S, 503 },
	{ GATEWAY_FASTLY, 15 * NS_PER_S, 503 }, { GATEWAY_AZURE_APPGW, 20 * NS_PER_S, 504 },
	{ GATEWAY_GCP_LB, 30 * NS_PER_S, 502 }, { GATEWAY_AKAMAI, 120 * NS_PER_S, 504 },
};

Test(gateway, waits_its_own_timeout)
{
	cr_assert_eq(ARRAY_LEN(timeouts), GATEWAY_COUNT);
	for (size_t i = 0; i < ARRAY_LEN(timeouts); i++) {
		cr_expect_eq(gateway_timeout_ns(timeouts[i].gateway), timeouts[i].timeout_ns, "%s",
			gateway_name(timeouts[i].gateway));
		cr_expect_eq(gateway_timeout_status(timeouts[i].gateway), timeouts[i].status, "%s",
			gateway_name(timeouts[i].gateway));
	}
}

/* Any gateway with any status: a whole message to a strict reader, and nothing that the classifier objects to. */
Test(gateway, is_well_formed_with_any_status)
{
	const uint32_t not_ours = STATUS_VIOLATIONS_BY_REQUEST | STATUS_VIOLATION_BIT(MISSING_FIELD) |
		STATUS_VIOLATION_BIT(PARTIAL_RANGE_FIELD) | STATUS_VIOLATION_BIT(UNUSED_CODE);
	const struct status_request get = { .get_or_head = true };

	for (unsigned g = 0; g < GATEWAY_COUNT; g++) {
		for (unsigned status = 200; status <= STATUS_MAX; status++) {
			struct http_field v[24];
			struct http_response r = { .fields = { .v = v, .cap = ARRAY_LEN(v) } };
			struct fault_answer a;
			enum http_error error;
			struct text out;

			render(&a, (enum gateway)g, status);
			put_answer(&out, &a, status % 2);
			cr_assert_eq(http_response_parse(&r, out.p, out.n, HTTP_METHOD_GET, &error), HTTP_PARSE_OK, "%s %u",
				gateway_name((enum gateway)g), status);
			cr_expect_eq(r.body == HTTP_BODY_LENGTH ? r.body_length : 0, a.body.n, "%s %u",
				gateway_name((enum gateway)g),
				status);
			cr_expect_neq(r.body, HTTP_BODY_UNTIL_CLOSE);
			cr_expect_eq(status_validate(&a.shape, &get) & ~not_ours, 0, "%s %u", gateway_name((enum gateway)g),
				status);
			text_deinit(&out);
			fault_answer_deinit(&a);
		}
	}
}

/* ---- what the rule says itself counts more ---- */

Test(gateway, gives_way_to_what_the_rule_says)
{
	struct fault_field given[] = { { SPAN("server"), SPAN("mine") }, { SPAN("X-A"), SPAN("1") } };
	const struct fault_abort abort = { .status = 503, .profile = GATEWAY_VARNISH + 1, .reason = SPAN("No"), .fields = given,
		.n_fields = 2, .body = SPAN("{}"), .has_body = true, .content_type = SPAN("application/json"),
		.retry_after = { .kind = RETRY_AFTER_SECONDS } };
	struct fault_answer a;
	struct text out;

	cr_assert_eq(fault_answer_init_abort(&a, &abort, SPAN("down"), true), 0);
	put_answer(&out, &a, true);
	cr_expect(span_starts_with(text_span(&out), SPAN("HTTP/1.1 503 No\r\nDate: " DATE "\r\nX-Varnish: ")));
	cr_expect_null(memmem(out.p, out.n, "Server:", 7));
	cr_expect_null(memmem(out.p, out.n, "Retry-After:", 12), "it is told at emission");
	cr_expect_not_null(memmem(out.p, out.n, "\r\nContent-Type: application/json\r\n", 34));
	cr_expect_not_null(memmem(out.p, out.n, "\r\nContent-Length: 2\r\nserver: mine\r\nX-A: 1\r\n\r\n", 45));
	cr_expect(a.shape.fields & STATUS_FIELD_BIT(RETRY_AFTER));
	expect_bytes("body", a.body, "{}");
	text_deinit(&out);
	fault_answer_deinit(&a);
}

/* Ids are made up, but not anew each time, and not the same in two rules. */
Test(gateway, ids_belong_to_the_rule)
{
	struct fault_abort abort = { .status = 502, .profile = GATEWAY_KONG + 1, .number = 1 };
	struct gateway_answer first, again, other;

	gateway_render(&first, &abort);
	gateway_render(&again, &abort);
	abort.number = 2;
	gateway_render(&other, &abort);
	cr_expect(span_eq(text_span(&first.body), text_span(&again.body)));
	cr_expect_not(span_eq(text_span(&first.body), text_span(&other.body)));
	gateway_answer_deinit(&first);
	gateway_answer_deinit(&again);
	gateway_answer_deinit(&other);
}

Test(gateway, is_described_with_what_is_not_known)
{
	struct text out;

	text_init(&out);
	gateway_write_reference(&out);
	for (unsigned g = 0; g < GATEWAY_COUNT; g++) {
		const char *unsure = gateway_unsure((enum gateway)g);

		cr_expect_not_null(memmem(out.p, out.n, gateway_name((enum gateway)g), strlen(gateway_name((enum gateway)g))));
		cr_expect_gt(strlen(unsure), 0);
		cr_expect_not_null(memmem(out.p, out.n, unsure, strlen(unsure)));
	}
	cr_expect(span_starts_with(text_span(&out),
		SPAN("nginx\n    timeout: 60 s, then 504; the connection stays, but not after "
		"400, 413, 414, 500, 501\n    fields: Server, Date, Content-Type, Content-Length\n    content: text/html\n")));
	text_deinit(&out);
}
