/*
 * 60 failure: real failures of the upstream become the statuses of a gateway, say so in Proxy-Status (RFC 9209), are told
 * apart from injected ones, and never make a request happen twice that may not (RFC 9110 section 9.2.2).
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/black_hole.h"
#include "harness/rig.h"

TestSuite(upstream_failure, .timeout = 60);

#define POST(path) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"

Test(upstream_failure, refused)
{
	struct rig r;
	struct peer *client;

	rig_start(&r);
	rig_close_upstream(&r, 0);
	client = rig_client(&r);
	/* The connection of a client has no part in it and goes on. */
	peer_send(client, GET("/"));
	expect_failure(client, "GET", 502, "connection_refused");
	peer_send(client, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_failure(client, "HEAD", 502, "connection_refused");
	peer_send(client, POST("/"));
	expect_failure(client, "POST", 502, "connection_refused");
	expect_log(&r, 0, "status", "502");
	expect_log(&r, 0, "failure", "connection_refused");
	expect_log(&r, 0, "close", "upstream_failed");
	expect_log(&r, 0, "upstream_status", NULL);
	expect_log(&r, 0, "rule", NULL);
	rig_end(&r);
}

/* What the upstream sends before it closes, and what becomes of it. */
static const struct {
	const char *name;
	const char *sent;
	const char *error;
	bool reset;
} failures[] = {
	{ "FIN before a byte", "", "connection_terminated", false },
	{ "RST before a byte", "", "connection_terminated", true },
	{ "FIN within the head", "HTTP/1.1 200 OK\r\nContent-", "http_response_incomplete", false },
	{ "garbage", "garbage\r\n\r\n", "http_protocol_error", false },
	{ "only a text", "<html>hello</html>", "http_protocol_error", false },
	{ "status of two digits", "HTTP/1.1 99 X\r\n\r\n", "http_protocol_error", false },
	{ "status of four digits", "HTTP/1.1 2000 X\r\n\r\n", "http_protocol_error", false },
	{ "status 600", "HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n", "http_protocol_error", false },
	{ "status in letters", "HTTP/1.1 abc X\r\n\r\n", "http_protocol_error", false },
	{ "HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "http_protocol_error", false },
	{ "version in small letters", "http/1.1 200 OK\r\n\r\n", "http_protocol_error", false },
	{ "length in letters", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "http_protocol_error", false },
	{ "length below 0", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "http_protocol_error", false },
	{ "different lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "http_protocol_error",
		false },
	{ "field without colon", "HTTP/1.1 200 OK\r\nX-A b\r\nContent-Length: 0\r\n\r\n", "http_protocol_error", false },
	{ "field without name", "HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 0\r\n\r\n", "http_protocol_error", false },
	{ "bare CR in a value", "HTTP/1.1 200 OK\r\nX-A: b\rc\r\nContent-Length: 0\r\n\r\n", "http_protocol_error", false },
};

Test(upstream_failure, before_an_answer)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		struct peer *client = rig_client(&r);
		struct peer *upstream;

		r.context = failures[i].name;
		upstream = rig_reach(&r, client, GET("/f"));
		peer_send(upstream, failures[i].sent);
		if (failures[i].reset)
			peer_reset(upstream);
		else
			peer_close(upstream);
		expect_failure(client, "GET", 502, failures[i].error);
		expect_log(&r, (unsigned)i, "failure", failures[i].error);
		/* Not sent again: the connection was new. */
		rig_expect_upstream_silence(&r, 10);
	}
	rig_end(&r);
}

/* A malformed answer ends that connection though the upstream keeps it open. */
Test(upstream_failure, malformed_answer_ends_the_upstream_connection)
{
	struct rig r;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_reach(&r, client, GET("/f"));
	peer_send(upstream, "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n");
	expect_failure(client, "GET", 502, "http_protocol_error");
	peer_expect_end(upstream);
	rig_end(&r);
}

Test(upstream_failure, endless_head)
{
	struct rig r;
	struct peer *client;
	struct peer *upstream;
	char block[1024];

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_reach(&r, client, GET("/f"));
	peer_send(upstream, "HTTP/1.1 200 OK\r\nX-Long: ");
	for (int i = 0; i < 80 && !peer_read(client, 0); i++) {
		snprintf(block, sizeof(block), "%01000d", i);
		peer_try_send(upstream, block);
	}
	expect_failure(client, "GET", 502, "http_response_header_section_size");
	rig_end(&r);
}

Test(upstream_failure, connect_timeout)
{
	struct rig r;
	struct peer *client;
	struct black_hole hole;
	long long since_ms;

	black_hole_open(&hole, "127.0.0.1", 0);
	rig_start_with(&r, "upstreams:\n  default: {url: 'http://127.0.0.1:%u', connect_timeout: 300ms}\n", hole.port);
	client = rig_client(&r);
	since_ms = now_ms();
	peer_send(client, GET("/"));
	expect_failure(client, "GET", 504, "connection_timeout");
	rig_check(&r, now_ms() - since_ms >= 299, "given up after %lld ms", now_ms() - since_ms);
	expect_log(&r, 0, "failure", "connection_timeout");
	black_hole_close(&hole);
	rig_end(&r);
}

Test(upstream_failure, response_timeout)
{
	struct rig r;
	struct peer *client;
	struct peer *upstream;
	long long since_ms;

	rig_start_with(&r, "upstreams:\n  default: {url: 'http://@upstream@', response_timeout: 300ms}\n");
	client = rig_client(&r);
	for (int i = 0; i < 2; i++) {
		since_ms = now_ms();
		upstream = rig_reach(&r, client, POST("/slow"));
		if (i == 1)
			peer_send(upstream, "HTTP/1.1 200 O"); /* half a head is no head */
		expect_failure(client, "POST", 504, "http_response_timeout");
		rig_check(&r, now_ms() - since_ms >= 299, "given up after %lld ms", now_ms() - since_ms);
		/* The late answer must not become the next one's. */
		peer_expect_end(upstream);
	}
	expect_log(&r, 0, "failure", "http_response_timeout");
	rig_end(&r);
}

Test(upstream_failure, idle_timeout_within_a_body)
{
	struct rig r;
	struct message answer;
	struct peer *client;
	struct peer *upstream;
	long long since_ms;

	rig_start_with(&r, "upstreams:\n  default: {url: 'http://@upstream@', idle_timeout: 1500ms}\n");
	client = rig_client(&r);
	upstream = rig_reach(&r, client, GET("/half"));
	peer_send(upstream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
	message_read_answer_head(&answer, client, "GET");
	/* Together longer, but never idle for that long: goes on. */
	for (int i = 0; i < 3; i++) {
		sleep_ms(550);
		since_ms = now_ms();
		peer_send(upstream, "x");
	}
	peer_expect(client, "xxx");
	peer_expect_end(client);
	rig_check(&r, now_ms() - since_ms >= 1500, "cut after %lld ms", now_ms() - since_ms);
	peer_expect_end(upstream);
	expect_log(&r, 0, "close", "upstream_cut");
	expect_log(&r, 0, "failure", "connection_read_timeout");
	message_free(&answer);
	rig_end(&r);
}

Test(upstream_failure, connection_limit)
{
	struct rig r;
	struct message request, answer;
	struct peer *first;
	struct peer *second;
	struct peer *upstream;

	rig_start_with(&r, "upstreams:\n  default: {url: 'http://@upstream@', max_connections: 1}\n");
	first = rig_client(&r);
	second = rig_client(&r);
	peer_send(first, GET("/1"));
	upstream = rig_request(&r, &request);
	peer_send(second, GET("/2"));
	expect_failure(second, "GET", 503, "connection_limit_reached");
	peer_send(upstream, OK_HI);
	message_read_answer(&answer, first, "GET");
	free_both(&request, &answer);
	/* The place is free again. */
	rig_exchange(&r, second, GET("/3"), OK_HI, &request, &answer);
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

/* A label of more than 63 bytes cannot be in any zone: no name server is asked. */
Test(upstream_failure, name_that_does_not_resolve)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "upstream: http://%064d.invalid:80\n", 0);
	client = rig_client(&r);
	peer_send(client, GET("/"));
	expect_failure(client, "GET", 502, "dns_error");
	rig_end(&r);
}

Test(upstream_failure, name_that_resolves)
{
	struct rig r;
	struct message request, answer;
	struct addrinfo *found = NULL;

	if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
		cr_skip_test("this machine does not know localhost");
	freeaddrinfo(found);
	rig_start_with(&r, "upstream: http://localhost:@port@\n");
	rig_exchange(&r, rig_client(&r), GET("/"), OK_HI, &request, &answer);
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

/* A kept connection that the upstream closed while idle is not used. */
Test(upstream_failure, closed_kept_connection)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	for (int i = 0; i < 3; i++) {
		upstream = rig_exchange(&r, client, i == 1 ? POST("/p") : GET("/g"), OK_HI, &request, &answer);
		expect_body(&answer, "hi");
		free_both(&request, &answer);
		if (i % 2) {
			peer_reset(upstream);
			sleep_ms(30); /* nothing answers a reset; unseen so long, it costs no request that has no body */
			continue;
		}
		/* Seen by then: the next one has a body, which goes out once. */
		peer_shutdown(upstream);
		peer_expect_end(upstream);
		peer_close(upstream);
	}
	rig_end(&r);
}

/* A kept connection to the upstream, which is the only one. */
static struct peer *keep_connection(struct rig *r, struct peer *client)
{
	struct message request, answer;
	struct peer *upstream = rig_exchange(r, client, GET("/first"), OK_HI, &request, &answer);

	free_both(&request, &answer);
	return upstream;
}

/*
 * The request and the end of the kept connection cross on the way: the program, held meanwhile, finds both at once. No byte
 * of the request has reached the upstream, so that it goes out again.
 */
static void cross(struct rig *r, const char *sent, bool request_first, bool reset)
{
	struct message request, answer;
	struct peer *client = rig_client(r);
	struct peer *dead = keep_connection(r, client);
	struct peer *upstream;

	program_stop(&r->program);
	if (request_first)
		peer_send(client, sent);
	if (reset)
		peer_reset(dead);
	else
		peer_close(dead);
	if (!request_first)
		peer_send(client, sent);
	program_signal(&r->program, SIGCONT);
	upstream = rig_request(r, &request);
	rig_check(r, strcmp(request.target, "/again") == 0, "the upstream got %s", request.target);
	peer_send(upstream, OK_HI);
	message_read_answer(&answer, client, request.method);
	expect_body(&answer, "hi");
	rig_expect_upstream_silence(r, 20);
	free_both(&request, &answer);
	peer_close(client);
	peer_close(upstream);
	sleep_ms(20);
}

Test(upstream_failure, request_that_crosses_the_end_of_a_kept_connection)
{
	static const char *const sent[] = { GET("/again"), "DELETE /again HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /again HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" };
	struct rig r;

	rig_start(&r);
	for (int i = 0; i < 12; i++) {
		r.context = sent[i % 3];
		cross(&r, sent[i % 3], i % 2, i % 4 > 1);
	}
	rig_end(&r);
}

/* The same with a body: what was taken of it is gone, so that the client may be told of the failure; never is it sent twice. */
Test(upstream_failure, body_that_crosses_the_end_of_a_kept_connection)
{
	struct rig r;

	rig_start(&r);
	for (int i = 0; i < 8; i++) {
		struct message answer;
		struct peer *client = rig_client(&r);
		struct peer *dead = keep_connection(&r, client);
		struct peer *upstream = NULL;
		long long until_ms = now_ms() + PATIENCE_MS;

		program_stop(&r.program);
		peer_send(client, POST("/pay"));
		peer_close(dead);
		program_signal(&r.program, SIGCONT);
		while (!peer_read(client, 5) && !upstream) {
			struct message request;

			rig_check(&r, now_ms() < until_ms, "neither sent nor answered");
			if (!rig_try_request(&r, &request))
				continue;
			upstream = request.peer;
			expect_body(&request, "body");
			peer_send(upstream, OK_HI);
			message_free(&request);
		}
		message_read_answer(&answer, client, "POST");
		expect_status(&answer, upstream ? 200 : 502);
		rig_expect_upstream_silence(&r, 20);
		message_free(&answer);
		peer_close(client);
		if (upstream)
			peer_close(upstream);
		sleep_ms(20);
	}
	rig_end(&r);
}

/* The upstream has taken the request and may have acted on it: it must not get it a second time. */
Test(upstream_failure, request_that_was_taken_is_not_sent_again)
{
	static const char *const sent[] = { POST("/pay"), GET("/get") };
	struct rig r;

	rig_start(&r);
	for (int i = 0; i < 2; i++) {
		struct message request;
		struct peer *client = rig_client(&r);
		struct peer *upstream = keep_connection(&r, client);

		peer_send(client, sent[i]);
		rig_check(&r, rig_request(&r, &request) == upstream, "not on the kept connection");
		peer_close(upstream);
		expect_failure(client, request.method, 502, "connection_terminated");
		rig_expect_upstream_silence(&r, 50);
		message_free(&request);
	}
	rig_end(&r);
}

Test(upstream_failure, after_a_byte_of_the_answer_nothing_is_sent_again)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_exchange(&r, client, GET("/first"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	peer_send(client, GET("/second"));
	rig_check(&r, rig_request(&r, &request) == upstream, "not on the kept connection");
	peer_send(upstream, "HTTP/1.1 200 OK\r\nX-");
	peer_close(upstream);
	expect_failure(client, "GET", 502, "http_response_incomplete");
	rig_expect_upstream_silence(&r, 50);
	message_free(&request);
	rig_end(&r);
}

Test(upstream_failure, while_the_body_still_arrives)
{
	struct rig r;
	struct message request;
	struct peer *client;
	struct peer *upstream;
	char block[65536];

	rig_start(&r);
	memset(block, 'x', sizeof(block));
	client = rig_client(&r);
	peer_send(client, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n");
	upstream = rig_request_head(&r, &request);
	peer_send_n(client, block, sizeof(block));
	peer_reset(upstream);
	for (int i = 1; i < 16; i++)
		peer_send_n(client, block, sizeof(block));
	expect_failure(client, "PUT", 502, "connection_terminated");
	message_free(&request);
	rig_end(&r);
}

Test(upstream_failure, proxy_status_can_be_switched_off)
{
	struct rig r;
	struct message answer;
	struct peer *client;

	rig_start_with(&r, "proxy_status: false\n");
	rig_close_upstream(&r, 0);
	client = rig_client(&r);
	peer_send(client, GET("/"));
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 502);
	expect_field(&answer, "proxy-status", NULL);
	message_free(&answer);
	rig_end(&r);
}

Test(upstream_failure, is_forwarded_where_the_upstream_says_it_itself)
{
	struct rig r;
	struct message request, answer;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r), GET("/"), "HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nbusy",
		&request, &answer);
	expect_line(&answer, "HTTP/1.1 503 Busy");
	expect_field(&answer, "retry-after", "3");
	expect_field(&answer, "proxy-status", NULL);
	expect_body(&answer, "busy");
	expect_log(&r, 0, "failure", NULL);
	expect_log(&r, 0, "upstream_status", "503");
	free_both(&request, &answer);
	rig_end(&r);
}
