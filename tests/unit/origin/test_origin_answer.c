/*
 * origin_answer: from the bytes of a request to the bytes of the answer's head and text.
 */
#include "origin/origin_answer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/status.h"

#define DATE_LINE "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"

static void parse(struct http_request *r, const char *raw)
{
	static struct http_field fields[64];
	enum http_error error;

	*r = (struct http_request){ .fields = { .v = fields, .cap = ARRAY_LEN(fields) } };
	cr_assert_eq(http_request_parse(r, raw, strlen(raw), &error), HTTP_PARSE_OK, "%s", raw);
}

static void answer(struct origin_answer *a, const char *raw, const char *body)
{
	struct http_request r;

	parse(&r, raw);
	origin_answer_init(a);
	origin_answer_begin(a, &r);
	origin_answer_body(a, span_of_string(body));
	origin_answer_end(a);
}

static void get(struct origin_answer *a, const char *target)
{
	struct text raw;

	text_init(&raw);
	text_printf(&raw, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
	text_put_char(&raw, '\0');
	answer(a, raw.p, "");
	text_deinit(&raw);
}

/* NUL-terminated, to be freed. */
static char *head_of(const struct origin_answer *a)
{
	struct text out;

	text_init(&out);
	origin_answer_write_head(a, 0, &out);
	text_put_char(&out, '\0');
	return out.p;
}

static void expect_head(const struct origin_answer *a, const char *expected)
{
	char *head = head_of(a);

	cr_expect_str_eq(head, expected);
	free(head);
}

static bool head_has(const struct origin_answer *a, const char *part)
{
	char *head = head_of(a);
	bool has = strstr(head, part) != NULL;

	free(head);
	return has;
}

static void expect_text(const struct origin_answer *a, const char *expected)
{
	cr_expect(span_eq(text_span(&a->text), span_of_string(expected)), "got: %.*s", SPAN_ARG(text_span(&a->text)));
}

Test(origin_answer, durations)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: refused */
	} cases[] = {
		{ "250ms", 250 * NS_PER_MS },
		{ "2s", 2 * NS_PER_S },
		{ "0s", 0 },
		{ "1us", 1000 },
		{ "7ns", 7 },
		{ "3m", 180 * NS_PER_S },
		{ "1h", ORIGIN_DELAY_NS_MAX },
		{ "2h", -1 },
		{ "3601s", -1 },
		{ "99999999999999999999s", -1 },
		{ "18446744073709551615h", -1 },
		{ "1", -1 },
		{ "s", -1 },
		{ "", -1 },
		{ "-1s", -1 },
		{ "1.5s", -1 },
		{ "1S", -1 },
		{ "1s ", -1 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ns = -1;

		cr_expect_eq(origin_parse_duration(span_of_string(cases[i].text), &ns), cases[i].ns < 0, "%s", cases[i].text);
		if (cases[i].ns >= 0)
			cr_expect_eq(ns, cases[i].ns, "%s", cases[i].text);
	}
}

Test(origin_answer, sizes)
{
	static const struct {
		const char *text;
		int64_t bytes; /* -1: refused */
	} cases[] = {
		{ "0", 0 },
		{ "17", 17 },
		{ "17B", 17 },
		{ "64KiB", 65536 },
		{ "10MiB", 10485760 },
		{ "10GiB", INT64_C(10737418240) },
		{ "2KB", 2000 },
		{ "2MB", 2000000 },
		{ "2GB", 2000000000 },
		{ "1125899906842624", INT64_C(1) << 50 },
		{ "1125899906842625", -1 },
		{ "18446744073709551615GiB", -1 },
		{ "KiB", -1 },
		{ "", -1 },
		{ "1kib", -1 },
		{ "0x10", -1 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t bytes = 0;

		cr_expect_eq(origin_parse_size(span_of_string(cases[i].text), &bytes), cases[i].bytes < 0, "%s", cases[i].text);
		if (cases[i].bytes >= 0)
			cr_expect_eq(bytes, (uint64_t)cases[i].bytes, "%s", cases[i].text);
	}
}

Test(origin_answer, a_status)
{
	struct origin_answer a;

	get(&a, "/status/503");
	expect_head(&a, "HTTP/1.1 503 Service Unavailable\r\n" DATE_LINE
		"Server: brownout-origin\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 24\r\n\r\n");
	expect_text(&a, "503 Service Unavailable\n");
	cr_expect(origin_answer_has_content(&a));
	origin_answer_deinit(&a);
}

/* Every code leaves as the classifier wants it, to GET and to HEAD. */
Test(origin_answer, every_status_is_valid)
{
	for (unsigned status = 200; status <= STATUS_MAX; status++) {
		for (unsigned head = 0; head < 2; head++) {
			/* A request that any code may answer. */
			struct status_request request = {
				.head = head,
				.get_or_head = true,
				.conditional = true,
				.range = true,
				.early_data = true,
			};
			struct status_response response = { .code = status, .final = true };
			struct origin_answer a;
			char raw[64];
			uint32_t found;

			(void)snprintf(raw, sizeof(raw), "%s /status/%u HTTP/1.1\r\nHost: a\r\n\r\n", head ? "HEAD" : "GET",
				status);
			answer(&a, raw, "");
			cr_assert_eq(a.status, status);
			for (unsigned i = 0; i < STATUS_FIELD_COUNT; i++) {
				char line[64];

				(void)snprintf(line, sizeof(line), "\r\n%s: ", status_field_name((enum status_field)i));
				if (head_has(&a, line))
					response.fields |= UINT32_C(1) << i;
			}
			response.content = origin_answer_has_content(&a);
			found = status_validate(&response, &request);
			/* What was asked for is what is sent, also where no server would send it by itself. */
			found &= ~(UINT32_C(1) << STATUS_VIOLATION_UNUSED_CODE | UINT32_C(1) << STATUS_VIOLATION_PARTIAL_UNASKED);
			cr_expect_eq(found, 0, "%u: violations %x", status, found);
			origin_answer_deinit(&a);
		}
	}
}

Test(origin_answer, codes_without_content)
{
	struct origin_answer a;

	get(&a, "/status/204");
	cr_expect_not(origin_answer_has_content(&a));
	cr_expect_not(head_has(&a, "Content-Length"));
	origin_answer_deinit(&a);
	get(&a, "/status/205");
	cr_expect_not(origin_answer_has_content(&a));
	cr_expect(head_has(&a, "\r\nContent-Length: 0\r\n"));
	origin_answer_deinit(&a);
	get(&a, "/status/304");
	cr_expect_not(origin_answer_has_content(&a));
	cr_expect_not(head_has(&a, "Content-Length"));
	origin_answer_deinit(&a);
}

Test(origin_answer, fields_that_a_code_must_have)
{
	struct origin_answer a;

	get(&a, "/status/401");
	cr_expect(head_has(&a, "\r\nWWW-Authenticate: "));
	origin_answer_deinit(&a);
	get(&a, "/status/426");
	cr_expect(head_has(&a, "\r\nUpgrade: "));
	cr_expect(head_has(&a, "\r\nConnection: upgrade\r\n"));
	origin_answer_deinit(&a);
	get(&a, "/status/206");
	cr_expect(head_has(&a, "\r\nContent-Range: bytes 0-19/20\r\n"));
	origin_answer_deinit(&a);
}

Test(origin_answer, bad_arguments_are_explained)
{
	static const char *const targets[] = {
		"/status/199", "/status/600", "/status/abc", "/status/", "/status/0200", "/status/503/", "/delay/5", "/delay/2h",
		"/bytes/x", "/drip?bytes=x", "/drip?every=1",
	};

	for (unsigned i = 0; i < ARRAY_LEN(targets); i++) {
		struct origin_answer a;

		get(&a, targets[i]);
		cr_expect_eq(a.status, 400, "%s", targets[i]);
		cr_expect_gt(a.text.n, 20, "%s", targets[i]);
		cr_expect_eq(a.delay_ns, 0, "%s", targets[i]);
		cr_expect_eq(a.content, ORIGIN_CONTENT_TEXT, "%s", targets[i]);
		origin_answer_deinit(&a);
	}
}

Test(origin_answer, a_delay)
{
	struct origin_answer a;

	get(&a, "/delay/250ms");
	cr_expect_eq(a.status, 200);
	cr_expect_eq(a.delay_ns, 250 * NS_PER_MS);
	expect_text(&a, "waited 250ms\n");
	origin_answer_deinit(&a);
}

Test(origin_answer, bytes)
{
	struct origin_answer a;

	get(&a, "/bytes/10GiB");
	cr_expect_eq(a.content, ORIGIN_CONTENT_FILL);
	cr_expect_eq(a.length, UINT64_C(10737418240));
	cr_expect(head_has(&a, "\r\nContent-Length: 10737418240\r\n"));
	origin_answer_deinit(&a);

	get(&a, "/bytes/5?chunked=1");
	cr_expect(a.chunked);
	cr_expect(a.keep_alive);
	cr_expect(head_has(&a, "\r\nTransfer-Encoding: chunked\r\n"));
	cr_expect_not(head_has(&a, "Content-Length"));
	origin_answer_deinit(&a);

	get(&a, "/bytes/5?chunked=0");
	cr_expect_not(a.chunked);
	origin_answer_deinit(&a);

	answer(&a, "GET /bytes/5?chunked=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "");
	cr_expect_not(a.chunked);
	cr_expect_not(a.keep_alive, "the end of the content is the end of the connection");
	cr_expect_not(head_has(&a, "Content-Length"));
	cr_expect_not(head_has(&a, "Transfer-Encoding"));
	cr_expect(head_has(&a, "\r\nConnection: close\r\n"));
	origin_answer_deinit(&a);
}

Test(origin_answer, a_drip)
{
	struct origin_answer a;

	get(&a, "/drip");
	cr_expect_eq(a.content, ORIGIN_CONTENT_DRIP);
	cr_expect_eq(a.length, 10);
	cr_expect_eq(a.every_ns, 100 * NS_PER_MS);
	origin_answer_deinit(&a);
	get(&a, "/drip?every=%31s&bytes=3");
	cr_expect_eq(a.length, 3);
	cr_expect_eq(a.every_ns, NS_PER_S);
	origin_answer_deinit(&a);
	get(&a, "/dripping");
	cr_expect(a.echo);
	origin_answer_deinit(&a);
}

Test(origin_answer, an_echo)
{
	struct origin_answer a;

	answer(&a, "POST /a/b?c=d HTTP/1.1\r\nHost: a.test\r\nX-Two: 1\r\nContent-Length: 3\r\nx-two: 2\r\n\r\n", "x\"\xff");
	cr_expect_eq(a.status, 200);
	expect_text(&a,
		"{\n"
		"  \"method\": \"POST\",\n"
		"  \"target\": \"/a/b?c=d\",\n"
		"  \"path\": \"/a/b\",\n"
		"  \"query\": \"c=d\",\n"
		"  \"http_minor\": 1,\n"
		"  \"headers\": {\n"
		"    \"host\": \"a.test\",\n"
		"    \"x-two\": \"1, 2\",\n"
		"    \"content-length\": \"3\"\n"
		"  },\n"
		"  \"body_bytes\": 3,\n"
		"  \"body\": \"x\\\"\xef\xbf\xbd\"\n"
		"}\n");
	cr_expect_eq(a.length, a.text.n);
	cr_expect(head_has(&a, "\r\nContent-Type: application/json\r\n"));
	origin_answer_deinit(&a);
}

Test(origin_answer, an_echo_keeps_the_beginning_of_a_large_body)
{
	static char piece[40000];
	struct http_request r;
	struct origin_answer a;

	parse(&r, "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	origin_answer_init(&a);
	origin_answer_begin(&a, &r);
	memset(piece, 'x', sizeof(piece));
	for (unsigned i = 0; i < 3; i++)
		origin_answer_body(&a, span_of(piece, sizeof(piece)));
	cr_expect_eq(a.body.n, ORIGIN_ECHO_BODY_BYTES);
	origin_answer_end(&a);
	text_put_char(&a.text, '\0');
	cr_expect(strstr(a.text.p, "\"body_bytes\": 120000,"));
	origin_answer_deinit(&a);
}

Test(origin_answer, only_an_echo_keeps_the_body)
{
	struct origin_answer a;

	answer(&a, "POST /status/200 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", "abc");
	cr_expect_eq(a.body.n, 0);
	cr_expect_eq(a.body_bytes, 3);
	origin_answer_deinit(&a);
}

Test(origin_answer, headers)
{
	struct origin_answer a;

	get(&a, "/headers");
	expect_text(&a, "{\n  \"headers\": {\n    \"host\": \"a\"\n  }\n}\n");
	origin_answer_deinit(&a);
}

Test(origin_answer, head_has_the_length_but_no_content)
{
	struct origin_answer a;

	answer(&a, "HEAD /bytes/7 HTTP/1.1\r\nHost: a\r\n\r\n", "");
	cr_expect_not(origin_answer_has_content(&a));
	cr_expect(head_has(&a, "\r\nContent-Length: 7\r\n"));
	origin_answer_deinit(&a);
}

Test(origin_answer, connections)
{
	static const struct {
		const char *raw;
		const char *line; /* NULL: no Connection */
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "\r\nConnection: close\r\n" },
		{ "GET / HTTP/1.0\r\n\r\n", "\r\nConnection: close\r\n" },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "\r\nConnection: keep-alive\r\n" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct origin_answer a;

		answer(&a, cases[i].raw, "");
		if (cases[i].line)
			cr_expect(head_has(&a, cases[i].line), "%s", cases[i].raw);
		else
			cr_expect_not(head_has(&a, "Connection"), "%s", cases[i].raw);
		origin_answer_deinit(&a);
	}
}

Test(origin_answer, trace_is_refused)
{
	struct origin_answer a;

	answer(&a, "TRACE /x HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n", "");
	cr_expect_eq(a.status, 405);
	cr_expect(head_has(&a, "\r\nAllow: "));
	origin_answer_deinit(&a);
}

Test(origin_answer, a_refusal_replaces_what_was_begun)
{
	struct http_request r;
	struct origin_answer a;

	parse(&r, "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	origin_answer_init(&a);
	origin_answer_begin(&a, &r);
	origin_answer_body(&a, SPAN("abc"));
	origin_answer_refuse(&a, HTTP_ERROR_CHUNK_SIZE);
	origin_answer_end(&a);
	cr_expect_eq(a.status, 400);
	cr_expect_not(a.keep_alive);
	text_put_char(&a.text, '\0');
	cr_expect(strstr(a.text.p, "chunk size"));
	cr_expect_not(strchr(a.text.p, '{'));
	origin_answer_deinit(&a);
}
