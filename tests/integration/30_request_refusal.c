/*
 * 30 refusal: requests that must not be served get their status and a closed connection, however they are split, and no
 * byte of them reaches the upstream (RFC 9112 sections 2, 3, 5, 6; RFC 9110 sections 5, 7, 10).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(request_refusal, .timeout = 60);

#define HEAD_OF(fields) "POST /refused HTTP/1.1\r\nHost: a\r\n" fields "\r\n\r\n"

struct refusal {
	const char *name;
	const char *sent;
	size_t n;
	unsigned status;
};
#define REFUSED(name, sent, status)                                                                                             \
	{                                                                                                                       \
		name, sent, sizeof(sent) - 1, status                                                                            \
	}

static const struct refusal refusals[] = {
	/* lines, RFC 9112 section 2.2 */
	REFUSED("bare LF in the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
	REFUSED("bare LF in a field line", "GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n", 400),
	REFUSED("bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
	REFUSED("bare CR in the request line", "GET /\ra HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n", 400),
	REFUSED("bare CR as a line end", "GET / HTTP/1.1\rHost: a\r\r", 400),
	REFUSED("white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
	REFUSED("tab before the first field", "GET / HTTP/1.1\r\n\tX-A: b\r\nHost: a\r\n\r\n", 400),
	/* request line, section 3 */
	REFUSED("no version", "GET /\r\nHost: a\r\n\r\n", 400),
	REFUSED("two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
	REFUSED("space at the start", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("method with a forbidden byte", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("method with a colon", "GET: / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("version in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("version without minor", "GET / HTTP/1\r\nHost: a\r\n\r\n", 400),
	REFUSED("version with two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
	REFUSED("version with letters", "GET / HTTP/1.x\r\nHost: a\r\n\r\n", 400),
	REFUSED("another protocol", "GET / ICAP/1.0\r\nHost: a\r\n\r\n", 400),
	REFUSED("TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 / HTTP/1.1\r\n\r\n", 400),
	REFUSED("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
	REFUSED("HTTP/3.1", "GET / HTTP/3.1\r\nHost: a\r\n\r\n", 505),
	REFUSED("preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
	REFUSED("long unknown method", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
	/* target, section 3.2 */
	REFUSED("relative target", "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("asterisk with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("control byte in the target", "GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("DEL in the target", "GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("absolute form without host", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("absolute form with user", "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("authority form with GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
	REFUSED("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
	/* Host, section 3.2 */
	REFUSED("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
	REFUSED("no Host but absolute form", "GET http://a/ HTTP/1.1\r\n\r\n", 400),
	REFUSED("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
	REFUSED("the same Host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400),
	REFUSED("Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
	REFUSED("Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
	REFUSED("Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
	REFUSED("Host as a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
	REFUSED("Host with a bad port", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", 400),
	REFUSED("Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
	/* fields, section 5 and RFC 9110 section 5.5 */
	REFUSED("space before the colon", HEAD_OF("X-A : b"), 400),
	REFUSED("tab before the colon", HEAD_OF("X-A\t: b"), 400),
	REFUSED("space before the colon of Content-Length", HEAD_OF("Content-Length : 0"), 400),
	REFUSED("no colon", HEAD_OF("X-A b"), 400),
	REFUSED("no name", HEAD_OF(": b"), 400),
	REFUSED("space in a name", HEAD_OF("X A: b"), 400),
	REFUSED("obs-text in a name", HEAD_OF("X-\xe9: b"), 400),
	REFUSED("NUL in a name", HEAD_OF("X-\0: b"), 400),
	REFUSED("NUL in a value", HEAD_OF("X-A: b\0c"), 400),
	REFUSED("control byte in a value", HEAD_OF("X-A: b\x01"), 400),
	REFUSED("DEL in a value", HEAD_OF("X-A: b\x7f"), 400),
	REFUSED("folded line", HEAD_OF("X-A: b\r\n c"), 400),
	REFUSED("folded line of a tab", HEAD_OF("X-A: b\r\n\tc"), 400),
	REFUSED("empty folded line", HEAD_OF("X-A: b\r\n "), 400),
	/* Content-Length, section 6.3 */
	REFUSED("length in letters", HEAD_OF("Content-Length: abc"), 400),
	REFUSED("length below 0", HEAD_OF("Content-Length: -1"), 400),
	REFUSED("length with a plus", HEAD_OF("Content-Length: +1"), 400),
	REFUSED("length in hexadecimal", HEAD_OF("Content-Length: 0x10"), 400),
	REFUSED("length with a fraction", HEAD_OF("Content-Length: 1.0"), 400),
	REFUSED("length of two numbers", HEAD_OF("Content-Length: 1 2"), 400),
	REFUSED("empty length", HEAD_OF("Content-Length:"), 400),
	REFUSED("length with an underscore", HEAD_OF("Content-Length: 1_0"), 400),
	REFUSED("length over 64 bits", HEAD_OF("Content-Length: 18446744073709551616"), 400),
	REFUSED("length of 40 digits", HEAD_OF("Content-Length: 1000000000000000000000000000000000000000"), 400),
	REFUSED("different lengths", HEAD_OF("Content-Length: 1\r\nContent-Length: 2"), 400),
	REFUSED("different lengths in a list", HEAD_OF("Content-Length: 1, 2"), 400),
	REFUSED("length and an empty one", HEAD_OF("Content-Length: 0\r\nContent-Length:"), 400),
	/* Transfer-Encoding, sections 6.1 and 6.3 */
	REFUSED("coding and length", HEAD_OF("Transfer-Encoding: chunked\r\nContent-Length: 3") "0\r\n\r\n", 400),
	REFUSED("length and coding", HEAD_OF("Content-Length: 5\r\nTransfer-Encoding: chunked") "0\r\n\r\n", 400),
	REFUSED("chunked not last", HEAD_OF("Transfer-Encoding: chunked, gzip") "0\r\n\r\n", 400),
	REFUSED("chunked twice", HEAD_OF("Transfer-Encoding: chunked, chunked") "0\r\n\r\n", 400),
	REFUSED("chunked in two lines", HEAD_OF("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked") "0\r\n\r\n", 400),
	REFUSED("no chunked", HEAD_OF("Transfer-Encoding: gzip"), 400),
	REFUSED("identity", HEAD_OF("Transfer-Encoding: identity"), 400),
	REFUSED("nearly chunked", HEAD_OF("Transfer-Encoding: xchunked") "0\r\n\r\n", 400),
	REFUSED("quoted chunked", HEAD_OF("Transfer-Encoding: \"chunked\"") "0\r\n\r\n", 400),
	REFUSED("vertical tab before chunked", HEAD_OF("Transfer-Encoding: \x0b" "chunked") "0\r\n\r\n", 400),
	REFUSED("empty coding", HEAD_OF("Transfer-Encoding:"), 400),
	REFUSED("coding that is not known", HEAD_OF("Transfer-Encoding: gzip, chunked") "0\r\n\r\n", 501),
	REFUSED("coding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
	/* Expect, RFC 9110 section 10.1.1 */
	REFUSED("unknown expectation", HEAD_OF("Content-Length: 2\r\nExpect: 200-ok") "hi", 417),
};
#define N_REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

/* What the client must see after what it sent. */
static void expect_refusal(struct peer *client, unsigned status)
{
	struct message answer;

	message_read_answer(&answer, client, "GET");
	expect_status(&answer, status);
	expect_field(&answer, "connection", "close");
	rig_check(client->rig, message_field(&answer, "date"), "a 4xx without Date");
	rig_check(client->rig, answer.framing == MESSAGE_LENGTH, "the refusal has no length");
	peer_expect_fin(client);
	message_free(&answer);
}

Test(request_refusal, at_once)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < N_REFUSALS; i++) {
		struct peer *client = rig_client(&r);

		r.context = refusals[i].name;
		peer_send_n(client, refusals[i].sent, refusals[i].n);
		expect_refusal(client, refusals[i].status);
		rig_check(&r, r.n_accepted == 0, "the upstream got a connection");
	}
	rig_expect_upstream_silence(&r, 100);
	rig_end(&r);
}

/* The connection may close before the last byte: what matters is the status. */
Test(request_refusal, byte_by_byte)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < N_REFUSALS; i++) {
		struct peer *client = rig_client(&r);

		r.context = refusals[i].name;
		for (size_t j = 0; j < refusals[i].n && !client->ended && !peer_rest_n(client); j++) {
			char one[2] = { refusals[i].sent[j], 0 };

			if (one[0])
				peer_try_send(client, one);
			else
				peer_send_n(client, one, 1);
			peer_read(client, 0);
		}
		expect_refusal(client, refusals[i].status);
	}
	rig_expect_upstream_silence(&r, 100);
	rig_end(&r);
}

Test(request_refusal, after_a_good_request)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < N_REFUSALS; i++) {
		struct peer *client = rig_client(&r);
		struct message request, answer;

		r.context = refusals[i].name;
		/* Pipelined: the good one is answered, the bad one refused behind it. A leading CRLF would be allowed there. */
		peer_send(client, GET("/good"));
		peer_send_n(client, refusals[i].sent, refusals[i].n);
		peer_send(rig_request(&r, &request), OK_HI);
		rig_check(&r, strcmp(request.target, "/good") == 0, "the upstream got %s", request.target);
		message_read_answer(&answer, client, "GET");
		expect_body(&answer, "hi");
		expect_refusal(client, refusals[i].status);
		message_free(&request);
		message_free(&answer);
	}
	rig_expect_upstream_silence(&r, 100);
	rig_end(&r);
}

/* RFC 9110 section 9.3.2: whatever the answer is, it has no content; what it would have is said. */
Test(request_refusal, of_head_has_no_content)
{
	static const char *const sent[] = { "HEAD / HTTP/1.1\r\n\r\n", "HEAD /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
		"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n" };
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		struct peer *client = rig_client(&r);
		struct message answer;

		r.context = sent[i];
		peer_send(client, sent[i]);
		message_read_answer_head(&answer, client, "HEAD");
		expect_status(&answer, 400);
		rig_check(&r, strtol(message_list(&answer, "content-length"), NULL, 10) > 0, "no length");
		peer_expect_fin(client);
		message_free(&answer);
	}
	rig_end(&r);
}

Test(request_refusal, what_follows_is_not_read_as_a_request)
{
	struct rig r;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client,
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET("/smuggled"));
	expect_refusal(client, 400);
	rig_expect_upstream_silence(&r, 100);
	rig_end(&r);
}

/* RFC 9112 section 9.6: the status must not be lost in a reset because unread bytes were on their way. */
Test(request_refusal, is_seen_by_a_client_that_goes_on_sending)
{
	struct rig r;
	struct peer *client;
	char block[65536];

	rig_start(&r);
	memset(block, 'x', sizeof(block));
	client = rig_client(&r);
	peer_send(client, "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1048576\r\n\r\n");
	for (int i = 0; i < 16; i++)
		peer_send_n(client, block, sizeof(block));
	expect_refusal(client, 400);
	rig_expect_upstream_silence(&r, 50);
	rig_end(&r);
}

/* The head was good, so that the upstream may have seen it; the body is broken. */
static const struct refusal broken_bodies[] = {
	REFUSED("chunk size is no number", "xyz\r\nabc\r\n0\r\n\r\n", 400),
	REFUSED("empty chunk size", "\r\nabc\r\n0\r\n\r\n", 400),
	REFUSED("chunk size below 0", "-1\r\na\r\n0\r\n\r\n", 400),
	REFUSED("chunk size with 0x", "0x3\r\nabc\r\n0\r\n\r\n", 400),
	REFUSED("chunk size with a plus", "+3\r\nabc\r\n0\r\n\r\n", 400),
	REFUSED("chunk size over 64 bits", "10000000000000003\r\nabc\r\n0\r\n\r\n", 400),
	REFUSED("space before the chunk size", " 3\r\nabc\r\n0\r\n\r\n", 400),
	REFUSED("bare LF behind the size", "3\nabc\r\n0\r\n\r\n", 400),
	REFUSED("bare CR behind the size", "3\rabc\r\n0\r\n\r\n", 400),
	REFUSED("chunk longer than its size", "3\r\nabcd\r\n0\r\n\r\n", 400),
	REFUSED("chunk without its CRLF", "3\r\nabc0\r\n\r\n", 400),
	REFUSED("chunk with a bare LF behind", "3\r\nabc\n0\r\n\r\n", 400),
	REFUSED("bare LF in an extension", "3;a\nb\r\nabc\r\n0\r\n\r\n", 400),
	REFUSED("NUL in an extension", "3;a\0b\r\nabc\r\n0\r\n\r\n", 400),
	REFUSED("trailer without a colon", "3\r\nabc\r\n0\r\nX-T\r\n\r\n", 400),
	REFUSED("trailer with a bare LF", "3\r\nabc\r\n0\r\nX-T: 1\n\r\n", 400),
	REFUSED("folded trailer", "3\r\nabc\r\n0\r\nX-T: 1\r\n 2\r\n\r\n", 400),
	REFUSED("space before the colon of a trailer", "3\r\nabc\r\n0\r\nX-T : 1\r\n\r\n", 400),
};

Test(request_refusal, broken_chunked_bodies)
{
	static const char head[] = "POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < sizeof(broken_bodies) / sizeof(broken_bodies[0]); i++) {
		struct peer *client = rig_client(&r);

		r.context = broken_bodies[i].name;
		peer_send(client, head);
		peer_send_n(client, broken_bodies[i].sent, broken_bodies[i].n);
		peer_try_send(client, GET("/smuggled"));
		expect_refusal(client, broken_bodies[i].status);
		/* Whatever the upstream got of it, it was cut before its end: no last chunk, then a close. */
		while (r.n_accepted) {
			struct peer *upstream = r.peers[r.n_peers - 1];

			if (upstream->name[0] != 'u' || upstream->ended || upstream->was_reset)
				break;
			peer_read(upstream, 100);
		}
	}
	for (unsigned i = 0; i < r.n_peers; i++)
		rig_check(&r, r.peers[i]->name[0] != 'u' || !strstr(bytes_text(&r.peers[i]->in), "0\r\n\r\n"),
			"a whole body went out");
	rig_end(&r);
}

Test(request_refusal, broken_body_is_cut_at_the_upstream)
{
	struct rig r;
	struct message request;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, "POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	upstream = rig_request_head(&r, &request);
	peer_expect(upstream, "3\r\nabc\r\n");
	peer_send(client, "zz\r\n");
	peer_expect_end(upstream);
	expect_refusal(client, 400);
	message_free(&request);
	rig_end(&r);
}

Test(request_refusal, too_many_chunk_extensions)
{
	struct rig r;
	struct peer *client;
	struct message answer;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 4000; i++)
		peer_try_send(client, "1;abcdefghij=klmnopqrst\r\na\r\n");
	message_read_answer(&answer, client, "POST");
	expect_status(&answer, 400);
	peer_expect_end(client);
	message_free(&answer);
	rig_end(&r);
}

Test(request_refusal, slow_head_is_cut_in_time)
{
	struct rig r;
	struct peer *client;
	struct message answer;
	long long since_ms;

	rig_start_with(&r, "limits: {header_timeout: 300ms}\n");
	client = rig_client(&r);
	since_ms = now_ms();
	/* Each byte comes in good time: the head as a whole does not. */
	for (int i = 0; i < 8 && !peer_rest_n(client) && !client->ended; i++) {
		peer_try_send(client, i == 0 ? "GET / HTTP/1.1\r\nX-A: " : "x");
		peer_read(client, 50);
	}
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 408);
	peer_expect_fin(client);
	rig_check(&r, now_ms() - since_ms >= 295, "cut after %lld ms", now_ms() - since_ms);
	rig_expect_upstream_silence(&r, 20);
	message_free(&answer);
	rig_end(&r);
}

Test(request_refusal, slow_body_is_cut_in_time)
{
	struct rig r;
	struct peer *client, *upstream;
	struct message request, answer;
	long long since_ms;

	rig_start_with(&r, "limits: {body_timeout: 300ms}\n");
	client = rig_client(&r);
	since_ms = now_ms();
	peer_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n");
	upstream = rig_request_head(&r, &request);
	/* Each byte comes in good time: the body as a whole does not. */
	for (int i = 0; i < 20 && !peer_rest_n(client) && !client->ended; i++) {
		peer_try_send(client, "x");
		peer_read(client, 50);
	}
	message_read_answer(&answer, client, "POST");
	expect_status(&answer, 408);
	peer_expect_fin(client);
	rig_check(&r, now_ms() - since_ms >= 295, "cut after %lld ms", now_ms() - since_ms);
	/* Nor is what came of it taken for a whole one. */
	while (!upstream->ended && !upstream->was_reset)
		rig_check(&r, peer_read(upstream, PATIENCE_MS), "the upstream's connection is still open");
	rig_check(&r, peer_rest_n(upstream) < 20, "the upstream got all of it");
	expect_log(&r, 0, "close", "client_timeout");
	free_both(&request, &answer);
	rig_end(&r);
}

/* Its time is its sender's: what rules take of it does not count. */
Test(request_refusal, slow_body_is_not_cut_where_a_rule_slows_it)
{
	static const struct {
		const char *rule;
		int rest_after_ms;
	} rows[] = { { "delay: 700ms", 50 }, { "throttle: {upload: 1KiB/s}", 700 } };

	for (unsigned i = 0; i < 2; i++) {
		struct peer *client, *upstream;
		struct message request, answer;
		struct rig r;

		rig_start_with(&r, "limits: {body_timeout: 600ms}\nrules: [{%s}]\n", rows[i].rule);
		r.context = rows[i].rule;
		client = rig_client(&r);
		peer_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n12");
		upstream = rig_request_head(&r, &request);
		sleep_ms(rows[i].rest_after_ms);
		peer_send(client, "34");
		peer_expect(upstream, "1234");
		peer_send(upstream, OK_HI);
		message_read_answer(&answer, client, "POST");
		expect_status(&answer, 200);
		free_both(&request, &answer);
		rig_end(&r);
	}
}

/* A connection on which nothing was said is closed without an answer: there is no request to answer. */
Test(request_refusal, idle_connection_is_closed_in_time)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	long long since_ms;

	rig_start_with(&r, "limits: {idle_timeout: 300ms}\n");
	client = rig_client(&r);
	/* Not counted from where the answer came: this side may be held up between that and a look at the clock. */
	since_ms = now_ms();
	rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
	peer_expect_fin(client);
	rig_check(&r, now_ms() - since_ms >= 300, "closed after %lld ms", now_ms() - since_ms);
	message_free(&request);
	message_free(&answer);
	rig_end(&r);
}

Test(request_refusal, is_logged_with_its_reason)
{
	struct rig r;
	struct peer *client;
	const char *line;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
	expect_refusal(client, 400);
	line = rig_log_line(&r, 0);
	rig_check(&r, strcmp(rig_log_value(line, "status"), "400") == 0, "status in %s", line);
	rig_check(&r, strcmp(rig_log_value(line, "close"), "bad_request") == 0, "close in %s", line);
	rig_check(&r, rig_log_value(line, "reject"), "no reason in %s", line);
	rig_check(&r, !rig_log_value(line, "upstream_status"), "an upstream in %s", line);
	rig_end(&r);
}

/* Whoever is too slow has not sent anything malformed; nor has one whom a rule answers as if it were. */
Test(request_refusal, who_is_too_slow_is_logged_as_that)
{
	static const char *const requests[] = {
		"GET / HTTP/1.1\r\nHost: a\r\nX-A: ",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
		"GET /408 HTTP/1.1\r\nHost: a\r\n\r\n",
	};
	static const char *const closes[] = { "client_timeout", "client_timeout", "complete" };
	struct message answer;
	struct rig r;

	rig_start_with(&r, "limits: {header_timeout: 300ms, idle_timeout: 300ms}\nrules: [{match: {path: /408}, abort: 408}]\n");
	for (unsigned i = 0; i < 3; i++) {
		struct peer *client = rig_client(&r);

		peer_send(client, requests[i]);
		message_read_answer(&answer, client, "GET");
		expect_status(&answer, 408);
		message_free(&answer);
		expect_log(&r, i, "close", closes[i]);
		rig_check(&r, !rig_log_value(rig_log_line(&r, i), "reject"), "a reason in line %u", i);
	}
	rig_end(&r);
}

/* The status of the answer is out already: what was wrong with the rest of the request is for the log. */
Test(request_refusal, of_the_rest_after_the_answer_is_logged_with_its_reason)
{
	struct message request, answer;
	struct peer *client, *upstream;
	struct rig r;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	upstream = rig_request_head(&r, &request);
	peer_send(upstream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
	message_read_answer_head(&answer, client, "POST");
	expect_status(&answer, 200);
	peer_try_send(client, "zz\r\n");
	peer_expect(client, "hello");
	peer_expect_end(client);
	expect_log(&r, 0, "close", "bad_request");
	expect_log(&r, 0, "reject", "chunk_size");
	free_both(&request, &answer);
	rig_end(&r);
}
