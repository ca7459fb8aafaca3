/*
 * 20 head: what an intermediary removes from, adds to and leaves in the heads that it passes on (RFC 9110 section 7.6,
 * RFC 9112 sections 3 and 5), and how large they may be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(head_forwarding, .timeout = 60);


/* One field of what goes out for each head that comes in; NULL: it must not be there. */
struct head_case {
	const char *name;
	const char *sent; /* field lines besides Host */
	const char *field;
	const char *list;
};

static const struct head_case request_cases[] = {
	{ "plain field", "X-A: b\r\n", "X-A", "b" },
	{ "white space around a value", "X-A:  \t b c \t\r\n", "X-A", "b c" },
	{ "empty value", "X-A:\r\n", "X-A", "" },
	{ "same name twice, in order", "X-A: 1\r\nX-B: 2\r\nX-A: 3\r\n", "X-A", "1, 3" },
	{ "obs-text", "X-A: caf\xc3\xa9 \x80\xff\r\n", "X-A", "caf\xc3\xa9 \x80\xff" },
	{ "Host", "X-A: b\r\n", "Host", "shop.test:81" },
	{ "Authorization", "Authorization: Basic eDp5\r\n", "Authorization", "Basic eDp5" },
	{ "Cookie", "Cookie: a=b; c=d\r\n", "Cookie", "a=b; c=d" },
	{ "Priority", "Priority: u=1\r\n", "Priority", "u=1" },
	{ "Connection", "Connection: keep-alive\r\n", "Connection", NULL },
	{ "Connection: close", "Connection: close\r\n", "Connection", NULL },
	{ "named by Connection", "Connection: X-Hop, close\r\nX-Hop: 1\r\n", "X-Hop", NULL },
	{ "named before, in other case", "X-Hop: 1\r\nConnection: x-hOP\r\n", "X-Hop", NULL },
	{ "named by a second Connection", "Connection: close\r\nConnection: , X-Hop ,\r\nX-Hop: 1\r\nx-hop: 2\r\n", "X-Hop",
		NULL },
	{ "not named by Connection", "Connection: X-Ho\r\nX-Hop: 1\r\n", "X-Hop", "1" },
	{ "Keep-Alive", "Keep-Alive: timeout=5\r\n", "Keep-Alive", NULL },
	{ "Proxy-Connection", "Proxy-Connection: keep-alive\r\n", "Proxy-Connection", NULL },
	{ "TE", "TE: gzip\r\nConnection: TE\r\n", "TE", NULL },
	{ "TE: trailers", "TE: gzip, trailers\r\nConnection: TE\r\n", "TE", "trailers" },
	{ "Upgrade without Connection", "Upgrade: websocket\r\n", "Upgrade", NULL },
	{ "Via", "", "Via", "1.1 brownout" },
	{ "Via behind another", "Via: 1.0 fred, 1.1 p.example\r\n", "Via", "1.0 fred, 1.1 p.example, 1.1 brownout" },
	{ "X-Forwarded-For", "", "X-Forwarded-For", "127.0.0.1" },
	{ "X-Forwarded-For behind another", "X-Forwarded-For: 203.0.113.7\r\n", "X-Forwarded-For", "203.0.113.7, 127.0.0.1" },
	{ "X-Forwarded-For behind two lines", "X-Forwarded-For: a\r\nX-Forwarded-For: b\r\n", "X-Forwarded-For",
		"a, b, 127.0.0.1" },
	{ "X-Forwarded-Proto", "", "X-Forwarded-Proto", "http" },
	{ "X-Forwarded-Proto kept", "X-Forwarded-Proto: https\r\n", "X-Forwarded-Proto", "https" },
	{ "X-Forwarded-Host", "", "X-Forwarded-Host", "shop.test:81" },
	{ "X-Forwarded-Host kept", "X-Forwarded-Host: www.test\r\n", "X-Forwarded-Host", "www.test" },
	{ "Forwarded", "", "Forwarded", "for=127.0.0.1;host=\"shop.test:81\";proto=http" },
	{ "Forwarded behind another", "Forwarded: for=\"[2001:db8::1]\"\r\n", "Forwarded",
		"for=\"[2001:db8::1]\", for=127.0.0.1;host=\"shop.test:81\";proto=http" },
	{ "Content-Length twice the same", "Content-Length: 0\r\nContent-Length: 0\r\n", "Content-Length", "0" },
	{ "Content-Length as a list of the same", "Content-Length: 0, 0\r\n", "Content-Length", "0" },
	{ "no Date is added", "", "Date", NULL },
	{ "Max-Forwards of another method", "Max-Forwards: 0\r\n", "Max-Forwards", "0" },
};

Test(head_forwarding, of_requests)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < sizeof(request_cases) / sizeof(request_cases[0]); i++) {
		const struct head_case *c = &request_cases[i];
		struct message request, answer;
		char sent[512];

		r.context = c->name;
		snprintf(sent, sizeof(sent), "GET / HTTP/1.1\r\nHost: shop.test:81\r\n%s\r\n", c->sent);
		rig_exchange(&r, rig_client(&r), sent, OK_HI, &request, &answer);
		expect_field(&request, c->field, c->list);
		expect_body(&answer, "hi");
		message_free(&request);
		message_free(&answer);
	}
	rig_end(&r);
}

static const struct head_case answer_cases[] = {
	{ "plain field", "X-A: b\r\n", "X-A", "b" },
	{ "Set-Cookie twice, in order", "Set-Cookie: a=1\r\nX-B: 2\r\nSet-Cookie: b=2\r\n", "Set-Cookie", "a=1, b=2" },
	{ "obs-text", "X-A: \xe9\r\n", "X-A", "\xe9" },
	{ "Connection", "Connection: keep-alive\r\n", "Connection", NULL },
	{ "named by Connection", "Connection: X-Hop\r\nX-Hop: 1\r\n", "X-Hop", NULL },
	{ "Keep-Alive", "Keep-Alive: timeout=5\r\n", "Keep-Alive", NULL },
	{ "Proxy-Connection", "Proxy-Connection: keep-alive\r\n", "Proxy-Connection", NULL },
	{ "Upgrade as an offer", "Upgrade: h2c\r\nConnection: Upgrade\r\n", "Upgrade", NULL },
	{ "Date kept", "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n", "Date", "Tue, 15 Nov 1994 08:12:31 GMT" },
	{ "Server", "Server: thing/1\r\n", "Server", "thing/1" },
	{ "no Server is added", "", "Server", NULL },
	{ "WWW-Authenticate", "WWW-Authenticate: Basic realm=\"x\", Digest a=b\r\n", "WWW-Authenticate",
		"Basic realm=\"x\", Digest a=b" },
	{ "Allow", "Allow: GET,HEAD\r\n", "Allow", "GET,HEAD" },
	{ "Retry-After", "Retry-After: 7\r\n", "Retry-After", "7" },
	{ "Proxy-Status of one behind", "Proxy-Status: cdn; received-status=200\r\n", "Proxy-Status",
		"cdn; received-status=200" },
	{ "white space before the colon is stripped", "X-A : b\r\n", "X-A", "b" },
};

Test(head_forwarding, of_answers)
{
	struct rig r;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		const struct head_case *c = &answer_cases[i];
		struct message request, answer;
		char sent[512];

		r.context = c->name;
		snprintf(sent, sizeof(sent), "HTTP/1.1 200 OK\r\n%sContent-Length: 2\r\n\r\nhi", c->sent);
		rig_exchange(&r, client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", sent, &request, &answer);
		expect_field(&answer, c->field, c->list);
		expect_body(&answer, "hi");
		message_free(&request);
		message_free(&answer);
	}
	rig_end(&r);
}

/* RFC 9112 section 5.2: each fold becomes one or more spaces. */
Test(head_forwarding, answer_with_a_fold)
{
	struct rig r;
	struct message request, answer;
	const char *value;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r), "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX-A: b\r\n \t c\r\nContent-Length: 2\r\n\r\nhi", &request, &answer);
	value = message_field(&answer, "x-a");
	rig_check(&r, value && value[0] == 'b' && value[1 + strspn(value + 1, " \t")] == 'c' && value[1] != 'c', "X-A is \"%s\"",
		value ? value : "(none)");
	expect_body(&answer, "hi");
	message_free(&request);
	message_free(&answer);
	rig_end(&r);
}

Test(head_forwarding, date_is_added_where_the_answer_has_none)
{
	struct rig r;
	struct message request, answer;
	const char *date;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r), "GET / HTTP/1.1\r\nHost: a\r\n\r\n", OK_HI, &request, &answer);
	date = message_field(&answer, "date");
	/* "Sun, 06 Nov 1994 08:49:37 GMT" */
	rig_check(&r, date && strlen(date) == 29 && strcmp(date + 25, " GMT") == 0 && date[3] == ',', "Date is %s",
		date ? date : "(none)");
	message_free(&request);
	message_free(&answer);
	rig_end(&r);
}

struct line_case {
	const char *name;
	const char *sent; /* request line and Host */
	const char *line;
	const char *host;
};

static const struct line_case line_cases[] = {
	{ "query untouched", "GET /a?b=%41&c=%7c&&=+%2f;'!*() HTTP/1.1\r\nHost: a", "GET /a?b=%41&c=%7c&&=+%2f;'!*() HTTP/1.1",
		"a" },
	{ "path untouched", "GET /a//b/./c/../%7e%2F;p=1 HTTP/1.1\r\nHost: a", "GET /a//b/./c/../%7e%2F;p=1 HTTP/1.1", "a" },
	{ "empty query", "GET /a? HTTP/1.1\r\nHost: a", "GET /a? HTTP/1.1", "a" },
	{ "second question mark", "GET /a?b?c HTTP/1.1\r\nHost: a", "GET /a?b?c HTTP/1.1", "a" },
	{ "double slash at the start", "GET //a/b HTTP/1.1\r\nHost: a", "GET //a/b HTTP/1.1", "a" },
	{ "absolute form", "GET http://shop.test/a?b HTTP/1.1\r\nHost: other.test", "GET /a?b HTTP/1.1", "shop.test" },
	{ "absolute form with port", "GET http://shop.test:8080/a HTTP/1.1\r\nHost: other.test", "GET /a HTTP/1.1",
		"shop.test:8080" },
	{ "absolute form without path", "GET http://shop.test HTTP/1.1\r\nHost: shop.test", "GET / HTTP/1.1", "shop.test" },
	{ "absolute form with query only", "GET http://shop.test?q HTTP/1.1\r\nHost: shop.test", "GET /?q HTTP/1.1",
		"shop.test" },
	{ "scheme in capitals", "GET HTTP://shop.test/x HTTP/1.1\r\nHost: shop.test", "GET /x HTTP/1.1", "shop.test" },
	{ "asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a", "OPTIONS * HTTP/1.1", "a" },
	{ "absolute OPTIONS without path", "OPTIONS http://shop.test HTTP/1.1\r\nHost: a", "OPTIONS * HTTP/1.1", "shop.test" },
	{ "IPv6 host", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80", "GET / HTTP/1.1", "[2001:db8::1]:80" },
};

Test(head_forwarding, request_lines)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < sizeof(line_cases) / sizeof(line_cases[0]); i++) {
		const struct line_case *c = &line_cases[i];
		struct message request, answer;
		char sent[512];

		r.context = c->name;
		snprintf(sent, sizeof(sent), "%s\r\n\r\n", c->sent);
		rig_exchange(&r, rig_client(&r), sent, OK_HI, &request, &answer);
		expect_line(&request, c->line);
		expect_field(&request, "host", c->host);
		message_free(&request);
		message_free(&answer);
	}
	rig_end(&r);
}

/* RFC 9110 section 7.6.2: 0 is answered here, more is counted down. */
Test(head_forwarding, max_forwards)
{
	static const char *const methods[] = { "TRACE", "OPTIONS" };
	struct rig r;
	struct message request, answer;

	rig_start(&r);
	for (size_t i = 0; i < 2; i++) {
		struct peer *client = rig_client(&r);
		char sent[128];

		r.context = methods[i];
		peer_printf(client, "%s /t HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nCOOKIE: b\r\nMax-Forwards: 0\r\n"
			"proxy-authorization: c\r\nX-A: d\r\n\r\n", methods[i]);
		message_read_answer(&answer, client, methods[i]);
		expect_status(&answer, 200);
		if (i == 0) {
			expect_field(&answer, "content-type", "message/http");
			/* RFC 9110 section 9.3.8: not what may be secret. */
			expect_body(&answer, "TRACE /t HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nX-A: d\r\n\r\n");
		}
		message_free(&answer);
		rig_expect_upstream_silence(&r, 30);

		snprintf(sent, sizeof(sent), "%s /t HTTP/1.1\r\nHost: a\r\nMax-Forwards: 7\r\n\r\n", methods[i]);
		rig_exchange(&r, client, sent, OK_HI, &request, &answer);
		expect_field(&request, "max-forwards", "6");
		message_free(&request);
		message_free(&answer);
		snprintf(sent, sizeof(sent), "%s /t HTTP/1.1\r\nHost: a\r\n\r\n", methods[i]);
		rig_exchange(&r, client, sent, OK_HI, &request, &answer);
		expect_field(&request, "max-forwards", NULL);
		message_free(&request);
		message_free(&answer);
	}
	rig_end(&r);
}

/* As often as that a request may come by, by the names in its Via; more is going round in circles. */
Test(head_forwarding, as_many_passes_as_are_no_circle)
{
	static const char nine[] = "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 brownout, 1.1 BROWNOUT, 1.0 brownout\r\n"
		"Via: 1.1 brownout,1.1 brownout, 1.1 brownout\r\nX-A: b\r\nVia: 1.1 brownout, 1.1 other\r\n"
		"Via: 1.1 brownout, HTTP/1.1 brownout\r\n";
	struct message request, answer;
	struct peer *client;
	struct rig r;

	rig_start(&r);
	client = rig_client(&r);
	peer_printf(client, "%s\r\n", nine);
	peer_send(rig_request(&r, &request), OK_HI);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	free_both(&request, &answer);
	peer_printf(client, "%sVia: 1.1 brownout\r\n\r\n", nine);
	expect_failure(client, "GET", 502, "proxy_loop_detected");
	rig_end(&r);
}

Test(head_forwarding, host_rewrite)
{
	struct rig r;
	struct message request, answer;
	char host[64];

	rig_start_with(&r, "upstreams:\n  default: {url: 'http://@upstream@/base/', host: rewrite}\n");
	snprintf(host, sizeof(host), "127.0.0.1:%u", r.upstream_ports[0]);
	rig_exchange(&r, rig_client(&r), "GET /a?b HTTP/1.1\r\nHost: shop.test\r\n\r\n", OK_HI, &request, &answer);
	expect_line(&request, "GET /base/a?b HTTP/1.1");
	expect_field(&request, "host", host);
	expect_field(&request, "x-forwarded-host", "shop.test");
	message_free(&request);
	message_free(&answer);
	rig_end(&r);
}

/* A head of exactly n bytes. */
static void make_head(struct bytes *b, size_t n)
{
	static const char start[] = "GET /long HTTP/1.1\r\nHost: a\r\n";
	static const char end[] = "\r\n\r\n";

	bytes_printf(b, "%sX-Long: ", start);
	while (b->n < n - strlen(end))
		bytes_put(b, "x", 1);
	bytes_printf(b, "%s", end);
}

/* Sends a request that is refused and expects status, close and a silent upstream. */
static void refuse(struct rig *r, const char *sent, unsigned status)
{
	struct peer *client = rig_client(r);
	struct message answer;

	peer_try_send(client, sent);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, status);
	expect_field(&answer, "connection", "close");
	peer_expect_fin(client);
	rig_expect_upstream_silence(r, 20);
	message_free(&answer);
}

Test(head_forwarding, size_limit_of_64_kib)
{
	static const size_t passing[] = { 8192, 16384, 60000, 65536 };
	static const size_t refused[] = { 65537, 70000, 200000 };
	struct rig r;
	struct bytes sent = { 0 };

	rig_start(&r);
	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		struct message request, answer;

		bytes_free(&sent);
		make_head(&sent, passing[i]);
		rig_exchange(&r, rig_client(&r), sent.p, OK_HI, &request, &answer);
		rig_check(&r, strlen(message_field(&request, "x-long")) == passing[i] - 41, "the field was cut to %zu",
			strlen(message_field(&request, "x-long")));
		expect_body(&answer, "hi");
		message_free(&request);
		message_free(&answer);
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		bytes_free(&sent);
		make_head(&sent, refused[i]);
		refuse(&r, sent.p, 431);
	}
	bytes_free(&sent);
	rig_end(&r);
}

Test(head_forwarding, limits_are_settings)
{
	struct rig r;
	struct bytes sent = { 0 };
	struct message request, answer;

	rig_start_with(&r, "limits: {max_header_bytes: 4KiB, max_headers: 10}\n");
	make_head(&sent, 4096);
	rig_exchange(&r, rig_client(&r), sent.p, OK_HI, &request, &answer);
	message_free(&request);
	message_free(&answer);
	bytes_free(&sent);
	make_head(&sent, 4097);
	refuse(&r, sent.p, 431);
	bytes_free(&sent);
	bytes_printf(&sent, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < 9; i++)
		bytes_printf(&sent, "X-%d: y\r\n", i);
	bytes_printf(&sent, "\r\n");
	rig_exchange(&r, rig_client(&r), sent.p, OK_HI, &request, &answer);
	message_free(&request);
	message_free(&answer);
	sent.n -= 2;
	bytes_printf(&sent, "X-9: y\r\n\r\n");
	refuse(&r, sent.p, 431);
	bytes_free(&sent);
	rig_end(&r);
}

Test(head_forwarding, long_targets)
{
	struct rig r;
	struct bytes sent = { 0 };
	struct message request, answer;

	rig_start(&r);
	/* RFC 9112 section 3: request lines of 8000 bytes at least. */
	bytes_printf(&sent, "GET /%08000d HTTP/1.1\r\nHost: a\r\n\r\n", 0);
	rig_exchange(&r, rig_client(&r), sent.p, OK_HI, &request, &answer);
	rig_check(&r, strlen(request.target) == 8001, "the target was cut to %zu", strlen(request.target));
	message_free(&request);
	message_free(&answer);
	bytes_free(&sent);
	bytes_printf(&sent, "GET /%080000d HTTP/1.1\r\nHost: a\r\n\r\n", 0);
	refuse(&r, sent.p, 414);
	bytes_free(&sent);
	rig_end(&r);
}
