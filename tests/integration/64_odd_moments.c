/*
 * 64 odd moments: what an upstream sends when it should not (behind its answer, on an idle connection, before the request has
 * ended), and what it does not send in time. Nothing out of turn becomes anybody's answer.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/odd.h"

TestSuite(odd_moments, .timeout = 120);

#define EVIL "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

static void expect_usable(struct rig *r, struct peer *client, const struct peer *spent)
{
	struct message request, answer;
	struct peer *upstream = rig_exchange(r, client, GET("/next"), OK_HI, &request, &answer);

	rig_check(r, strcmp(request.target, "/next") == 0, "the upstream got %s", request.target);
	rig_check(r, upstream != spent, "that connection was used again");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
}

/* ---- on a connection that waits for its next request ---- */

static const struct {
	const char *name;
	const char *sent;
	size_t n;
	enum odd_end end;
} out_of_turn[] = {
	{ "an answer", ODD_BYTES(EVIL), ODD_STAYS },
	{ "an answer, then FIN", ODD_BYTES(EVIL), ODD_FIN },
	{ "408, then FIN", ODD_BYTES("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
		ODD_FIN },
	{ "an interim answer", ODD_BYTES("HTTP/1.1 100 Continue\r\n\r\n"), ODD_STAYS },
	{ "half an answer", ODD_BYTES("HTTP/1.1 200 OK\r\nX-A: "), ODD_STAYS },
	{ "an empty line", ODD_BYTES("\r\n"), ODD_STAYS },
	{ "one byte", ODD_BYTES("H"), ODD_STAYS },
	{ "NUL", ODD_BYTES("\0"), ODD_STAYS },
	{ "a last chunk", ODD_BYTES("0\r\n\r\n"), ODD_STAYS },
	{ "TLS alert", ODD_BYTES("\x15\x03\x03\0\x02\x01\0"), ODD_STAYS },
	{ "an answer, then RST", ODD_BYTES(EVIL), ODD_RST },
	{ "FIN", ODD_BYTES(""), ODD_FIN },
	{ "RST", ODD_BYTES(""), ODD_RST },
};
#define N_OUT_OF_TURN (sizeof(out_of_turn) / sizeof(out_of_turn[0]))

static void send_out_of_turn(struct peer *upstream, size_t i)
{
	peer_send_n(upstream, out_of_turn[i].sent, out_of_turn[i].n);
	odd_end(upstream, out_of_turn[i].end);
}

/* A kept connection: the only idle one. */
static struct peer *keep_one(struct rig *r, struct peer *client)
{
	struct message request, answer;
	struct peer *upstream = rig_exchange(r, client, GET("/first"), OK_HI, &request, &answer);

	free_both(&request, &answer);
	return upstream;
}

Test(odd_moments, idle_connection_that_speaks_is_closed)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < N_OUT_OF_TURN; i++) {
		struct peer *client = rig_client(&r);
		struct peer *upstream = keep_one(&r, client);

		r.context = out_of_turn[i].name;
		send_out_of_turn(upstream, i);
		if (upstream->fd >= 0)
			peer_expect_end(upstream);
		else
			sleep_ms(20);
		expect_usable(&r, client, upstream);
	}
	rig_end(&r);
}

/* The program, held meanwhile, finds both at once. */
Test(odd_moments, idle_connection_that_speaks_as_the_request_comes)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < 2 * N_OUT_OF_TURN; i++) {
		struct peer *client = rig_client(&r);
		struct peer *upstream = keep_one(&r, client);
		struct message request, answer;

		r.context = out_of_turn[i / 2].name;
		program_stop(&r.program);
		if (i % 2)
			peer_send(client, GET("/next"));
		send_out_of_turn(upstream, i / 2);
		if (i % 2 == 0)
			peer_send(client, GET("/next"));
		program_signal(&r.program, SIGCONT);
		rig_check(&r, rig_request(&r, &request) != upstream, "that connection was used again");
		peer_send(request.peer, OK_HI);
		message_read_answer(&answer, client, "GET");
		expect_body(&answer, "hi");
		free_both(&request, &answer);
	}
	rig_expect_upstream_silence(&r, 20);
	rig_end(&r);
}

/* An answer to HEAD whose content comes all the same, but late. */
Test(odd_moments, content_behind_an_answer_to_head)
{
	struct rig r;

	rig_start(&r);
	for (int i = 0; i < 3; i++) {
		struct peer *client = rig_client(&r);
		struct message request, answer;
		struct peer *upstream;

		r.context = i == 0 ? "later" : i == 1 ? "as the next request comes" : "within the head's segment";
		peer_send(client, "HEAD /odd HTTP/1.1\r\nHost: a\r\n\r\n");
		upstream = rig_request(&r, &request);
		peer_printf(upstream, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(EVIL), i == 2 ? EVIL : "");
		message_read_answer(&answer, client, "HEAD");
		if (i == 1)
			program_stop(&r.program);
		if (i < 2)
			peer_send(upstream, EVIL);
		if (i == 1) {
			peer_send(client, GET("/next"));
			program_signal(&r.program, SIGCONT);
			free_both(&request, &answer);
			rig_check(&r, rig_request(&r, &request) != upstream, "that connection was used again");
			peer_send(request.peer, OK_HI);
			message_read_answer(&answer, client, "GET");
			expect_body(&answer, "hi");
		} else {
			peer_expect_end(upstream);
			expect_usable(&r, client, upstream);
		}
		free_both(&request, &answer);
	}
	rig_end(&r);
}

/* Two requests in one go; the first one's answer brings another: that must not become the second one's. */
Test(odd_moments, two_answers_for_one_of_two_requests)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, GET("/1") GET("/2"));
	upstream = rig_request(&r, &request);
	rig_check(&r, strcmp(request.target, "/1") == 0, "the upstream got %s", request.target);
	message_free(&request);
	peer_send(upstream, OK_HI EVIL);
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	message_free(&answer);
	rig_check(&r, rig_request(&r, &request) != upstream, "that connection was used again");
	rig_check(&r, strcmp(request.target, "/2") == 0, "the upstream got %s", request.target);
	peer_send(request.peer, OK_HI);
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

/* ---- before the request has ended ---- */

#define UPLOAD(n) "POST /odd HTTP/1.1\r\nHost: a\r\nContent-Length: " n "\r\n\r\n"
#define UPLOAD_CHUNKED "POST /odd HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
#define BUSY_CLOSE "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbusy"
#define BUSY_CHUNKED "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n"
#define BUSY_TO_END "HTTP/1.1 503 Busy\r\n\r\nbusy"

static const struct {
	const char *name;
	const char *begun; /* sent by the client before the answer */
	const char *answer;
	enum odd_end end;
	const char *rest; /* sent by the client behind the answer: what looks like a request is none */
} early[] = {
	{ "short body", UPLOAD("44"), BUSY, ODD_STAYS, "POST /evil HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" },
	{ "begun body", UPLOAD("46") "xx", BUSY, ODD_STAYS, "POST /evil HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" },
	{ "short body, close", UPLOAD("10") "01234", BUSY_CLOSE, ODD_STAYS, "56789" },
	{ "short body, FIN", UPLOAD("10") "01234", BUSY, ODD_FIN, "56789" },
	{ "short body, RST", UPLOAD("10") "01234", BUSY, ODD_RST, "56789" },
	{ "short body, chunked answer", UPLOAD("10") "01234", BUSY_CHUNKED, ODD_STAYS, "56789" },
	{ "short body, answer until close", UPLOAD("10") "01234", BUSY_TO_END, ODD_FIN, "56789" },
	{ "long body", UPLOAD("10000000"), BUSY, ODD_STAYS, GET("/evil") },
	{ "long body, close", UPLOAD("10000000"), BUSY_CLOSE, ODD_FIN, GET("/evil") },
	{ "long body, RST", UPLOAD("10000000"), BUSY_CLOSE, ODD_RST, GET("/evil") },
	{ "chunked body", UPLOAD_CHUNKED, BUSY, ODD_STAYS, "5\r\nhello\r\n0\r\n\r\n" },
	{ "begun chunk", UPLOAD_CHUNKED "ff\r\nhe", BUSY, ODD_STAYS, GET("/evil") },
	{ "begun chunk, RST", UPLOAD_CHUNKED "ff\r\nhe", BUSY_CLOSE, ODD_RST, GET("/evil") },
	{ "begun last chunk", UPLOAD_CHUNKED "5\r\nhello\r\n0\r\n", BUSY, ODD_STAYS, "\r\n" },
	{ "begun trailer", UPLOAD_CHUNKED "5\r\nhello\r\n0\r\nX-A: b", BUSY, ODD_STAYS, "\r\n\r\n" },
	{ "body that is not sent", UPLOAD("10"), BUSY, ODD_STAYS, "" },
};

/* The client gets the answer whole, what it sends of the body later is nobody's request, and its next one is served. */
Test(odd_moments, early_answers)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
		struct peer *client = rig_client(&r);
		struct message request, answer;
		struct peer *upstream;

		r.context = early[i].name;
		peer_send(client, early[i].begun);
		upstream = rig_request_head(&r, &request);
		peer_read(upstream, 20);
		upstream->taken = upstream->in.n;
		peer_send(upstream, early[i].answer);
		odd_end(upstream, early[i].end);
		message_read_answer(&answer, client, "POST");
		expect_status(&answer, 503);
		expect_body(&answer, "busy");
		peer_try_send(client, early[i].rest);
		if (strcmp(message_list(&answer, "connection"), "close") == 0) {
			peer_shutdown(client);
			peer_expect_end(client);
			client = rig_client(&r);
		}
		expect_usable(&r, client, upstream);
		free_both(&request, &answer);
		/* What was passed on of the body may have reached it. */
		if (upstream->fd >= 0) {
			while (peer_read(upstream, PATIENCE_MS))
				continue;
			rig_check(&r, upstream->ended || upstream->was_reset, "that connection is still open");
			upstream->taken = upstream->in.n;
		}
	}
	rig_end(&r);
}

/*
 * An answer whose end is that of its connection, which is reset while a body still goes the other way: the write that fails takes
 * the reset with it, and what is read then looks like an end.
 */
Test(odd_moments, reset_that_a_write_has_swallowed)
{
	struct rig r;

	rig_start(&r);
	for (int i = 0; i < 10; i++) {
		struct peer *client = rig_client(&r);
		struct message request, answer;
		struct peer *upstream;

		peer_send(client, UPLOAD("100000") "begun");
		upstream = rig_request_head(&r, &request);
		peer_send(upstream, "HTTP/1.1 200 OK\r\n\r\nabc");
		message_read_answer_head(&answer, client, "POST");
		peer_expect(client, "3\r\nabc\r\n");
		program_stop(&r.program);
		peer_send(client, "goes on");
		upstream->taken = upstream->in.n;
		peer_reset(upstream);
		program_signal(&r.program, SIGCONT);
		while (peer_read(client, PATIENCE_MS))
			continue;
		rig_check(&r, client->ended || client->was_reset, "the client's connection is still open");
		rig_check(&r, !peer_rest_n(client), "the client got a last chunk");
		free_both(&request, &answer);
	}
	rig_end(&r);
}

/* Both directions are full: the upstream does not read on until its answer is taken, the client until its body is. */
Test(odd_moments, large_answer_while_a_large_body_is_stuck)
{
	enum { TOTAL = 16 * 1024 * 1024 };
	static char block[65536];
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;
	size_t sent = 0;

	rig_start(&r);
	memset(block, 'x', sizeof(block));
	client = rig_client(&r);
	peer_send(client, UPLOAD("100000000"));
	upstream = rig_request_head(&r, &request);
	for (int i = 0; i < 200; i++)
		peer_try_send_now(client, block, sizeof(block));
	peer_printf(upstream, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", TOTAL);
	message_read_answer_head(&answer, client, "POST");
	while (peer_rest_n(client) < TOTAL) {
		if (sent < TOTAL)
			sent += peer_try_send_now(upstream, block, sizeof(block));
		rig_check(&r, peer_read(client, PATIENCE_MS), "stuck at %zu of %d", peer_rest_n(client), TOTAL);
	}
	client->taken = client->in.n;
	free_both(&request, &answer);
	rig_end(&r);
}

#define EXPECTING "PUT /odd HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"

static const struct {
	const char *name;
	const char *sent;
	enum odd_end end;
	unsigned status;
} not_continued[] = {
	{ "FIN", "", ODD_FIN, 502 },
	{ "RST", "", ODD_RST, 502 },
	{ "half a 100", "HTTP/1.1 100 Conti", ODD_FIN, 502 },
	{ "garbage", "what?\r\n", ODD_STAYS, 502 },
	{ "417", "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", ODD_STAYS, 417 },
	{ "401, then FIN", "HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", ODD_FIN, 401 },
	{ "413, then RST", "HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", ODD_RST, 413 },
	{ "answer until close", "HTTP/1.1 403 No\r\n\r\nno", ODD_FIN, 403 },
};

/* The client waits for 100, and something else comes: it is told so, and its body is asked for by nobody. */
Test(odd_moments, instead_of_100)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < sizeof(not_continued) / sizeof(not_continued[0]); i++) {
		struct peer *client = rig_client(&r);
		struct message request, answer;
		struct peer *upstream;

		r.context = not_continued[i].name;
		peer_send(client, EXPECTING);
		upstream = rig_request_head(&r, &request);
		peer_send(upstream, not_continued[i].sent);
		odd_end(upstream, not_continued[i].end);
		message_read_answer(&answer, client, "PUT");
		expect_status(&answer, not_continued[i].status);
		expect_field(&answer, "connection", "close");
		peer_shutdown(client);
		peer_expect_end(client);
		expect_usable(&r, rig_client(&r), upstream);
		free_both(&request, &answer);
	}
	rig_end(&r);
}

/* ---- too late ---- */

/* Only the one that is looked at is short: what this side does in time elsewhere must not depend on how busy the machine is. */
#define UPSTREAM_SOON(timeouts) "upstreams:\n  default: {url: 'http://@upstream@', " timeouts "}\n"
#define HEAD_SOON UPSTREAM_SOON("response_timeout: 400ms")
#define BODY_SOON UPSTREAM_SOON("idle_timeout: 120ms")

#define NO_ANSWER(name, sent) FAILS(name, sent, ODD_STAYS, ".http_response_timeout")
#define NO_MORE(name, sent, content) CUT(name, sent, ODD_STAYS, content)

static const struct odd hanging_heads[] = {
	NO_ANSWER("nothing", ""),
	NO_ANSWER("the word", "HTTP"),
	NO_ANSWER("half a status line", "HTTP/1.1 20"),
	NO_ANSWER("a status line", "HTTP/1.1 200 OK\r\n"),
	NO_ANSWER("half a field", "HTTP/1.1 200 OK\r\nContent-"),
	NO_ANSWER("fields without an end", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"),
	NO_ANSWER("half an empty line", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r"),
	NO_ANSWER("only an interim answer", "HTTP/1.1 100 Continue\r\n\r\n"),
	NO_ANSWER("half a head behind an interim answer", "HTTP/1.1 103 Odd\r\n\r\nHTTP/1.1 200 OK\r\n"),
};
ODD_TEST(odd_moments, hanging_heads, _whole, ODD_WHOLE, HEAD_SOON)
ODD_TEST(odd_moments, hanging_heads, _at_once, ODD_AT_ONCE, HEAD_SOON)
ODD_TEST(odd_moments, hanging_heads, _post, ODD_POST, HEAD_SOON)
ODD_TEST(odd_moments, hanging_heads, _old_client, ODD_OLD_CLIENT, HEAD_SOON)

static const struct odd hanging_bodies[] = {
	NO_MORE("no byte of the length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", ""),
	NO_MORE("a part of the length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "ab"),
	NO_MORE("no chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ""),
	NO_MORE("a part of a size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3", ""),
	NO_MORE("a part of a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", "ab"),
	NO_MORE("no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "abc"),
	NO_MORE("a part of the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", "abc"),
	NO_MORE("a part of a trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-A: b", "abc"),
	NO_MORE("no close", "HTTP/1.1 200 OK\r\n\r\nabc", "abc"),
};
ODD_TEST(odd_moments, hanging_bodies, _whole, ODD_WHOLE, BODY_SOON)
ODD_TEST(odd_moments, hanging_bodies, _at_once, ODD_AT_ONCE, BODY_SOON)
ODD_TEST(odd_moments, hanging_bodies, _post, ODD_POST, BODY_SOON)
ODD_TEST(odd_moments, hanging_bodies, _old_client, ODD_OLD_CLIENT, BODY_SOON)

/* Something comes again and again, in time each time, but never a whole head: the time counts from the request. */
Test(odd_moments, head_that_never_ends)
{
	static const char *const drips[][2] = {
		{ "HTTP/1.1 200 O", "o" },
		{ "HTTP/1.1 200 OK\r\n", "X-A: b\r\n" },
		{ "HTTP/1.1 200 OK\r\nX-A: ", "v" },
		{ "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n" },
	};
	struct rig r;

	rig_start_with(&r, HEAD_SOON);
	for (size_t i = 0; i < sizeof(drips) / sizeof(drips[0]); i++) {
		struct peer *client = rig_client(&r);
		struct message answer;
		struct peer *upstream;
		long long since_ms = now_ms();

		r.context = drips[i][0];
		upstream = rig_reach(&r, client, GET("/odd"));
		peer_send(upstream, drips[i][0]);
		while (!peer_read(upstream, 30) && now_ms() < since_ms + PATIENCE_MS)
			peer_try_send(upstream, drips[i][1]);
		rig_check(&r, now_ms() - since_ms >= 400, "given up after %lld ms", now_ms() - since_ms);
		do
			message_read_answer(&answer, client, "GET");
		while (answer.status < 200 && (message_free(&answer), true));
		expect_status(&answer, 504);
		expect_error(&answer, "http_response_timeout");
		expect_usable(&r, client, upstream);
		message_free(&answer);
	}
	rig_end(&r);
}

/* Each byte in time, all of them long after: the time counts from one to the next. False where this side was too slow itself. */
static bool drip_body(struct rig *r, struct peer *client)
{
	struct message request, answer;
	long long since_ms, slowest_ms = 0;
	struct peer *upstream;

	peer_send(client, GET("/odd"));
	upstream = rig_request(r, &request);
	peer_send(upstream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
	for (int i = 0; i < 10; i++) {
		since_ms = now_ms();
		sleep_ms(60);
		peer_try_send(upstream, "x");
		slowest_ms = now_ms() - since_ms > slowest_ms ? now_ms() - since_ms : slowest_ms;
	}
	if (slowest_ms < 200) {
		message_read_answer(&answer, client, "GET");
		expect_body(&answer, "xxxxxxxxxx");
		message_free(&answer);
	}
	message_free(&request);
	return slowest_ms < 200;
}

Test(odd_moments, body_that_drips)
{
	bool dripped = false;
	struct rig r;

	rig_start_with(&r, UPSTREAM_SOON("idle_timeout: 400ms"));
	for (int i = 0; i < 20 && !dripped; i++)
		dripped = drip_body(&r, rig_client(&r));
	rig_check(&r, dripped, "the machine is too slow for this");
	rig_end(&r);
}

/* An upstream that takes nothing of the body: not the client's fault. */
Test(odd_moments, request_that_is_not_taken)
{
	static char block[65536];
	struct rig r;
	struct message request;
	struct peer *client;

	rig_start_with(&r, BODY_SOON);
	memset(block, 'x', sizeof(block));
	client = rig_client(&r);
	peer_send(client, UPLOAD("100000000"));
	rig_request_head(&r, &request);
	while (!peer_read(client, 0))
		peer_try_send_now(client, block, sizeof(block));
	expect_failure(client, "POST", 504, "connection_write_timeout");
	message_free(&request);
	rig_end(&r);
}
