/* request: heads that are fine, and what they mean. What is refused stands in test_errors. */
#include "http/message.h"

#include "support.h"

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define METHOD_16 "SIXTEEN-LETTERS-"
#define METHOD_64 METHOD_16 METHOD_16 METHOD_16 METHOD_16

static const struct {
	const char *head;
	const char *method;
	const char *target;
	const char *authority;
	const char *host;
	const char *path;
	const char *query; /* NULL where there is none */
	enum http_method method_id;
	enum http_target_form form;
} targets[] = {
	{ "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", "GET", "/", "a.test", "a.test", "/", NULL, HTTP_METHOD_GET,
		HTTP_TARGET_ORIGIN },
	{ "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", "a", "a", "/", NULL, HTTP_METHOD_GET, HTTP_TARGET_ORIGIN },
	{ "HEAD /a/b?c=d&e HTTP/1.1\r\nhOsT:  a:80\t\r\n\r\n", "HEAD", "/a/b?c=d&e", "a:80", "a", "/a/b", "c=d&e",
		HTTP_METHOD_HEAD, HTTP_TARGET_ORIGIN },
	{ "POST /? HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "POST", "/?", "[::1]:8080", "[::1]", "/", "", HTTP_METHOD_POST,
		HTTP_TARGET_ORIGIN },
	{ "PUT /?a?b HTTP/1.1\r\nHost:\r\n\r\n", "PUT", "/?a?b", "", "", "/", "a?b", HTTP_METHOD_PUT, HTTP_TARGET_ORIGIN },
	{ "get //a//..//%zz|\"<>{}^`\\ HTTP/1.0\r\n\r\n", "get", "//a//..//%zz|\"<>{}^`\\", "", "", "//a//..//%zz|\"<>{}^`\\",
		NULL, HTTP_METHOD_OTHER, HTTP_TARGET_ORIGIN },
	{ "DELETE http://b.test HTTP/1.1\r\nHost: a\r\n\r\n", "DELETE", "http://b.test", "b.test", "b.test", "/", NULL,
		HTTP_METHOD_DELETE, HTTP_TARGET_ABSOLUTE },
	{ "GET HTTPS://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "HTTPS://b:81/x?y", "b:81", "b", "/x", "y", HTTP_METHOD_GET,
		HTTP_TARGET_ABSOLUTE },
	{ "GET http://b?y/z HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "http://b?y/z", "b", "b", "/", "y/z", HTTP_METHOD_GET,
		HTTP_TARGET_ABSOLUTE },
	{ "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS", "*", "a", "a", "*", NULL, HTTP_METHOD_OPTIONS,
		HTTP_TARGET_ASTERISK },
	{ "PATCH /x HTTP/1.9\r\nHost: a\r\n\r\n", "PATCH", "/x", "a", "a", "/x", NULL, HTTP_METHOD_PATCH, HTTP_TARGET_ORIGIN },
	{ "TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n", "TRACE", "/x", "a", "a", "/x", NULL, HTTP_METHOD_TRACE, HTTP_TARGET_ORIGIN },
	{ "CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT", "b:443", "b:443", "b", "", NULL, HTTP_METHOD_CONNECT,
		HTTP_TARGET_AUTHORITY },
	{ METHOD_64 " /x HTTP/1.1\r\nHost: a\r\n\r\n", METHOD_64, "/x", "a", "a", "/x", NULL, HTTP_METHOD_OTHER,
		HTTP_TARGET_ORIGIN },
	{ "M-SEARCH /x HTTP/1.1\r\nHost: a\r\n\r\n", "M-SEARCH", "/x", "a", "a", "/x", NULL, HTTP_METHOD_OTHER,
		HTTP_TARGET_ORIGIN },
};

Test(request, targets)
{
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct http_field v[FIELDS_MAX];
		struct http_request r;

		request_must_parse(&r, v, targets[i].head);
		cr_expect(span_is(r.method, targets[i].method), "%s: method %.*s", targets[i].head, SHOW(r.method));
		cr_expect(span_is(r.target, targets[i].target), "%s: target %.*s", targets[i].head, SHOW(r.target));
		cr_expect(span_is(r.authority, targets[i].authority), "%s: authority %.*s", targets[i].head, SHOW(r.authority));
		cr_expect(span_is(r.host, targets[i].host), "%s: host %.*s", targets[i].head, SHOW(r.host));
		cr_expect(span_is(r.path, targets[i].path), "%s: path %.*s", targets[i].head, SHOW(r.path));
		cr_expect_eq(r.has_query, targets[i].query != NULL, "%s", targets[i].head);
		cr_expect(span_is(r.query, targets[i].query ? targets[i].query : ""), "%s: query %.*s", targets[i].head,
			SHOW(r.query));
		cr_expect_eq(r.method_id, targets[i].method_id, "%s", targets[i].head);
		cr_expect_eq(r.form, targets[i].form, "%s", targets[i].head);
		cr_expect_eq(r.head_n, strlen(targets[i].head), "%s", targets[i].head);
	}
}

/* Flags of the next table. */
enum { KEEP = 1, CONTINUE = 2, UPGRADE = 4, TRAILERS = 8 };

static const struct {
	const char *head;
	unsigned minor;
	enum http_body body;
	uint64_t length;
	unsigned flags;
} meanings[] = {
	{ GET HOST "\r\n", 1, HTTP_BODY_NONE, 0, KEEP },
	{ "GET / HTTP/1.2\r\n" HOST "\r\n", 1, HTTP_BODY_NONE, 0, KEEP },
	{ "GET / HTTP/1.0\r\n\r\n", 0, HTTP_BODY_NONE, 0, 0 },
	{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 0, HTTP_BODY_NONE, 0, KEEP },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", 0, HTTP_BODY_NONE, 0, 0 },
	{ "GET / HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", 0, HTTP_BODY_NONE, 0, 0 },
	{ GET HOST "Connection: close\r\n\r\n", 1, HTTP_BODY_NONE, 0, 0 },
	{ GET HOST "Connection: x, ,\"\r\nConnection: y,\tCLOSE ,z\r\n\r\n", 1, HTTP_BODY_NONE, 0, 0 },
	{ GET HOST "Connection: closed, \"close\"\r\n\r\n", 1, HTTP_BODY_NONE, 0, KEEP },
	{ GET HOST "Connection: \"x, close\r\n\r\n", 1, HTTP_BODY_NONE, 0, 0 },
	{ GET HOST "Content-Length: 0\r\n\r\n", 1, HTTP_BODY_LENGTH, 0, KEEP },
	{ GET HOST "Content-Length: 9223372036854775807\r\n\r\n", 1, HTTP_BODY_LENGTH, INT64_MAX, KEEP },
	{ GET HOST "Content-Length: 0000012\r\n\r\n", 1, HTTP_BODY_LENGTH, 12, KEEP },
	{ GET HOST "Content-Length: 5, 5\r\nContent-Length: 5\r\n\r\n", 1, HTTP_BODY_LENGTH, 5, KEEP },
	{ "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", 0, HTTP_BODY_LENGTH, 3, 0 },
	{ GET HOST "Transfer-Encoding: chunked\r\n\r\n", 1, HTTP_BODY_CHUNKED, 0, KEEP },
	{ GET HOST "transfer-encoding:\tChunkeD \r\n\r\n", 1, HTTP_BODY_CHUNKED, 0, KEEP },
	{ GET HOST "Expect: 100-Continue\r\n\r\n", 1, HTTP_BODY_NONE, 0, KEEP | CONTINUE },
	{ "GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", 0, HTTP_BODY_NONE, 0, 0 },
	{ "GET / HTTP/1.0\r\nExpect: what\r\n\r\n", 0, HTTP_BODY_NONE, 0, 0 },
	{ GET HOST "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n", 1, HTTP_BODY_NONE, 0, KEEP | UPGRADE },
	{ GET HOST "Upgrade: websocket\r\n\r\n", 1, HTTP_BODY_NONE, 0, KEEP },
	{ GET HOST "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n", 1, HTTP_BODY_NONE, 0, KEEP },
	{ GET HOST "Upgrade: H2C/1 ,\r\nConnection: upgrade\r\n\r\n", 1, HTTP_BODY_NONE, 0, KEEP },
	{ GET HOST "Upgrade: h2c, x\r\nConnection: upgrade\r\n\r\n", 1, HTTP_BODY_NONE, 0, KEEP | UPGRADE },
	{ GET HOST "Connection: upgrade\r\n\r\n", 1, HTTP_BODY_NONE, 0, KEEP },
	{ "GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", 0, HTTP_BODY_NONE, 0, 0 },
	{ GET HOST "TE: gzip;q=0.5, Trailers\r\nConnection: TE\r\n\r\n", 1, HTTP_BODY_NONE, 0, KEEP | TRAILERS },
	{ GET HOST "TE: gzip\r\n\r\n", 1, HTTP_BODY_NONE, 0, KEEP },
	{ "GET / HTTP/1.0\r\nTE: trailers\r\nConnection: TE\r\n\r\n", 0, HTTP_BODY_NONE, 0, 0 },
};

Test(request, meanings)
{
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		struct http_field v[FIELDS_MAX];
		struct http_request r;
		unsigned flags;

		request_must_parse(&r, v, meanings[i].head);
		flags = (r.keep_alive ? KEEP : 0) | (r.expect_continue ? CONTINUE : 0) | (r.upgrade ? UPGRADE : 0) |
			(r.te_trailers ? TRAILERS : 0);
		cr_expect_eq(r.minor, meanings[i].minor, "%s", meanings[i].head);
		cr_expect_eq(r.body, meanings[i].body, "%s", meanings[i].head);
		cr_expect_eq(r.body_length, meanings[i].length, "%s", meanings[i].head);
		cr_expect_eq(flags, meanings[i].flags, "%s: %#x", meanings[i].head, flags);
	}
}

Test(request, fields)
{
	static const char head[] = GET HOST "X-Empty:\r\nX-Tabs:\t \ta\tb \t\r\nX-Text: \xc3\xa9 \"q\"\r\n\r\nnext";
	static const struct {
		const char *name;
		const char *value;
	} want[] = { { "Host", "a" }, { "X-Empty", "" }, { "X-Tabs", "a\tb" }, { "X-Text", "\xc3\xa9 \"q\"" } };
	struct http_field v[FIELDS_MAX];
	struct http_request r;

	request_must_parse(&r, v, head);
	cr_expect_eq(r.head_n, sizeof(head) - 1 - strlen("next"));
	cr_assert_eq(r.fields.n, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		cr_expect(span_is(v[i].name, want[i].name), "%.*s", SHOW(v[i].name));
		cr_expect(span_is(v[i].value, want[i].value), "%.*s", SHOW(v[i].value));
		cr_expect(!v[i].drop && !v[i].rewritten);
		if (i)
			cr_expect_eq(v[i - 1].line_end, v[i].name.p);
	}
}

/* The names of all dropped fields, each followed by a space. */
static const char *dropped(const char *head)
{
	static char names[512];
	struct http_field v[FIELDS_MAX];
	struct http_request r;
	struct text t;

	request_must_parse(&r, v, head);
	text_init_fixed(&t, names, sizeof(names) - 1);
	for (unsigned i = 0; i < r.fields.n; i++) {
		if (v[i].drop) {
			text_put_span(&t, v[i].name);
			text_put_char(&t, ' ');
		}
	}
	names[t.n] = '\0';
	return names;
}

Test(request, dropped_fields)
{
	cr_expect_str_eq(dropped(GET HOST "A: b\r\n\r\n"), "");
	cr_expect_str_eq(
		dropped(GET HOST
			"Keep-Alive: 5\r\nProxy-Connection: x\r\nTE: x\r\nUpgrade: y\r\nTransfer-Encoding: chunked\r\n\r\n"),
		"Keep-Alive Proxy-Connection TE Upgrade Transfer-Encoding ");
	cr_expect_str_eq(dropped(GET HOST "X-A: 1\r\nConnection: x-a, x-c\r\nX-B: 2\r\nx-A: 3\r\n\r\n"), "X-A Connection x-A ");
	cr_expect_str_eq(dropped(GET HOST "Via: 1.1 x\r\nConnection: via\r\nCookie: y\r\n\r\n"), "Via Connection ");
	cr_expect_str_eq(
		dropped(GET HOST "Connection: host, content-length, expect\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"),
		"Connection ");
	cr_expect_str_eq(dropped("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), "Expect ");
}

Test(request, lengths_become_one_canonical_line)
{
	struct http_field v[FIELDS_MAX];
	struct http_request r;

	request_must_parse(&r, v, GET HOST "Content-Length: 005 , 5\r\nContent-Length: 5\r\n\r\n");
	cr_expect(span_is(v[1].value, "5"));
	cr_expect(v[1].rewritten && !v[1].drop);
	cr_expect(v[2].drop);

	request_must_parse(&r, v, GET HOST "Content-Length: 000\r\n\r\n");
	cr_expect(span_is(v[1].value, "0"));
	cr_expect(v[1].rewritten);

	request_must_parse(&r, v, GET HOST "Content-Length: 500\r\n\r\n");
	cr_expect(!v[1].rewritten && !v[1].drop);
}

Test(request, equal_single_fields_are_fine)
{
	struct http_field v[FIELDS_MAX];
	struct http_request r;

	request_must_parse(&r, v, GET HOST "Max-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n");
}

Test(request, the_limit_of_fields_is_exact)
{
	struct http_field v[3];
	struct http_request r = { .fields = { .v = v, .cap = 3 } };
	static const char fits[] = GET HOST "a: 1\r\nb: 2\r\n\r\n";
	static const char over[] = GET HOST "a: 1\r\nb: 2\r\nc: 3\r\n\r\n";
	enum http_error error;

	cr_expect_eq(http_request_parse(&r, fits, sizeof(fits) - 1, &error), HTTP_PARSE_OK);
	cr_expect_eq(r.fields.n, 3);
	cr_expect_eq(http_request_parse(&r, over, sizeof(over) - 1, &error), HTTP_PARSE_ERROR);
	cr_expect_eq(error, HTTP_ERROR_TOO_MANY_FIELDS);
}

static void expect_same(const struct http_request *a, const struct http_request *b, const char *head)
{
	cr_expect(span_eq(a->method, b->method) && span_eq(a->target, b->target) && span_eq(a->authority, b->authority), "%s",
		head);
	cr_expect(span_eq(a->host, b->host) && span_eq(a->path, b->path) && span_eq(a->query, b->query), "%s", head);
	cr_expect_eq(a->body, b->body, "%s", head);
	cr_expect_eq(a->body_length, b->body_length, "%s", head);
	cr_expect_eq(a->head_n, b->head_n, "%s", head);
	cr_expect_eq(a->fields.n, b->fields.n, "%s", head);
	cr_expect_eq(a->fields.seen, b->fields.seen, "%s", head);
}

/* As a caller reads: parse at the first bytes, then only where http_head_is_due says so. */
static void feed(const char *head, size_t first, size_t step)
{
	size_t n = strlen(head);
	size_t have = first;
	size_t scanned = 0;
	struct http_field v[FIELDS_MAX];
	struct http_field v_whole[FIELDS_MAX];
	struct http_request r;
	struct http_request whole;
	enum http_error error;
	int rc = request_of_bytes(&r, v, head, have, &error);

	while (rc == HTTP_PARSE_MORE && have < n) {
		have = MIN(have + step, n);
		if (http_head_is_due(head, have, &scanned)) {
			rc = request_of_bytes(&r, v, head, have, &error);
			cr_expect_neq(rc, HTTP_PARSE_MORE, "%s: due after %zu bytes, but incomplete", head, have);
		}
	}
	cr_assert_eq(rc, HTTP_PARSE_OK, "%s, first %zu, then by %zu: %d", head, first, step, rc);
	request_must_parse(&whole, v_whole, head);
	expect_same(&r, &whole, head);
}

Test(request, any_split_gives_the_same_request)
{
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		for (size_t first = 0; first <= strlen(targets[i].head); first++) {
			feed(targets[i].head, first, 1);
			feed(targets[i].head, first, strlen(targets[i].head));
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		for (size_t first = 0; first <= strlen(meanings[i].head); first += 3)
			feed(meanings[i].head, first, 2);
	}
}
