/* write: every head byte for byte. */
#include "http/write.h"

#include "support.h"

#define GET "GET /x?y HTTP/1.1\r\n"
#define HOST "Host: a.test\r\n"

static char written[2048];

static const char *request_as(const char *head, const struct http_forward_request *f)
{
	struct http_field v[FIELDS_MAX];
	struct http_request r;
	struct text t;

	request_must_parse(&r, v, head);
	text_init_fixed(&t, written, sizeof(written) - 1);
	http_write_request_head(&t, &r, f);
	cr_assert(!t.cut);
	written[t.n] = '\0';
	return written;
}

static const char *response_as(const char *head, const struct http_forward_response *f)
{
	struct http_field v[FIELDS_MAX];
	struct http_response r;
	struct text t;

	response_must_parse(&r, v, head, HTTP_METHOD_GET);
	text_init_fixed(&t, written, sizeof(written) - 1);
	http_write_response_head(&t, &r, f);
	cr_assert(!t.cut);
	written[t.n] = '\0';
	return written;
}

#define EXPECT_REQUEST(want, head, ...) EXPECT_REQUEST_OF_ALL(want, head, .max_forwards = -1, __VA_ARGS__)

#define EXPECT_REQUEST_OF_ALL(want, head, ...)                                                                                   \
	do {                                                                                                                     \
		struct http_forward_request f = { __VA_ARGS__ };                                                                 \
		const char *got = request_as(head, &f);                                                                          \
		cr_expect_str_eq(got, want, "got:\n%s\nwant:\n%s", got, want);                                                   \
	} while (0)

#define EXPECT_RESPONSE(want, head, ...)                                                                                         \
	do {                                                                                                                     \
		struct http_forward_response f = { __VA_ARGS__ };                                                                \
		const char *got = response_as(head, &f);                                                                         \
		cr_expect_str_eq(got, want, "got:\n%s\nwant:\n%s", got, want);                                                   \
	} while (0)

Test(write, a_request_passes_as_it_came)
{
	EXPECT_REQUEST(GET HOST "X-A:  1 \r\nx-b:\r\n\r\n", GET HOST "X-A:  1 \r\nx-b:\r\n\r\n", .via = SPAN_EMPTY);
	EXPECT_REQUEST(GET HOST "\r\n", "\r\n" GET HOST "\r\n", .via = SPAN_EMPTY);
	EXPECT_REQUEST("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", .via = SPAN_EMPTY);
	EXPECT_REQUEST("GET /%zz|// HTTP/1.1\r\n" HOST "\r\n", "GET /%zz|// HTTP/1.7\r\n" HOST "\r\n", .via = SPAN_EMPTY);
}

Test(write, hop_by_hop_fields_go)
{
	EXPECT_REQUEST(GET HOST "B: 2\r\nD: 4\r\nE: 5\r\n\r\n",
		GET "Connection: x-a\r\n" HOST "X-A: 1\r\nB: 2\r\nKeep-Alive: 5\r\nTE: gzip\r\nx-a: 3\r\nD: 4\r\nE: 5\r\n"
		"Upgrade: h2c\r\nProxy-Connection: close\r\n\r\n",
		.via = SPAN_EMPTY);
}

Test(write, targets_in_origin_form)
{
	EXPECT_REQUEST("GET /p?q HTTP/1.1\r\nHost: b:81\r\nA: 1\r\n\r\n", "GET http://b:81/p?q HTTP/1.1\r\n" HOST "A: 1\r\n\r\n",
		.via = SPAN_EMPTY);
	EXPECT_REQUEST("GET / HTTP/1.1\r\nHost: b\r\n\r\n", "GET HTTP://b HTTP/1.1\r\n" HOST "\r\n", .via = SPAN_EMPTY);
	EXPECT_REQUEST("GET /?q HTTP/1.1\r\nHost: b\r\n\r\n", "GET http://b?q HTTP/1.1\r\n" HOST "\r\n", .via = SPAN_EMPTY);
	EXPECT_REQUEST("OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n", "OPTIONS http://b HTTP/1.1\r\n" HOST "\r\n", .via = SPAN_EMPTY);
	EXPECT_REQUEST("OPTIONS / HTTP/1.1\r\nHost: b\r\n\r\n", "OPTIONS http://b/ HTTP/1.1\r\n" HOST "\r\n", .via = SPAN_EMPTY);
	EXPECT_REQUEST("OPTIONS /? HTTP/1.1\r\nHost: b\r\n\r\n", "OPTIONS http://b? HTTP/1.1\r\n" HOST "\r\n", .via = SPAN_EMPTY);
}

Test(write, path_prefixes)
{
	EXPECT_REQUEST("GET /base/x?y HTTP/1.1\r\n" HOST "\r\n", GET HOST "\r\n", .path_prefix = SPAN("/base"));
	EXPECT_REQUEST(
		"GET /base/ HTTP/1.1\r\nHost: b\r\n\r\n", "GET http://b HTTP/1.1\r\n" HOST "\r\n", .path_prefix = SPAN("/base"));
	EXPECT_REQUEST("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", .path_prefix = SPAN("/base"));
}

Test(write, hosts)
{
	EXPECT_REQUEST("GET /x?y HTTP/1.1\r\nHost: up:9\r\nA: 1\r\n\r\n", GET "A: 1\r\n" HOST "\r\n", .host = SPAN("up:9"));
	EXPECT_REQUEST("GET / HTTP/1.1\r\nHost: \r\n\r\n", "GET / HTTP/1.0\r\n\r\n", .via = SPAN_EMPTY);
	EXPECT_REQUEST("GET / HTTP/1.1\r\nHost: up\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", .host = SPAN("up"));
	EXPECT_REQUEST("GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n", .via = SPAN_EMPTY);
}

Test(write, via_is_appended_with_the_received_version)
{
	EXPECT_REQUEST(GET HOST "Via: 1.0 p\r\nVia: 1.1 q\r\nVia: 1.1 brownout\r\n\r\n",
		GET HOST "Via: 1.0 p\r\nVia: 1.1 q\r\n\r\n", .via = SPAN("brownout"));
	EXPECT_REQUEST("GET / HTTP/1.1\r\n" HOST "Via: 1.0 b\r\n\r\n", "GET / HTTP/1.0\r\n" HOST "\r\n", .via = SPAN("b"));
}

Test(write, forwarded_fields)
{
	EXPECT_REQUEST(GET HOST "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.test\r\n"
				"Forwarded: for=192.0.2.1;host=a.test;proto=http\r\n\r\n",
		GET HOST "\r\n", .client = SPAN("192.0.2.1"), .proto = SPAN("http"));
	EXPECT_REQUEST(
		"GET / HTTP/1.1\r\nHost: a:80\r\nX-Forwarded-For: ::1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a:80\r\n"
		"Forwarded: for=\"[::1]\";host=\"a:80\";proto=https\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a:80\r\n\r\n", .client = SPAN("::1"), .client_is_ipv6 = true, .proto = SPAN("https"));
	/* appended to and kept */
	EXPECT_REQUEST(GET HOST "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nX-Forwarded-For: 1, 2, 3, 192.0.2.1\r\n"
				"Forwarded: for=1, for=_x;by=y, for=192.0.2.1;host=a.test;proto=http\r\n\r\n",
		GET HOST "X-Forwarded-For: 1, 2\r\nForwarded: for=1\r\nX-Forwarded-For: 3\r\nX-Forwarded-Proto: https\r\n"
			 "X-Forwarded-Host: b\r\nX-Forwarded-For:\r\nForwarded: for=_x;by=y\r\n\r\n",
		.client = SPAN("192.0.2.1"), .proto = SPAN("http"));
	/* those that Connection names are hop by hop: gone, and ours written */
	EXPECT_REQUEST(GET HOST "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.test\r\n"
				"Forwarded: for=192.0.2.1;host=a.test;proto=http\r\n\r\n",
		GET HOST "Connection: x-forwarded-for, x-forwarded-proto, forwarded\r\nX-Forwarded-For: 1\r\n"
			 "X-Forwarded-Proto: https\r\nForwarded: for=1\r\n\r\n",
		.client = SPAN("192.0.2.1"), .proto = SPAN("http"));
	/* off: received ones pass */
	EXPECT_REQUEST(GET HOST "X-Forwarded-For: 1\r\n\r\n", GET HOST "X-Forwarded-For: 1\r\n\r\n", .proto = SPAN("http"));
	/* no authority known, a client without an address */
	EXPECT_REQUEST("GET / HTTP/1.1\r\nHost: \r\nX-Forwarded-For: unix:\r\nForwarded: for=\"unix:\"\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n", .client = SPAN("unix:"));
}

/* With lines kept from request to request every head is what it is without. */
Test(write, kept_lines_change_nothing)
{
	static const char long_host[] = GET "Host: a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.test\r\n\r\n";
	static const struct {
		const char *head, *client, *proto, *via;
	} steps[] = {
		{ GET HOST "\r\n", "192.0.2.1", "http", "b" },
		{ GET "Host: b.test\r\n\r\n", "192.0.2.1", "http", "b" },
		{ GET HOST "\r\n", "192.0.2.2", "http", "b" },
		{ GET HOST "\r\n", "192.0.2.1", "https", "b" },
		{ GET HOST "\r\n", "192.0.2.1", "http", "c" },
		{ GET HOST "\r\n", "192.0.2.1", "http", "" },
		{ GET HOST "\r\n", "", "http", "b" },
		{ "GET /x?y HTTP/1.0\r\n" HOST "\r\n", "192.0.2.1", "http", "b" },
		{ "GET /x?y HTTP/1.0\r\n\r\n", "192.0.2.1", "http", "b" },
		{ GET HOST "X-Forwarded-For: 1\r\n\r\n", "192.0.2.1", "http", "b" },
		{ GET HOST "X-Forwarded-Proto: x\r\n\r\n", "192.0.2.1", "http", "b" },
		{ GET HOST "X-Forwarded-Host: x\r\n\r\n", "192.0.2.1", "http", "b" },
		{ GET HOST "Forwarded: for=x\r\n\r\n", "192.0.2.1", "http", "b" },
		{ long_host, "192.0.2.1", "http", "b" },
	};

	/* Each after each, and each after itself. */
	for (size_t i = 0; i < ARRAY_LEN(steps) * ARRAY_LEN(steps); i++) {
		struct http_forwarded_lines kept = { .n = 0 };
		size_t order[] = { i / ARRAY_LEN(steps), i % ARRAY_LEN(steps), i % ARRAY_LEN(steps) };

		for (size_t j = 0; j < ARRAY_LEN(order); j++) {
			const char *head = steps[order[j]].head;
			struct http_forward_request how = {
				.client = span_of_string(steps[order[j]].client),
				.proto = span_of_string(steps[order[j]].proto),
				.via = span_of_string(steps[order[j]].via),
				.max_forwards = -1,
			};
			char want[sizeof(written)];

			memcpy(want, request_as(head, &how), sizeof(want));
			how.kept = &kept;
			cr_expect_str_eq(request_as(head, &how), want, "step %zu of %zu", j, i);
		}
	}
}

Test(write, body_framing_of_a_request)
{
	EXPECT_REQUEST(GET HOST "Content-Length: 3\r\n\r\n", GET HOST "Content-Length: 3\r\n\r\n", .via = SPAN_EMPTY);
	EXPECT_REQUEST(GET HOST "A: 1\r\nContent-Length: 3\r\nB: 2\r\n\r\n",
		GET HOST "A: 1\r\nContent-Length: 3, 03\r\ncontent-length:3\r\nB: 2\r\n\r\n", .via = SPAN_EMPTY);
	EXPECT_REQUEST(GET HOST "Transfer-Encoding: chunked\r\n\r\n", GET HOST "Content-Length: 3\r\n\r\n", .chunked = true);
	EXPECT_REQUEST(GET HOST "A: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		GET HOST "Transfer-Encoding: Chunked\r\nA: 1\r\n\r\n", .chunked = true);
}

Test(write, options_of_a_request)
{
	EXPECT_REQUEST(GET HOST "A: 1\r\nUpgrade:  websocket\r\nConnection: upgrade\r\n\r\n",
		GET HOST "Upgrade:  websocket\r\nConnection: keep-alive, Upgrade\r\nA: 1\r\n\r\n", .upgrade = true);
	EXPECT_REQUEST(GET HOST "TE: trailers\r\nConnection: TE\r\n\r\n", GET HOST "TE: gzip, trailers\r\nConnection: TE\r\n\r\n",
		.te_trailers = true);
	EXPECT_REQUEST(GET HOST "upgrade: websocket,x/2\r\nUpgrade: ,y,\r\nConnection: upgrade\r\n\r\n",
		GET HOST "upgrade: websocket, h2c, x/2\r\nUpgrade: ,y,\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
		.upgrade = true);
	EXPECT_REQUEST(GET HOST "Upgrade: x\r\nTE: trailers\r\nConnection: upgrade, TE\r\n\r\n",
		GET HOST "TE: trailers\r\nUpgrade: x\r\nConnection: TE, upgrade\r\n\r\n", .te_trailers = true, .upgrade = true);
	EXPECT_REQUEST_OF_ALL(GET HOST "Max-Forwards: 4\r\n\r\n", GET HOST "Max-Forwards: 5\r\n\r\n", .max_forwards = 4);
	EXPECT_REQUEST_OF_ALL(GET HOST "Max-Forwards: 0\r\n\r\n", GET HOST "Max-Forwards: 1\r\n\r\n", .max_forwards = 0);
	EXPECT_REQUEST(GET HOST "Max-Forwards: 5\r\n\r\n", GET HOST "Max-Forwards: 5\r\n\r\n", .via = SPAN_EMPTY);
	EXPECT_REQUEST(GET HOST "X-A: 1\r\nX-B: 2\r\n\r\n", GET HOST "\r\n", .extra = SPAN("X-A: 1\r\nX-B: 2\r\n"));
	EXPECT_REQUEST(GET HOST "Expect: 100-continue\r\n\r\n", GET HOST "Expect: 100-continue\r\n\r\n", .via = SPAN_EMPTY);
}

Test(write, everything_at_once)
{
	EXPECT_REQUEST_OF_ALL("POST /base/x?y HTTP/1.1\r\nHost: up\r\nA: 1\r\nX-Forwarded-For: 1, ::1\r\n"
		"X-Forwarded-Proto: http\r\n"
		"X-Forwarded-Host: a.test\r\nForwarded: for=\"[::1]\";host=a.test;proto=http\r\nVia: 1.1 b\r\n"
		"Max-Forwards: 2\r\nUpgrade: x\r\nTE: trailers\r\nConnection: upgrade, TE\r\n"
		"Transfer-Encoding: chunked\r\nE: 1\r\n\r\n",
		"POST /x?y HTTP/1.1\r\n" HOST "Content-Length: 3\r\nMax-Forwards: 3\r\nX-Forwarded-For: 1\r\n"
		"A: 1\r\nUpgrade: x\r\n\r\n",
		.host = SPAN("up"), .path_prefix = SPAN("/base"), .via = SPAN("b"), .client = SPAN("::1"), .client_is_ipv6 = true,
		.proto = SPAN("http"), .chunked = true, .upgrade = true, .te_trailers = true, .max_forwards = 2,
		.extra = SPAN("E: 1\r\n"));
}

#define OK200 "HTTP/1.1 200 OK\r\n"

Test(write, responses)
{
	EXPECT_RESPONSE(OK200 "A: 1\r\nContent-Length: 3\r\n\r\n",
		OK200 "A: 1\r\nKeep-Alive: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\n", .via = SPAN_EMPTY);
	EXPECT_RESPONSE(
		"HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n", "HTTP/1.0 200\r\nContent-Length: 3\r\n\r\n", .via = SPAN_EMPTY);
	EXPECT_RESPONSE(OK200 "Via: 1.1 p\r\nVia: 1.0 b\r\n\r\n", "HTTP/1.0 200 OK\r\nVia: 1.1 p\r\n\r\n", .via = SPAN("b"));
	EXPECT_RESPONSE(
		OK200 "A: b   c\r\nD: e\r\nF: g\r\n\r\n", OK200 "A: b\r\n c\r\nD \t:e\r\nF: g\r\n\r\n", .via = SPAN_EMPTY);
}

Test(write, body_framing_of_a_response)
{
	EXPECT_RESPONSE(OK200 "Transfer-Encoding: chunked\r\n\r\n", OK200 "Content-Length: 3\r\n\r\n", .chunked = true);
	EXPECT_RESPONSE(OK200 "A: 1\r\n\r\n", OK200 "Content-Length: 3\r\nA: 1\r\n\r\n", .drop_length = true);
	EXPECT_RESPONSE(
		OK200 "A: 1\r\n\r\n", OK200 "Content-Length: 3\r\nTransfer-Encoding: chunked\r\nA: 1\r\n\r\n", .via = SPAN_EMPTY);
	EXPECT_RESPONSE(
		"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", .via = SPAN_EMPTY);
}

Test(write, connection_and_date_of_a_response)
{
	static const char upgraded[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n";

	EXPECT_RESPONSE(OK200 "Connection: close\r\n\r\n", OK200 "\r\n", .connection = HTTP_CONNECTION_CLOSE);
	EXPECT_RESPONSE(OK200 "Connection: keep-alive\r\n\r\n", OK200 "\r\n", .connection = HTTP_CONNECTION_KEEP_ALIVE);
	EXPECT_RESPONSE(upgraded, upgraded, .upgrade = true);
	EXPECT_RESPONSE(OK200 "Date: now\r\nX: y\r\n\r\n", OK200 "\r\n", .date = SPAN("now"), .extra = SPAN("X: y\r\n"));
	EXPECT_RESPONSE(OK200 "Date: then\r\n\r\n", OK200 "Date: then\r\n\r\n", .date = SPAN("now"));
	EXPECT_RESPONSE(OK200 "Date: now\r\n\r\n", OK200 "Date: then\r\nConnection: date\r\n\r\n", .date = SPAN("now"));
}

Test(write, lines_from_elsewhere_are_not_taken_for_one_run)
{
	static const char other[] = "X: other\r\n";
	struct http_field v[FIELDS_MAX];
	struct http_request r;
	struct http_forward_request f = { .max_forwards = -1 };
	struct text t;

	request_must_parse(&r, v, GET HOST "A: 1\r\nB: 2\r\n\r\n");
	v[1].name = span_of(other, 1);
	v[1].line_end = other + sizeof(other) - 1;
	text_init_fixed(&t, written, sizeof(written) - 1);
	http_write_request_head(&t, &r, &f);
	written[t.n] = '\0';
	cr_expect_str_eq(written, GET HOST "X: other\r\nB: 2\r\n\r\n");
}

Test(write, a_head_that_does_not_fit_says_so)
{
	struct http_field v[FIELDS_MAX];
	struct http_request r;
	struct http_forward_request f = { .max_forwards = -1 };
	char block[16];
	struct text t;

	request_must_parse(&r, v, GET HOST "\r\n");
	text_init_fixed(&t, block, sizeof(block));
	http_write_request_head(&t, &r, &f);
	cr_expect(t.cut);
}

Test(write, dates)
{
	static const struct {
		int64_t unix_s;
		const char *text;
	} rows[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 951868799, "Tue, 29 Feb 2000 23:59:59 GMT" },
		{ 951868800, "Wed, 01 Mar 2000 00:00:00 GMT" },
		{ 1709164800, "Thu, 29 Feb 2024 00:00:00 GMT" },
		{ 1767225599, "Wed, 31 Dec 2025 23:59:59 GMT" },
		{ 1767225600, "Thu, 01 Jan 2026 00:00:00 GMT" },
		{ 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char p[HTTP_DATE_BYTES];

		http_date_write(p, rows[i].unix_s);
		cr_expect(span_is(span_of(p, sizeof(p)), rows[i].text), "%.29s", p);
	}
}
