/*
 * 75 messages: heads and bodies as rules change, break and damage them, byte for byte at the client and at the upstream.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(messages, .timeout = 60);

#define BARE "fault_header: false\nproxy_status: false\n"

/* ---- rewrite ---- */

static const struct {
	const char *what;
	const char *rule; /* of phase response */
	const char *asked;
	const char *answered;
	const char *seen; /* by the client, all of it */
} rewrites[] = {
	{ "a status", "rewrite: {status: 503}", GET("/"),
		"HTTP/1.1 200 Fine\r\nDate: d\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 503 Service Unavailable\r\nDate: d\r\nContent-Length: 2\r\nVia: 1.1 brownout\r\n\r\nhi" },
	{ "fields", "rewrite: {headers: {set: {x-a: '2', x-new: n}, add: {set-cookie: c=3}, remove: [server]}}", GET("/"),
		"HTTP/1.1 200 Fine\r\nDate: d\r\nX-A: 1\r\nServer: s\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nx-a: 0\r\n"
		"Content-Length: 2\r\n\r\nhi",
		"HTTP/1.1 200 Fine\r\nDate: d\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 2\r\nVia: 1.1 brownout\r\n"
		"x-a: 2\r\nx-new: n\r\nset-cookie: c=3\r\n\r\nhi" },
	{ "a body, and what described the old one goes", "rewrite: {body: gone}", GET("/"),
		"HTTP/1.1 200 OK\r\nDate: d\r\nETag: \"e\"\r\nContent-Encoding: gzip\r\nLast-Modified: m\r\nSet-Cookie: a=1\r\n"
		"Set-Cookie: b=2\r\nContent-Type: text/x\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 200 OK\r\nDate: d\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Type: text/x\r\n"
		"Via: 1.1 brownout\r\nContent-Length: 4\r\n\r\ngone" },
	{ "a body in the place of chunks", "rewrite: {status: 500, body: gone}", GET("/"),
		"HTTP/1.1 200 OK\r\nDate: d\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 500 Internal Server Error\r\nDate: d\r\nVia: 1.1 brownout\r\nContent-Length: 4\r\n\r\ngone" },
	{ "a status with content, where none was", "rewrite: {status: 500}", GET("/"),
		"HTTP/1.1 204 No Content\r\nDate: d\r\n\r\n",
		"HTTP/1.1 500 Internal Server Error\r\nDate: d\r\nVia: 1.1 brownout\r\nContent-Length: 0\r\n\r\n" },
	{ "to HEAD", "rewrite: {body: gone}", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
		"HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nDate: d\r\nVia: 1.1 brownout\r\nContent-Length: 4\r\n\r\n" },
};

Test(messages, rewrite)
{
	for (size_t i = 0; i < sizeof(rewrites) / sizeof(rewrites[0]); i++) {
		struct rig r;
		struct peer *client;

		rig_start_with(&r, BARE "rules:\n  - {name: rewritten, phase: response, %s}\n", rewrites[i].rule);
		r.context = rewrites[i].what;
		client = rig_client(&r);
		/* Twice: what came behind the first answer is in order. */
		for (int round = 0; round < 2; round++) {
			struct peer *upstream;

			upstream = rig_reach(&r, client, rewrites[i].asked);
			peer_send(upstream, rewrites[i].answered);
			peer_expect(client, rewrites[i].seen);
		}
		peer_expect_silence(client, 20);
		rig_end(&r);
	}
}

/* ---- request ---- */

Test(messages, request)
{
	struct rig r;
	struct message request;
	struct peer *client, *upstream;

	rig_start_with(&r, BARE "rules:\n  - {name: edited, request: {path: /other, headers: {set: {x-a: '2', host: b.test}, "
		"add: {cookie: c=3}, remove: accept}}}\n");
	client = rig_client(&r);
	for (int round = 0; round < 2; round++) {
		peer_send(client, "POST /shop?x=1 HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nAccept: q\r\nCookie: a=1\r\n"
			"Content-Length: 3\r\n\r\nabc");
		upstream = rig_request(&r, &request);
		expect_line(&request, "POST /other?x=1 HTTP/1.1");
		expect_field(&request, "x-a", "2");
		expect_field(&request, "host", "b.test");
		expect_field(&request, "accept", NULL);
		expect_field(&request, "cookie", "a=1, c=3");
		expect_field(&request, "content-length", "3");
		expect_body(&request, "abc");
		message_free(&request);
		peer_send(upstream, "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 2\r\n\r\nhi");
		peer_expect(client, "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 2\r\nVia: 1.1 brownout\r\n\r\nhi");
	}
	rig_end(&r);
}

/* ---- malformed ---- */

#define ANSWER "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 2\r\n\r\nhi"

static const struct {
	const char *kind;
	const char *seen;
	size_t n;
} malformed[] = {
#define SEEN(text) text, sizeof(text) - 1
	{ "status_line", SEEN("HTTP/1.1 2xx OK\r\nDate: d\r\nContent-Length: 2\r\nVia: 1.1 brownout\r\n"
		"Connection: close\r\n\r\nhi") },
	{ "header", SEEN("HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 2\r\nVia: 1.1 brownout\r\nConnection: close\r\n"
		"X-Brownout-Without-Colon\r\nX-Brownout-Nul: a\0b\r\n\r\nhi") },
	{ "content_length", SEEN("HTTP/1.1 200 OK\r\nDate: d\r\nVia: 1.1 brownout\r\nConnection: close\r\n"
		"Content-Length: many\r\n\r\nhi") },
	{ "early_eof", SEEN("HTTP/1.1 200 OK\r\nDate: d\r\nVia: 1.1 brownout\r\nConnection: close\r\n"
		"Content-Length: 1026\r\n\r\nhi") },
	{ "http09", SEEN("hi") },
};

Test(messages, malformed)
{
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		struct rig r;
		struct peer *client;
		const char *got;

		rig_start_with(&r, BARE "rules:\n  - {name: odd, phase: response, malformed: %s}\n", malformed[i].kind);
		r.context = malformed[i].kind;
		client = rig_client(&r);
		peer_send(rig_reach(&r, client, GET("/")), ANSWER);
		got = peer_take(client, malformed[i].n);
		rig_check(&r, memcmp(got, malformed[i].seen, malformed[i].n) == 0, "other bytes");
		peer_expect_end(client);
		rig_end(&r);
	}
}

Test(messages, malformed_chunk)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, BARE "rules:\n  - {name: odd, phase: response, malformed: chunk}\n");
	client = rig_client(&r);
	peer_send(rig_reach(&r, client, GET("/")), ANSWER);
	peer_expect(client, "HTTP/1.1 200 OK\r\nDate: d\r\nVia: 1.1 brownout\r\nConnection: close\r\n"
		"Transfer-Encoding: chunked\r\n\r\n");
	/* Whatever chunks come before it, the line that is none comes, and then the end. */
	while (!strstr(peer_rest(client), "many\r\n"))
		rig_check(&r, peer_read(client, 5000), "no bad chunk came");
	(void)peer_take(client, peer_rest_n(client));
	peer_expect_end(client);
	rig_end(&r);
}

/* ---- corrupt ---- */

enum { CORRUPT_CONTENT = 1000 };

static void fetch_corrupted(struct rig *r, struct peer *client, const char *content, struct message *answer)
{
	struct message request;
	struct peer *upstream;

	peer_send(client, GET("/"));
	upstream = rig_request(r, &request);
	peer_printf(upstream, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", CORRUPT_CONTENT);
	peer_send_pieces(upstream, content, 333);
	message_read_answer(answer, client, "GET");
	message_free(&request);
}

Test(messages, corrupt)
{
	char content[CORRUPT_CONTENT + 1];
	char first[CORRUPT_CONTENT];

	memset(content, 'x', CORRUPT_CONTENT);
	content[CORRUPT_CONTENT] = '\0';
	/* The same seed damages the same bytes. */
	for (int run = 0; run < 2; run++) {
		struct rig r;
		struct message answer;
		struct peer *client;
		unsigned changed = 0;

		rig_start_with(&r, "seed: 7\nrules:\n  - {name: noisy, phase: response, corrupt: 3}\n");
		client = rig_client(&r);
		fetch_corrupted(&r, client, content, &answer);
		rig_check(&r, answer.body.n == CORRUPT_CONTENT, "%zu bytes", answer.body.n);
		for (size_t i = 0; i < CORRUPT_CONTENT; i++)
			changed += answer.body.p[i] != 'x';
		rig_check(&r, changed == 3, "%u bytes are changed", changed);
		if (run == 0)
			memcpy(first, answer.body.p, CORRUPT_CONTENT);
		else
			rig_check(&r, memcmp(first, answer.body.p, CORRUPT_CONTENT) == 0, "other bytes than before");
		message_free(&answer);
		rig_end(&r);
	}
}
