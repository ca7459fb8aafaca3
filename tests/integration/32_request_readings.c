/*
 * 32 readings: requests that two readers might understand differently, and those that only look so. What has one reading
 * arrives exactly as that, alone or between others; all else is refused, and what ends too early never becomes a request
 * (RFC 9112 sections 2.2, 3.2, 6.3, 7.1 and 9.3).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(request_readings, .timeout = 120);

static void expect_refusal(struct rig *r, struct peer *client, const char *method)
{
	struct message answer;

	message_read_answer(&answer, client, method);
	rig_check(r, answer.status == 400 || answer.status == 501, "status %u", answer.status);
	expect_field(&answer, "connection", "close");
	peer_shutdown(client);
	peer_expect_end(client);
	peer_close(client);
	message_free(&answer);
}

/* ---- two framings at once ---- */

static const char *const lengths[] = {
	"Content-Length: 5\r\n",
	"Content-Length: 0\r\n",
	"content-length: 5\r\n",
	"Content-Length: 5, 5\r\n",
	"Content-Length: 5\r\nContent-Length: 5\r\n",
	"Content-Length: 5\r\nX-A: b\r\n",
	"Connection: Content-Length\r\nContent-Length: 5\r\n",
};
static const char *const codings[] = {
	"Transfer-Encoding: chunked\r\n",
	"transfer-encoding: CHUNKED\r\n",
	"Transfer-Encoding:chunked\r\n",
	"Transfer-Encoding: \t chunked \t\r\n",
	"Transfer-Encoding: identity\r\n",
	"Transfer-Encoding: gzip, chunked\r\n",
	"Transfer-Encoding: chunked, identity\r\n",
	"Transfer-Encoding: xchunked\r\n",
	"Transfer-Encoding: \"chunked\"\r\n",
	"Transfer-Encoding:\r\n",
	"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
	"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
	"X-A: b\r\nTransfer-Encoding: chunked\r\n",
	"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
};
#define N(v) (sizeof(v) / sizeof((v)[0]))

/* Both, in either order: nobody needs it, and whoever reads on could be led astray. */
Test(request_readings, length_and_coding)
{
	static char context[256];
	struct rig r;

	rig_start(&r);
	r.context = context;
	for (size_t i = 0; i < 2 * N(lengths) * N(codings); i++) {
		const char *length = lengths[i / 2 % N(lengths)];
		const char *coding = codings[i / 2 / N(lengths)];
		struct peer *client = rig_client(&r);

		snprintf(context, sizeof(context), "%s%s", i % 2 ? coding : length, i % 2 ? length : coding);
		peer_printf(client, "POST /odd HTTP/1.1\r\nHost: a\r\n%s\r\n0\r\n\r\n" GET("/evil"), context);
		expect_refusal(&r, client, "POST");
	}
	rig_expect_upstream_silence(&r, 50);
	rig_end(&r);
}

/* Names that another reader might take for a framing field, without being one: refused, or passed on beside the real one. */
static const struct {
	const char *field;
	bool passes;
} nearly_framing[] = {
	{ "Transfer_Encoding: chunked", true },
	{ "Transfer.Encoding: chunked", true },
	{ "X-Transfer-Encoding: chunked", true },
	{ "Transfer-Encodings: chunked", true },
	{ "TE: chunked", true },
	{ "Content_Length: 50", true },
	{ "Content-Lengths: 50", true },
	{ "X-A: b Transfer-Encoding: chunked", true },
	{ "Transfer Encoding: chunked", false },
	{ "Transfer-Encoding : chunked", false },
	{ "Transfer-Encoding\t: chunked", false },
	{ "Transfer-Encoding", false },
	{ " Transfer-Encoding: chunked", false },
	{ "\tTransfer-Encoding: chunked", false },
	{ "X-A:\r\n Transfer-Encoding: chunked", false },
	{ "X-A: b\rTransfer-Encoding: chunked", false },
	{ "X-A: b\nTransfer-Encoding: chunked", false },
	{ "X-A: b\n\rTransfer-Encoding: chunked", false },
	{ "X-A: b\r\n\rTransfer-Encoding: chunked", false },
	{ "\x0bTransfer-Encoding: chunked", false },
	{ "\xc2\xa0Transfer-Encoding: chunked", false },
	{ "\"Transfer-Encoding\": chunked", false },
	{ "Transfer-Encoding\x7f: chunked", false },
	{ "Transfer-Encoding\xe2\x80\x8b: chunked", false },
	{ "Content Length: 50", false },
	{ "Content-Length : 50", false },
	{ "Content-Length\x1f: 50", false },
	{ "\rContent-Length: 50", false },
};

Test(request_readings, fields_that_look_like_framing)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < N(nearly_framing); i++) {
		struct peer *client = rig_client(&r);
		struct message request, answer;

		r.context = nearly_framing[i].field;
		peer_printf(client, "POST /odd HTTP/1.1\r\nHost: a\r\n%s\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
			nearly_framing[i].field);
		if (!nearly_framing[i].passes) {
			expect_refusal(&r, client, "POST");
			continue;
		}
		peer_send(rig_request(&r, &request), OK_HI);
		expect_body(&request, "0\r\n\r\n");
		message_read_answer(&answer, client, "POST");
		expect_body(&answer, "hi");
		free_both(&request, &answer);
	}
	rig_expect_upstream_silence(&r, 50);
	rig_end(&r);
}

/* ---- one reading ---- */

#define PART(line, fields, body, as) { line " HTTP/1.1\r\nHost: a\r\n" fields "\r\n" body, line " HTTP/1.1", as }

/* Each arrives as this line with this body, whatever stands before or behind it on the connection. */
static const struct {
	const char *sent;
	const char *line;
	const char *body;
} parts[] = {
	PART("GET /1", "", "", ""),
	PART("GET /2", "Content-Length: 5\r\n", "hello", "hello"),
	PART("GET /3", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"),
	PART("POST /4", "", "", ""),
	PART("POST /5", "Content-Length: 0\r\n", "", ""),
	PART("POST /6", "Content-Length: 26\r\n", "GET /evil HTTP/1.1\r\nHost: ", "GET /evil HTTP/1.1\r\nHost: "),
	PART("POST /7", "Transfer-Encoding: chunked\r\n", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
	PART("POST /8", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", ""),
	PART("POST /9", "Transfer-Encoding: chunked\r\n",
		"1\r\na\r\n01\r\nb\r\n001;x=y\r\nc\r\n000\r\nX-T: GET /evil HTTP/1.1\r\n\r\n",
		"abc"),
	PART("PUT /10", "Content-Length: 00000000000000000002\r\n", "\r\n", "\r\n"),
	PART("DELETE /11", "Content-Length: 5\r\n", "hello", "hello"),
	PART("OPTIONS /12", "Content-Length: 5\r\n", "hello", "hello"),
	PART("OPTIONS *", "", "", ""),
	PART("PATCH /14", "transfer-encoding: Chunked\r\n", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
	PART("TRACE /15", "", "", ""),
	PART("PROPFIND /16", "Content-Length: 4\r\n", "<a/>", "<a/>"),
	PART("M-SEARCH /17", "", "", ""),
	PART("get /18", "", "", ""),
	PART("!#$%&'*+-.^_`|~ /19", "", "", ""),
	PART("X /20", "Content-Length: 5, 5\r\n", "hello", "hello"),
	PART("GET /21?a=b?c&d=//e/../f;g", "", "", ""),
	PART("GET /%2e%2e/%2F%00%ff", "", "", ""),
	PART("GET //a//../b/./", "", "", ""),
	PART("GET /a:b@c", "", "", ""),
	PART("GET /24", "Expect: 100-continue\r\n", "", ""),
	PART("GET /25", "Connection: X-A, Content-Length\r\nX-A: b\r\nContent-Length: 2\r\n", "hi", "hi"),
};

/* The harness fails a request that is not framed in one clear way. */
static void expect_part(struct rig *r, size_t i)
{
	struct message request;
	struct peer *upstream = rig_request(r, &request);

	expect_line(&request, parts[i].line);
	expect_body(&request, parts[i].body);
	peer_printf(upstream, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(parts[i].line), parts[i].line);
	message_free(&request);
}

static void expect_its_answer(struct peer *client, size_t i)
{
	struct message answer;
	char method[32];

	snprintf(method, sizeof(method), "%.*s", (int)strcspn(parts[i].line, " "), parts[i].line);
	message_read_answer(&answer, client, method);
	expect_status(&answer, 200);
	expect_body(&answer, parts[i].line);
	message_free(&answer);
}

/* All of them in one go, then each pair with its like between empty lines, then byte by byte. */
Test(request_readings, one_behind_the_other)
{
	struct rig r;
	struct peer *client;
	struct bytes all = { 0 };

	for (size_t i = 0; i < N(parts); i++)
		bytes_printf(&all, "%s", parts[i].sent);
	rig_start(&r);
	for (int way = 0; way < 3; way++) {
		client = rig_client(&r);
		if (way == 0)
			peer_send(client, all.p);
		for (size_t i = 0; i < N(parts); i++) {
			r.context = parts[i].line;
			if (way == 1)
				peer_printf(client, "\r\n%s", parts[i].sent);
			else if (way == 2)
				peer_send_bytewise(client, parts[i].sent);
			expect_part(&r, i);
			expect_its_answer(client, i);
		}
	}
	rig_expect_upstream_silence(&r, 20);
	bytes_free(&all);
	rig_end(&r);
}

/* Each is whole before something that is refused: its own answer comes first, and nothing behind it gets through. */
Test(request_readings, before_something_refused)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < N(parts); i++) {
		struct peer *client = rig_client(&r);

		r.context = parts[i].line;
		peer_printf(client, "%s@%s", parts[i].sent, GET("/evil"));
		expect_part(&r, i);
		expect_its_answer(client, i);
		expect_refusal(&r, client, "GET");
	}
	rig_expect_upstream_silence(&r, 50);
	rig_end(&r);
}

/* ---- too early an end ---- */

/* True where the upstream has a whole request: its head, and its body to the end. */
static bool has_request(const struct peer *upstream)
{
	const char *end = memmem(bytes_text(&upstream->in), upstream->in.n, "\r\n\r\n", 4);

	if (!end)
		return false;
	if (strstr(upstream->in.p, "\r\nContent-Length: 5\r\n"))
		return strlen(end + 4) >= 5;
	return strcmp(upstream->in.p + upstream->in.n - 4, "\r\n\r\n") == 0 && end + 4 < upstream->in.p + upstream->in.n;
}

/* Whatever reached the upstream was cut before it became a request. */
static void look_at_parts(struct rig *r)
{
	struct peer *upstream;

	while ((upstream = rig_try_accept(r))) {
		while (peer_read(upstream, PATIENCE_MS))
			continue;
		rig_check(r, upstream->ended || upstream->was_reset, "the upstream's connection is still open");
		rig_check(r, !has_request(upstream), "a part became a request");
		upstream->taken = upstream->in.n;
		peer_close(upstream);
	}
}

static void try_prefixes(const char *request, bool reset)
{
	static char context[64];
	struct rig r;

	/* The end of its stream must not spare the look at the request; nor may a connection that got nothing be kept. */
	rig_start_with(&r, "limits: {half_close: true}\nupstreams:\n  default: {url: 'http://@upstream@', keepalive: 0}\n");
	r.context = context;
	for (size_t n = 1; n < strlen(request); n++) {
		struct peer *client = rig_client(&r);

		snprintf(context, sizeof(context), "%zu bytes", n);
		peer_send_n(client, request, n);
		if (reset) {
			peer_reset(client);
		} else {
			peer_shutdown(client);
			while (peer_read(client, PATIENCE_MS))
				continue;
			rig_check(&r, (client->ended || client->was_reset) && !client->in.n, "not just closed");
			peer_close(client);
		}
		look_at_parts(&r);
	}
	sleep_ms(100); /* a reset is answered by nothing that could be waited for */
	look_at_parts(&r);
	rig_expect_upstream_silence(&r, 20);
	rig_end(&r);
}

/* All prefixes of a request, each followed by FIN or RST: none of them is a request. */
Test(request_readings, every_prefix)
{
	static const char *const whole[] = {
		"POST /odd HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
		"POST /odd HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nX-T: t\r\n\r\n",
	};

	for (size_t i = 0; i < 2 * N(whole); i++)
		try_prefixes(whole[i / 2], i % 2);
}

/* ---- trailers ---- */

static const struct {
	const char *trailers;
	bool passes;
} trailers[] = {
	{ "X-T: t\r\n", true },
	{ "X-T:\r\n", true },
	{ "X-T: GET /evil HTTP/1.1\r\n", true },
	{ "Content-Length: 50\r\n", true },
	{ "Transfer-Encoding: chunked\r\n", true },
	{ "Host: evil\r\n", true },
	{ "Connection: close\r\n", true },
	{ "GET /evil HTTP/1.1\r\n", false },
	{ "X-T\r\n", false },
	{ ": t\r\n", false },
	{ " X-T: t\r\n", false },
	{ "X-T : t\r\n", false },
	{ "X-T: t\r\n u\r\n", false },
	{ "X-T: t\n", false },
	{ "X-T: t\r", false },
	{ "X-T: \x01\r\n", false },
	{ "\n", false },
	{ "\r", false },
};

Test(request_readings, of_trailers)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < N(trailers); i++) {
		struct peer *client = rig_client(&r);
		struct message request, answer;

		r.context = trailers[i].trailers;
		peer_send(client, "POST /odd HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
		if (!trailers[i].passes) {
			peer_printf(client, "0\r\n%s\r\n", trailers[i].trailers);
			expect_refusal(&r, client, "POST");
			continue;
		}
		peer_printf(client, "0\r\n%s\r\n" GET("/next"), trailers[i].trailers);
		peer_send(rig_request(&r, &request), OK_HI);
		expect_body(&request, "");
		rig_check(&r, !message_trailer(&request, "host") && !message_trailer(&request, "content-length") &&
			!message_trailer(&request, "transfer-encoding"), "a field that may not be in trailers passed");
		message_read_answer(&answer, client, "POST");
		free_both(&request, &answer);
		peer_send(rig_request(&r, &request), OK_HI);
		expect_line(&request, "GET /next HTTP/1.1");
		message_read_answer(&answer, client, "GET");
		free_both(&request, &answer);
	}
	rig_end(&r);
}

Test(request_readings, too_many_trailers)
{
	static const struct {
		const char *text;
		unsigned n;
	} much[] = { { "X-T: t\r\n", 3000 }, { "a:\r\n", 5000 }, { "vvvvvvvv", 9000 } };
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < N(much); i++) {
		struct peer *client = rig_client(&r);
		struct bytes sent = { 0 };

		r.context = much[i].text;
		bytes_printf(&sent, "POST /odd HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n%s",
			i == 2 ? "X-T: " : "");
		bytes_repeat(&sent, much[i].text, much[i].n);
		peer_try_send(client, sent.p);
		expect_refusal(&r, client, "POST");
		bytes_free(&sent);
	}
	rig_end(&r);
}

/* ---- hosts, and other protocols ---- */

static const struct {
	const char *host;
	bool passes;
} hosts[] = {
	{ "a", true },
	{ "shop.test", true },
	{ "SHOP.TEST:8080", true },
	{ "shop.test.", true },
	{ "shop.test:", true },
	{ "127.0.0.1", true },
	{ "127.0.0.1:65535", true },
	{ "[::1]", true },
	{ "[::1]:80", true },
	{ "[2001:db8::1]:443", true },
	{ "under_score.test", true },
	{ "%41.test", true },
	{ "-", true },
	{ "a:b", false },
	{ "a:80:80", false },
	{ "a:-1", false },
	{ "a:80 ", true },
	{ "a b", false },
	{ "a\tb", false },
	{ "a,b", true },
	{ "a, b", false },
	{ "a/b", false },
	{ "a\\b", false },
	{ "a?b", false },
	{ "a#b", false },
	{ "a@b", false },
	{ "http://a", false },
	{ "[::1", false },
	{ "::1", false },
	{ "[::1]x", false },
	{ "[::1]:x", false },
	{ "[]", false },
	{ "[g::1]", false },
	{ "a[b]", false },
	{ "<a>", false },
	{ "a\"b", false },
	{ "a|b", false },
	{ "a{b}", false },
	{ "%4", false },
	{ "%zz", false },
	{ "\xc3\xa9.test", false },
	{ "a\r\nHost: b", false },
};

Test(request_readings, of_hosts)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < N(hosts); i++) {
		struct peer *client = rig_client(&r);
		struct message request, answer;

		r.context = hosts[i].host;
		peer_printf(client, "GET /odd HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i].host);
		if (!hosts[i].passes) {
			expect_refusal(&r, client, "GET");
			continue;
		}
		peer_send(rig_request(&r, &request), OK_HI);
		message_read_answer(&answer, client, "GET");
		expect_status(&answer, 200);
		free_both(&request, &answer);
	}
	rig_expect_upstream_silence(&r, 20);
	rig_end(&r);
}

static const struct {
	const char *name;
	const char *sent;
	size_t n;
} others[] = {
#define OTHER(name, bytes) { name, bytes, sizeof(bytes) - 1 }
	OTHER("PROXY, version 1", "PROXY TCP4 10.0.0.1 10.0.0.2 1 80\r\n" GET("/evil")),
	OTHER("PROXY, version 2", "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\0\0\1\x0a\0\0\2\0\1\0\x50" GET("/evil")),
	OTHER("SOCKS 4", "\x04\x01\0\x50\x0a\0\0\1\0"),
	OTHER("SOCKS 5", "\x05\x01\0"),
	OTHER("SSH", "SSH-2.0-OpenSSH_9.2\r\n"),
	OTHER("SMTP", "EHLO evil.test\r\n"),
	OTHER("Redis", "*1\r\n$4\r\nPING\r\n"),
	OTHER("RTSP", "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
	OTHER("SIP", "OPTIONS sip:a@b SIP/2.0\r\n\r\n"),
	OTHER("HTTP/0.9", "GET /evil\r\n"),
	OTHER("HTTP/0.9 with a version", "GET /evil HTTP/0.9\r\nHost: a\r\n\r\n"),
	OTHER("an answer", OK_HI),
	OTHER("NUL bytes", "\0\0\0\0"),
};

Test(request_readings, of_other_protocols)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < N(others); i++) {
		struct peer *client = rig_client(&r);

		r.context = others[i].name;
		peer_send_n(client, others[i].sent, others[i].n);
		expect_refusal(&r, client, "GET");
	}
	rig_expect_upstream_silence(&r, 50);
	rig_end(&r);
}
