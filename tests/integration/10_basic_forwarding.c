/*
 * 10 basic: requests go to the upstream and answers come back, whole, in order and on kept connections.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(basic_forwarding, .timeout = 60);

#define SHOP_GET(path) "GET " path " HTTP/1.1\r\nHost: shop.test\r\n\r\n"

Test(basic_forwarding, get)
{
	struct rig r;
	struct message request, answer;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r), SHOP_GET("/a/b?c=d&e"), OK_HI, &request, &answer);
	expect_line(&request, "GET /a/b?c=d&e HTTP/1.1");
	expect_field(&request, "host", "shop.test");
	rig_check(&r, request.framing == MESSAGE_NO_BODY, "a GET without a body got one");
	expect_line(&answer, "HTTP/1.1 200 OK");
	expect_body(&answer, "hi");
	expect_field(&answer, "x-brownout", NULL);
	free_both(&request, &answer);
	rig_end(&r);
}

Test(basic_forwarding, head_has_the_length_but_no_body)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	rig_exchange(&r, client, "HEAD / HTTP/1.1\r\nHost: shop.test\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n",
		&request, &answer);
	expect_line(&request, "HEAD / HTTP/1.1");
	expect_field(&answer, "content-length", "1234");
	free_both(&request, &answer);
	/* The next answer begins at once: no byte of a body stands between. */
	rig_exchange(&r, client, SHOP_GET("/next"), OK_HI, &request, &answer);
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(basic_forwarding, methods)
{
	static const char *const methods[] = { "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get",
		"X-!#$%&'*+.^_`|~9" };
	struct rig r;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct message request, answer;
		char sent[128];

		r.context = methods[i];
		snprintf(sent, sizeof(sent), "%s /m HTTP/1.1\r\nHost: shop.test\r\n\r\n", methods[i]);
		rig_exchange(&r, client, sent, OK_HI, &request, &answer);
		rig_check(&r, strcmp(request.method, methods[i]) == 0, "the method became %s", request.method);
		expect_body(&answer, "hi");
		free_both(&request, &answer);
	}
	rig_end(&r);
}

Test(basic_forwarding, post_with_length)
{
	struct rig r;
	struct message request, answer;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r), "POST /p HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 11\r\n\r\nhello\r\nyou!",
		"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nLocation: /p/1\r\n\r\n", &request, &answer);
	expect_field(&request, "content-length", "11");
	expect_body(&request, "hello\r\nyou!");
	expect_status(&answer, 201);
	expect_field(&answer, "location", "/p/1");
	expect_body(&answer, "");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(basic_forwarding, post_with_empty_body)
{
	struct rig r;
	struct message request, answer;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r), "POST /p HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n", OK_HI, &request,
		&answer);
	expect_field(&request, "content-length", "0");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(basic_forwarding, chunked_both_ways)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	for (int i = 0; i < 2; i++) {
		rig_exchange(&r, client,
			"POST /p HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n"
			"0123456789\r\n0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n000\r\n\r\n", &request,
			&answer);
		rig_check(&r, request.framing == MESSAGE_CHUNKED, "the request is not chunked any more");
		expect_body(&request, "hello0123456789");
		rig_check(&r, answer.framing == MESSAGE_CHUNKED, "the answer is not chunked any more");
		expect_body(&answer, "abcd");
		free_both(&request, &answer);
	}
	rig_end(&r);
}

Test(basic_forwarding, connections_are_kept_on_both_sides)
{
	struct rig r;
	struct peer *client;
	struct peer *first = NULL;

	rig_start(&r);
	client = rig_client(&r);
	for (int i = 0; i < 20; i++) {
		struct message request, answer;
		struct peer *upstream = rig_exchange(&r, client, SHOP_GET("/k"), OK_HI, &request, &answer);

		expect_body(&answer, "hi");
		expect_field(&answer, "connection", NULL);
		rig_check(&r, !first || upstream == first, "exchange %d came on another upstream connection", i);
		first = upstream;
		free_both(&request, &answer);
	}
	rig_end(&r);
}

Test(basic_forwarding, upstream_connection_is_kept_beyond_its_client)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_exchange(&r, client, SHOP_GET("/1"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	peer_close(client);
	rig_check(&r, upstream == rig_exchange(&r, rig_client(&r), SHOP_GET("/2"), OK_HI, &request, &answer),
		"the second client got a new upstream connection");
	free_both(&request, &answer);
	rig_end(&r);
}

static void pipeline(unsigned n)
{
	struct rig r;
	struct bytes sent = { 0 };
	struct peer *client;
	char text[64];

	rig_start(&r);
	client = rig_client(&r);
	for (unsigned i = 0; i < n; i++) {
		if (i % 3 == 1)
			bytes_printf(&sent, "POST /%u HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", i);
		else
			bytes_printf(&sent, "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n", i);
	}
	peer_send(client, sent.p);
	for (unsigned i = 0; i < n; i++) {
		struct message request;
		struct peer *upstream = rig_request(&r, &request);

		snprintf(text, sizeof(text), "/%u", i);
		rig_check(&r, strcmp(request.target, text) == 0, "request %u is for %s", i, request.target);
		expect_body(&request, i % 3 == 1 ? "body" : "");
		peer_printf(upstream, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(text), text);
		message_free(&request);
	}
	for (unsigned i = 0; i < n; i++) {
		struct message answer;

		snprintf(text, sizeof(text), "/%u", i);
		message_read_answer(&answer, client, "GET");
		expect_body(&answer, text);
		message_free(&answer);
	}
	bytes_free(&sent);
	rig_end(&r);
}

Test(basic_forwarding, pipelining_of_3)
{
	pipeline(3);
}

Test(basic_forwarding, pipelining_of_100)
{
	pipeline(100);
}

Test(basic_forwarding, pipelined_answers_wait_for_their_turn)
{
	struct rig r;
	struct message first, second, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, SHOP_GET("/slow") SHOP_GET("/fast"));
	upstream = rig_request(&r, &first);
	peer_expect_silence(client, 50);
	peer_send(upstream, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow");
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "slow");
	message_free(&answer);
	peer_send(rig_request(&r, &second), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfast");
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "fast");
	message_free(&answer);
	free_both(&first, &second);
	rig_end(&r);
}

Test(basic_forwarding, any_split_of_a_request_is_the_same_request)
{
	static const char sent[] = "POST /split?x=1 HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n"
				   "4;x=y\r\nbody\r\n0\r\nX-T: t\r\n\r\n";
	static const size_t pieces[] = { 1, 2, 3, 7, 16, 50 };
	struct rig r;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct message request, answer;

		peer_send_pieces(client, sent, pieces[i]);
		peer_send(rig_request(&r, &request), OK_HI);
		expect_line(&request, "POST /split?x=1 HTTP/1.1");
		expect_field(&request, "x-a", "b");
		expect_body(&request, "body");
		message_read_answer(&answer, client, "POST");
		expect_body(&answer, "hi");
		free_both(&request, &answer);
	}
	rig_end(&r);
}

Test(basic_forwarding, any_split_of_an_answer_is_the_same_answer)
{
	static const char sent[] = "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n4;x=y\r\nbody\r\n0\r\n\r\n";
	static const size_t pieces[] = { 1, 2, 5, 17, 40 };
	struct rig r;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct message request, answer;

		peer_send(client, SHOP_GET("/"));
		peer_send_pieces(rig_request(&r, &request), sent, pieces[i]);
		message_read_answer(&answer, client, "GET");
		expect_line(&answer, "HTTP/1.1 200 Fine");
		expect_field(&answer, "x-a", "b");
		expect_body(&answer, "body");
		free_both(&request, &answer);
	}
	rig_end(&r);
}

Test(basic_forwarding, http_1_0_closes_after_the_answer)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	rig_exchange(&r, client, "GET /old HTTP/1.0\r\nHost: a\r\n\r\n", OK_HI, &request, &answer);
	expect_line(&request, "GET /old HTTP/1.1");
	expect_body(&answer, "hi");
	peer_expect_fin(client);
	free_both(&request, &answer);
	rig_end(&r);
}

Test(basic_forwarding, http_1_0_needs_no_host)
{
	struct rig r;
	struct message request, answer;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r), "GET /old HTTP/1.0\r\n\r\n", OK_HI, &request, &answer);
	expect_line(&request, "GET /old HTTP/1.1"); /* and the harness checks that there is one Host */
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

/* Either is right (RFC 9112 section 9.3), but what the head says and what is done must be one. */
Test(basic_forwarding, http_1_0_keep_alive_is_as_said)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	rig_exchange(&r, client, "GET /1 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", OK_HI, &request, &answer);
	if (strcasecmp(message_list(&answer, "connection"), "keep-alive") == 0) {
		free_both(&request, &answer);
		rig_exchange(&r, client, "GET /2 HTTP/1.0\r\nHost: a\r\n\r\n", OK_HI, &request, &answer);
		expect_body(&answer, "hi");
	}
	peer_expect_fin(client);
	free_both(&request, &answer);
	rig_end(&r);
}

Test(basic_forwarding, connection_close_of_the_client)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	/* What follows a request with close is not a request (RFC 9112 section 9.6). */
	rig_exchange(&r, client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" SHOP_GET("/never"), OK_HI, &request,
		&answer);
	expect_field(&request, "connection", NULL);
	expect_field(&answer, "connection", "close");
	peer_expect_fin(client);
	rig_expect_upstream_silence(&r, 50);
	free_both(&request, &answer);
	rig_end(&r);
}

Test(basic_forwarding, connection_close_of_the_upstream_ends_only_its_connection)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *first;

	rig_start(&r);
	client = rig_client(&r);
	first = rig_exchange(&r, client, SHOP_GET("/1"), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
		&request, &answer);
	expect_field(&answer, "connection", NULL);
	free_both(&request, &answer);
	rig_check(&r, first != rig_exchange(&r, client, SHOP_GET("/2"), OK_HI, &request, &answer),
		"a request came on a connection that was to be closed");
	expect_body(&answer, "hi");
	peer_expect_fin(first);
	free_both(&request, &answer);
	rig_end(&r);
}

/* Where it is allowed: otherwise the end of a client's stream is its leaving (client_that_leaves_releases_the_upstream). */
Test(basic_forwarding, half_close_after_the_request)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;

	rig_start_with(&r, "limits: {half_close: true}\n");
	client = rig_client(&r);
	peer_send(client, SHOP_GET("/"));
	peer_shutdown(client);
	peer_send(rig_request(&r, &request), OK_HI);
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	peer_expect_fin(client);
	free_both(&request, &answer);
	rig_end(&r);
}

Test(basic_forwarding, empty_line_before_the_request)
{
	struct rig r;
	struct message request, answer;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r), "\r\n" SHOP_GET("/"), OK_HI, &request, &answer);
	expect_line(&request, "GET / HTTP/1.1");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(basic_forwarding, answers_do_not_mix)
{
	enum { CLIENTS = 40 };
	struct rig r;
	struct peer *clients[CLIENTS];
	struct peer *upstreams[CLIENTS];
	struct message requests[CLIENTS];

	rig_start(&r);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = rig_client(&r);
		peer_printf(clients[i], "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
	}
	for (int i = 0; i < CLIENTS; i++)
		upstreams[i] = rig_request(&r, &requests[i]);
	/* The last one first, each with its own target as body. */
	for (int i = CLIENTS - 1; i >= 0; i--) {
		peer_printf(upstreams[i], "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(requests[i].target),
			requests[i].target);
		message_free(&requests[i]);
	}
	for (int i = 0; i < CLIENTS; i++) {
		struct message answer;
		char text[16];

		snprintf(text, sizeof(text), "/%d", i);
		message_read_answer(&answer, clients[i], "GET");
		expect_body(&answer, text);
		message_free(&answer);
	}
	rig_end(&r);
}

Test(basic_forwarding, client_that_leaves_releases_the_upstream)
{
	struct rig r;

	rig_start(&r);
	for (unsigned i = 0; i < 2; i++) {
		struct peer *client = rig_client(&r);
		struct peer *upstream;

		r.context = i ? "FIN" : "RST";
		upstream = rig_reach(&r, client, SHOP_GET("/left"));
		if (i)
			peer_close(client);
		else
			peer_reset(client);
		peer_expect_end(upstream);
		rig_check(&r, strcmp(rig_log_value(rig_log_line(&r, i), "close"), "client_left") == 0, "the log says otherwise");
	}
	rig_end(&r);
}
