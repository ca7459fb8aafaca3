/*
 * answer: rendered answers of abort rules, byte for byte, and the shape that the classifier is shown.
 */
#include "fault/answer.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "http/message.h"

TestSuite(answer, .timeout = 60);

#define ALLOWED_FIELDS_MAX 8

/* What a rule file may say of an abort, in literals. */
struct told {
	unsigned status;
	const char *reason; /* NULL: none given */
	const char *body; /* NULL: none given */
	const char *type; /* of the body */
	struct fault_field fields[ALLOWED_FIELDS_MAX];
	bool retry;
	int64_t retry_after_ns;
	bool proxy_status;
};

static void render(struct fault_answer *a, const struct told *told)
{
	unsigned n_fields = 0;
	struct fault_abort abort;

	while (n_fields < ALLOWED_FIELDS_MAX && told->fields[n_fields].name.n)
		n_fields++;
	abort = (struct fault_abort){
		.status = (uint16_t)told->status,
		.reason = span_of_string(told->reason),
		.fields = (struct fault_field *)(uintptr_t)told->fields,
		.n_fields = n_fields,
		.body = span_of_string(told->body),
		.has_body = told->body != NULL,
		.content_type = span_of_string(told->type),
	};
	if (told->retry)
		abort.retry_after = (struct fault_retry_after){
			.kind = RETRY_AFTER_SECONDS, .min_ns = told->retry_after_ns, .max_ns = told->retry_after_ns };
	cr_assert_eq(fault_answer_init_abort(a, &abort, SPAN("down"), told->proxy_status), 0);
}

#define FIELD_OF(name, value) { { (name), sizeof(name) - 1 }, { (value), sizeof(value) - 1 } }
#define NO_STORE "Cache-Control: no-store\r\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n"
#define NOTE "\nThis answer was injected by brownout, rule down.\n"

static const struct {
	const char *what;
	struct told told;
	const char *head;
	const char *body;
} answers[] = {
	{ "a bare status", { .status = 503 },
		"HTTP/1.1 503 Service Unavailable\r\n" NO_STORE PLAIN "Content-Length: 73\r\n", "503 Service Unavailable" NOTE },
	{ "a reason", { .status = 503, .reason = "Gone Fishing" },
		"HTTP/1.1 503 Gone Fishing\r\n" NO_STORE PLAIN "Content-Length: 66\r\n", "503 Gone Fishing" NOTE },
	{ "a code of a vendor", { .status = 520, .body = "x" },
		"HTTP/1.1 520 Unknown Error\r\n" NO_STORE PLAIN "Content-Length: 1\r\n", "x" },
	{ "an unknown code is called by its class", { .status = 599 - 7, .body = "x" },
		"HTTP/1.1 592 server error\r\n" NO_STORE PLAIN "Content-Length: 1\r\n", "x" },
	{ "fields, in order",
		{ .status = 503, .body = "x",
			.fields = { FIELD_OF("X-B", "2"), FIELD_OF("x-a", "1; q=\"0\""), FIELD_OF("X-B", "") } },
		"HTTP/1.1 503 Service Unavailable\r\nX-B: 2\r\nx-a: 1; q=\"0\"\r\nX-B: \r\n" NO_STORE PLAIN
		"Content-Length: 1\r\n", "x" },
	{ "its own Cache-Control", { .status = 404, .body = "x", .fields = { FIELD_OF("cache-control", "max-age=60") } },
		"HTTP/1.1 404 Not Found\r\ncache-control: max-age=60\r\n" PLAIN "Content-Length: 1\r\n", "x" },
	{ "its own Content-Type", { .status = 500, .body = "{}", .fields = { FIELD_OF("CONTENT-TYPE", "application/json") } },
		"HTTP/1.1 500 Internal Server Error\r\nCONTENT-TYPE: application/json\r\n" NO_STORE
		"Content-Length: 2\r\n", "{}" },
	{ "a Content-Type without a body of its own", { .status = 500, .fields = { FIELD_OF("Content-Type", "text/x") } },
		"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/x\r\n" NO_STORE "Content-Length: 75\r\n",
		"500 Internal Server Error" NOTE },
	{ "its own Date", { .status = 500, .body = "x", .fields = { FIELD_OF("date", "yesterday") } },
		"HTTP/1.1 500 Internal Server Error\r\ndate: yesterday\r\n" NO_STORE PLAIN "Content-Length: 1\r\n", "x" },
	{ "a longer name is another field", { .status = 500, .body = "x", .fields = { FIELD_OF("Cache-Controls", "a") } },
		"HTTP/1.1 500 Internal Server Error\r\nCache-Controls: a\r\n" NO_STORE PLAIN "Content-Length: 1\r\n", "x" },
	{ "an empty body is a body", { .status = 503, .body = "" },
		"HTTP/1.1 503 Service Unavailable\r\n" NO_STORE PLAIN "Content-Length: 0\r\n", "" },
	{ "a body with line ends", { .status = 503, .body = "a\r\n\r\nb" },
		"HTTP/1.1 503 Service Unavailable\r\n" NO_STORE PLAIN "Content-Length: 6\r\n", "a\r\n\r\nb" },
	{ "Proxy-Status", { .status = 503, .body = "x", .proxy_status = true },
		"HTTP/1.1 503 Service Unavailable\r\n" NO_STORE "Proxy-Status: brownout; error=proxy_internal_response\r\n" PLAIN
		"Content-Length: 1\r\n", "x" },
	{ "200 is an answer like any other", { .status = 200, .body = "fine" },
		"HTTP/1.1 200 OK\r\n" NO_STORE PLAIN "Content-Length: 4\r\n", "fine" },

	{ "204 has neither content nor length", { .status = 204 }, "HTTP/1.1 204 No Content\r\n" NO_STORE, "" },
	{ "204 with a body that was given", { .status = 204, .body = "x" }, "HTTP/1.1 204 No Content\r\n" NO_STORE, "" },
	{ "205 says that it is empty", { .status = 205 }, "HTTP/1.1 205 Reset Content\r\n" NO_STORE "Content-Length: 0\r\n", "" },
	{ "205 with a body that was given", { .status = 205, .body = "x" },
		"HTTP/1.1 205 Reset Content\r\n" NO_STORE "Content-Length: 0\r\n", "" },
	{ "304 has no content", { .status = 304, .fields = { FIELD_OF("ETag", "\"a\"") } },
		"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n" NO_STORE, "" },

	{ "when to come back is told each time anew", { .status = 503, .body = "x", .retry = true, .retry_after_ns = NS_PER_S },
		"HTTP/1.1 503 Service Unavailable\r\n" NO_STORE PLAIN "Content-Length: 1\r\n", "x" },
	{ "the type of its body", { .status = 503, .body = "{}", .type = "application/problem+json" },
		"HTTP/1.1 503 Service Unavailable\r\n" NO_STORE "Content-Type: application/problem+json\r\nContent-Length: 2\r\n",
		"{}" },
	{ "a type by name counts more",
		{ .status = 503, .body = "{}", .type = "a/b", .fields = { FIELD_OF("content-type", "c/d") } },
		"HTTP/1.1 503 Service Unavailable\r\ncontent-type: c/d\r\n" NO_STORE "Content-Length: 2\r\n", "{}" },
	{ "a type without a body", { .status = 503, .type = "a/b" },
		"HTTP/1.1 503 Service Unavailable\r\n" NO_STORE PLAIN "Content-Length: 73\r\n", "503 Service Unavailable" NOTE },
};

static void expect_bytes(const char *what, const char *part, struct span got, const char *want)
{
	cr_expect(span_eq(got, span_of_string(want)), "%s: %s is\n%.*s\nnot\n%s", what, part, SPAN_ARG(got), want);
}

Test(answer, is_rendered_byte_for_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct fault_answer a;

		render(&a, &answers[i].told);
		expect_bytes(answers[i].what, "head", a.head, answers[i].head);
		expect_bytes(answers[i].what, "body", a.body, answers[i].body);
		fault_answer_deinit(&a);
	}
}

/* What leaves must be what a strict reader takes for one whole message with exactly this body. */
Test(answer, reads_back_as_it_was_meant)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct http_field v[16];
		struct http_response r = { .fields = { .v = v, .cap = ARRAY_LEN(v) } };
		struct fault_answer a;
		enum http_error error;
		char message[1024];
		int n;

		render(&a, &answers[i].told);
		n = snprintf(message, sizeof(message), "%.*s\r\n", SPAN_ARG(a.head));
		cr_assert_eq(http_response_parse(&r, message, (size_t)n, HTTP_METHOD_GET, &error), HTTP_PARSE_OK, "%s",
			answers[i].what);
		cr_expect_eq(r.status, answers[i].told.status);
		cr_expect_eq(r.body == HTTP_BODY_LENGTH ? r.body_length : 0, a.body.n, "%s", answers[i].what);
		cr_expect_neq(r.body, HTTP_BODY_UNTIL_CLOSE, "%s", answers[i].what);
		fault_answer_deinit(&a);
	}
}

#define BITS(...) (0u __VA_ARGS__)
#define BIT(id) | STATUS_FIELD_BIT(id)

static const struct {
	const char *what;
	struct told told;
	uint32_t fields;
	bool content;
	bool has_date;
} shapes[] = {
	{ "a bare status", { .status = 503 }, BITS(BIT(CONTENT_LENGTH) BIT(CONTENT_TYPE)), true, false },
	{ "an empty body", { .status = 503, .body = "" }, BITS(BIT(CONTENT_LENGTH) BIT(CONTENT_TYPE)), false, false },
	{ "204", { .status = 204 }, BITS(), false, false },
	{ "205", { .status = 205 }, BITS(BIT(CONTENT_LENGTH)), false, false },
	{ "304", { .status = 304 }, BITS(), false, false },
	{ "fields that the classifier knows",
		{ .status = 405, .fields = { FIELD_OF("allow", "GET"), FIELD_OF("X-Other", "1"), FIELD_OF("LOCATION", "/"),
			FIELD_OF("Date", "d") } },
		BITS(BIT(ALLOW) BIT(LOCATION) BIT(DATE) BIT(CONTENT_LENGTH) BIT(CONTENT_TYPE)), true, true },
	{ "a wait", { .status = 503, .retry = true, .retry_after_ns = 1 },
		BITS(BIT(CONTENT_LENGTH) BIT(CONTENT_TYPE) BIT(RETRY_AFTER)), true,
		false },
	{ "a range", { .status = 206, .body = "x", .fields = { FIELD_OF("Content-Range", "bytes 0-0/9") } },
		BITS(BIT(CONTENT_RANGE) BIT(CONTENT_LENGTH) BIT(CONTENT_TYPE)), true, false },
};

Test(answer, tells_the_classifier_its_shape)
{
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		struct fault_answer a;

		render(&a, &shapes[i].told);
		cr_expect_eq(a.shape.code, shapes[i].told.status, "%s", shapes[i].what);
		cr_expect_eq(a.shape.fields, shapes[i].fields, "%s: fields %x", shapes[i].what, a.shape.fields);
		cr_expect_eq(a.shape.content, shapes[i].content, "%s", shapes[i].what);
		cr_expect(a.shape.final, "%s", shapes[i].what);
		cr_expect_eq(a.has_date, shapes[i].has_date, "%s", shapes[i].what);
		fault_answer_deinit(&a);
	}
}

static const struct status_request plain_get = { .get_or_head = true };

/* What only the request or the rule can provide is checked when the rule is loaded; the rendering itself breaks nothing. */
Test(answer, of_any_final_status_passes_the_classifier)
{
	const uint32_t not_ours = STATUS_VIOLATIONS_BY_REQUEST | STATUS_VIOLATION_BIT(MISSING_FIELD) |
		STATUS_VIOLATION_BIT(PARTIAL_RANGE_FIELD) | STATUS_VIOLATION_BIT(UNUSED_CODE);

	for (unsigned status = 200; status <= STATUS_MAX; status++) {
		for (unsigned how = 0; how < 8; how++) {
			struct told told = { .status = status, .retry = how & 1, .retry_after_ns = 5, .proxy_status = how & 2 };
			struct fault_answer a;
			uint32_t found;

			told.body = how & 4 ? "content" : NULL;
			render(&a, &told);
			found = status_validate(&a.shape, &plain_get);
			cr_expect_eq(found & ~not_ours, 0, "%u: violations %x", status, found);
			fault_answer_deinit(&a);
		}
	}
}

/* With the fields that the loader fills in, nothing but what the request decides is left. */
Test(answer, with_its_filled_fields_passes_the_classifier)
{
	for (unsigned status = 200; status <= STATUS_MAX; status++) {
		struct told told = { .status = status };
		struct fault_answer a;
		unsigned n = 0;
		uint32_t found;

		if (status == 206 || (status_classify(status)->marks & STATUS_IS_UNUSED))
			continue;
		for (unsigned f = 0; f < STATUS_FIELD_COUNT; f++) {
			const char *value = status_field_fill(status, (enum status_field)f);

			if (value)
				told.fields[n++] = (struct fault_field){
					span_of_string(status_field_name((enum status_field)f)), span_of_string(value) };
		}
		render(&a, &told);
		found = status_validate(&a.shape, &plain_get);
		cr_expect_eq(found & ~STATUS_VIOLATIONS_BY_REQUEST, 0, "%u: violations %x", status, found);
		fault_answer_deinit(&a);
	}
}

/* Both forms that 206 may take (RFC 9110 section 15.3.7): the loader accepts both, so the classifier must see both as right. */
Test(answer, of_several_ranges_is_known_as_such)
{
	const struct status_request asked = { .get_or_head = true, .range = true };
	const struct told told = { .status = 206, .body = "--b--",
		.fields = { FIELD_OF("Content-Type", "multipart/byteranges; boundary=b") } };
	struct fault_answer a;

	render(&a, &told);
	cr_expect(a.shape.multipart);
	cr_expect_eq(status_validate(&a.shape, &asked), 0);
	fault_answer_deinit(&a);
}

Test(answer, holds_a_large_body)
{
	enum { N = 1 << 20 };
	char *body = malloc(N + 1);
	struct told told = { .status = 500, .body = body };
	struct fault_answer a;

	cr_assert_not_null(body);
	memset(body, 'z', N);
	body[N] = '\0';
	render(&a, &told);
	cr_expect(span_eq(a.body, span_of(body, N)));
	cr_expect_neq((const void *)a.body.p, (const void *)body, "the answer must not lean on the rule's bytes");
	fault_answer_deinit(&a);
	cr_expect_null(a.memory);
	fault_answer_deinit(&a);
	free(body);
}

/* ---- Retry-After ---- */

#define NOW_NS (INT64_C(784111777) * NS_PER_S) /* Sun, 06 Nov 1994 08:49:37 GMT */

static const struct {
	struct fault_retry_after spec;
	int64_t wait_ns;
	int64_t past_ns; /* of the current second */
	const char *line;
} waits[] = {
	{ { .kind = RETRY_AFTER_NONE }, 5 * NS_PER_S, 0, "" },
	{ { .kind = RETRY_AFTER_SECONDS }, -1, 0, "" },
	{ { .kind = RETRY_AFTER_SECONDS }, 0, 0, "Retry-After: 0\r\n" },
	{ { .kind = RETRY_AFTER_SECONDS }, 1, 0, "Retry-After: 1\r\n" },
	{ { .kind = RETRY_AFTER_SECONDS }, NS_PER_S, 0, "Retry-After: 1\r\n" },
	{ { .kind = RETRY_AFTER_SECONDS }, NS_PER_S + 1, 0, "Retry-After: 2\r\n" },
	{ { .kind = RETRY_AFTER_SECONDS }, NS_PER_S, NS_PER_S - 1, "Retry-After: 1\r\n" },
	{ { .kind = RETRY_AFTER_SECONDS }, INT64_MAX, 0, "Retry-After: 9223372037\r\n" },
	{ { .kind = RETRY_AFTER_DATE }, -1, 0, "" },
	{ { .kind = RETRY_AFTER_DATE }, 0, 0, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n" },
	{ { .kind = RETRY_AFTER_DATE }, 0, 1, "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n" },
	{ { .kind = RETRY_AFTER_DATE }, 1, 0, "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n" },
	{ { .kind = RETRY_AFTER_DATE }, 2 * NS_PER_S, 0, "Retry-After: Sun, 06 Nov 1994 08:49:39 GMT\r\n" },
	{ { .kind = RETRY_AFTER_DATE }, 2 * NS_PER_S, 1, "Retry-After: Sun, 06 Nov 1994 08:49:40 GMT\r\n" },
	{ { .kind = RETRY_AFTER_DATE }, 500 * NS_PER_MS, 500 * NS_PER_MS, "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n" },
	{ { .kind = RETRY_AFTER_DATE }, INT64_MAX, 0, "Retry-After: Fri, 11 Apr 2262 23:47:17 GMT\r\n" },
	{ { .kind = RETRY_AFTER_VERBATIM, .text = { "-5", 2 } }, -1, 0, "Retry-After: -5\r\n" },
	{ { .kind = RETRY_AFTER_VERBATIM, .text = { "soon, or 1e400", 14 } }, 7, 0, "Retry-After: soon, or 1e400\r\n" },
	{ { .kind = RETRY_AFTER_VERBATIM }, 7, 0, "Retry-After: \r\n" },
};

Test(answer, never_tells_less_than_the_wait)
{
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		const struct fault_abort abort = { .status = 503, .retry_after = waits[i].spec };
		struct text out;

		text_init(&out);
		fault_answer_put_retry_after(&out, &abort, waits[i].wait_ns, NOW_NS + waits[i].past_ns);
		expect_bytes("a wait", "the line", text_span(&out), waits[i].line);
		text_deinit(&out);
	}
}

/* ---- head and Connection ---- */

static const struct {
	struct fault_answer a;
	bool keep_alive;
	unsigned minor;
	const char *line;
} connections[] = {
	{ { .closes = false }, true, 1, "" },
	{ { .closes = false }, false, 1, "Connection: close\r\n" },
	{ { .closes = false }, true, 0, "Connection: keep-alive\r\n" },
	{ { .closes = false }, false, 0, "Connection: close\r\n" },
	{ { .upgrade = true }, true, 1, "Connection: upgrade\r\n" },
	{ { .upgrade = true }, false, 1, "Connection: close, upgrade\r\n" },
	{ { .upgrade = true }, true, 0, "Connection: keep-alive, upgrade\r\n" },
	{ { .says_keep_alive = true }, true, 1, "Connection: keep-alive\r\n" },
	{ { .says_keep_alive = true }, false, 1, "Connection: close\r\n" },
	{ { .lower_case = true }, false, 1, "connection: close\r\n" },
	{ { .lower_case = true }, true, 1, "" },
};

Test(answer, says_what_becomes_of_the_connection)
{
	for (size_t i = 0; i < ARRAY_LEN(connections); i++) {
		struct text out;

		text_init(&out);
		fault_answer_put_connection(&out, &connections[i].a, connections[i].keep_alive, connections[i].minor);
		expect_bytes("connection", "the line", text_span(&out), connections[i].line);
		text_deinit(&out);
	}
}

Test(answer, dates_are_put_where_they_belong)
{
	const struct fault_answer a = { .head = { "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 37 }, .dates = { 6 }, .n_dates = 1 };
	char block[48];
	struct text out;

	text_init_fixed(&out, block, sizeof(block));
	text_put_literal(&out, "before;");
	fault_answer_put_head(&out, &a, SPAN("Sun, 06 Nov 1994 08:49:37 GMT"));
	expect_bytes("a date", "the head", text_span(&out), "before;Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
	/* Where there is no room nothing is written, and that is said. */
	fault_answer_put_head(&out, &a, SPAN("Sun, 06 Nov 1994 08:49:38 GMT"));
	cr_expect(out.cut);
	expect_bytes("a date", "the head", text_span(&out), "before;Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}
