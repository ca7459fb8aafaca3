/*
 * 50 interim: answers before the answer (100, 103), and connections that become tunnels (101). RFC 9110 sections 7.8,
 * 10.1.1 and 15.2.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <criterion/criterion.h>

#include "harness/ask.h"
#include "harness/rig.h"

TestSuite(interim_upgrade, .timeout = 60);

#define EXPECTING "PUT /e HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
#define HANDSHAKE                                                                                                               \
	"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"                               \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
#define SWITCHING                                                                                                               \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                                      \
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

Test(interim_upgrade, continue_end_to_end)
{
	struct rig r;
	struct message request, interim, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, EXPECTING);
	/* The head goes on without the body; the 100 is the upstream's to give. */
	upstream = rig_request_head(&r, &request);
	expect_field(&request, "expect", "100-continue");
	peer_expect_silence(client, 50);
	peer_send(upstream, "HTTP/1.1 100 Continue\r\n\r\n");
	message_read_answer(&interim, client, "PUT");
	expect_status(&interim, 100);
	peer_send(client, "hello");
	message_read_body(&request);
	expect_body(&request, "hello");
	peer_send(upstream, OK_HI);
	message_read_answer(&answer, client, "PUT");
	expect_body(&answer, "hi");
	rig_expect_usable(&r, client);
	free_both(&request, &answer);
	message_free(&interim);
	rig_end(&r);
}

/* A client that does not wait, or lost patience, sends its body unasked. */
Test(interim_upgrade, body_without_waiting_for_continue)
{
	struct rig r;
	struct message request, interim, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, EXPECTING "hello");
	upstream = rig_request(&r, &request);
	expect_body(&request, "hello");
	peer_send(upstream, "HTTP/1.1 100 Continue\r\n\r\n" OK_HI);
	message_read_answer(&interim, client, "PUT");
	expect_status(&interim, 100);
	message_read_answer(&answer, client, "PUT");
	expect_body(&answer, "hi");
	rig_expect_usable(&r, client);
	free_both(&request, &answer);
	message_free(&interim);
	rig_end(&r);
}

/* The client may now send the body or not: where the connection goes on, the body must not be read as a request. */
Test(interim_upgrade, final_answer_instead_of_continue)
{
	struct rig r;

	rig_start(&r);
	for (int sends = 0; sends < 2; sends++) {
		struct message request, answer;
		struct peer *client = rig_client(&r);

		r.context = sends ? "the client sends its body all the same" : "the client sends no body";
		peer_send(client, EXPECTING);
		peer_send(rig_request_head(&r, &request), "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
		message_read_answer(&answer, client, "PUT");
		expect_status(&answer, 403);
		expect_body(&answer, "no");
		if (sends)
			peer_try_send(client, "GET /");
		if (strcmp(message_list(&answer, "connection"), "close") == 0) {
			if (!sends)
				peer_shutdown(client);
			peer_expect_fin(client);
		} else if (sends) {
			rig_expect_usable(&r, client);
		}
		free_both(&request, &answer);
	}
	rig_expect_upstream_silence(&r, 50);
	rig_end(&r);
}

/* The client waits, as it may, for an upstream that says nothing: it is not the client that is late. */
Test(interim_upgrade, no_continue_is_the_upstreams_silence)
{
	struct message request;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, "limits: {idle_timeout: 100ms}\n"
			   "upstreams:\n  default: {url: 'http://@upstream@', response_timeout: 300ms}\n");
	client = rig_client(&r);
	peer_send(client, EXPECTING);
	rig_request_head(&r, &request);
	expect_failure(client, "PUT", 504, "http_response_timeout");
	message_free(&request);
	rig_end(&r);
}

Test(interim_upgrade, early_hints)
{
	struct rig r;
	struct message request, interim, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, GET("/page"));
	upstream = rig_request(&r, &request);
	peer_send(upstream, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n");
	/* It goes on at once, not with the answer. */
	message_read_answer(&interim, client, "GET");
	expect_status(&interim, 103);
	expect_field(&interim, "link", "</a.css>; rel=preload");
	expect_field(&interim, "x-hop", NULL);
	message_free(&interim);
	peer_send(upstream,
		"HTTP/1.1 103 Early Hints\r\nLink: </b.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" OK_HI);
	message_read_answer(&interim, client, "GET");
	expect_field(&interim, "link", "</b.css>; rel=preload");
	message_free(&interim);
	message_read_answer(&interim, client, "GET");
	expect_status(&interim, 102);
	message_free(&interim);
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	expect_field(&answer, "link", NULL);
	rig_expect_usable(&r, client);
	free_both(&request, &answer);
	rig_end(&r);
}

/* RFC 9110 section 15.2: a proxy forwards a 1xx that it did not ask for itself. */
Test(interim_upgrade, unasked_continue_is_forwarded)
{
	struct rig r;
	struct message request, interim, answer;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, GET("/"));
	peer_send(rig_request(&r, &request), "HTTP/1.1 100 Continue\r\n\r\n" OK_HI);
	message_read_answer(&interim, client, "GET");
	expect_status(&interim, 100);
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	message_free(&interim);
	rig_end(&r);
}

Test(interim_upgrade, no_interim_answer_for_http_1_0)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, "PUT / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello");
	upstream = rig_request(&r, &request);
	expect_field(&request, "expect", NULL);
	peer_send(upstream, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK_HI);
	message_read_answer(&answer, client, "PUT");
	expect_status(&answer, 200);
	expect_body(&answer, "hi");
	peer_expect_fin(client);
	free_both(&request, &answer);
	rig_end(&r);
}

/* The handshake through; the upstream peer. */
static struct peer *open_tunnel(struct rig *r, struct peer *client)
{
	struct message request, answer;
	struct peer *upstream;

	peer_send(client, HANDSHAKE);
	upstream = rig_request(r, &request);
	expect_field(&request, "upgrade", "websocket");
	rig_check(r, strcasecmp(message_list(&request, "connection"), "upgrade") == 0, "Connection is %s",
		message_list(&request, "connection"));
	expect_field(&request, "sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
	peer_send(upstream, SWITCHING);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 101);
	expect_field(&answer, "upgrade", "websocket");
	rig_check(r, strcasecmp(message_list(&answer, "connection"), "upgrade") == 0, "Connection is %s",
		message_list(&answer, "connection"));
	expect_field(&answer, "sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	free_both(&request, &answer);
	return upstream;
}

Test(interim_upgrade, websocket_passes_bytes_both_ways)
{
	static const char frame[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
	static const char with_nul[] = "\x82\x03\0\r\n";
	struct rig r;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = open_tunnel(&r, client);
	peer_send_n(client, frame, sizeof(frame) - 1);
	peer_expect(upstream, frame);
	peer_send_n(upstream, with_nul, 5);
	rig_check(&r, memcmp(peer_take(client, 5), with_nul, 5) == 0, "other bytes");
	/* What looks like HTTP is bytes like any other. */
	peer_send(client, GET("/not-a-request"));
	peer_expect(upstream, GET("/not-a-request"));
	peer_send(upstream, OK_HI);
	peer_expect(client, OK_HI);
	peer_close(upstream);
	peer_expect_end(client);
	peer_close(client);
	rig_check(&r, strcmp(rig_log_value(rig_log_line(&r, 0), "close"), "tunnel_end") == 0, "the log says otherwise");
	rig_check(&r, strcmp(rig_log_value(rig_log_line(&r, 0), "status"), "101") == 0, "the log says otherwise");
	rig_end(&r);
}

Test(interim_upgrade, bytes_right_behind_the_heads)
{
	struct rig r;
	struct message answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	/* Early bytes of the client wait until the tunnel stands. */
	upstream = rig_reach(&r, client, HANDSHAKE "early");
	peer_send(upstream, SWITCHING "first");
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 101);
	peer_expect(client, "first");
	peer_expect(upstream, "early");
	message_free(&answer);
	rig_end(&r);
}

Test(interim_upgrade, half_close_in_a_tunnel)
{
	struct rig r;

	rig_start(&r);
	for (int side = 0; side < 2; side++) {
		struct peer *client = rig_client(&r);
		struct peer *upstream = open_tunnel(&r, client);
		struct peer *first = side ? upstream : client;
		struct peer *second = side ? client : upstream;

		r.context = side ? "the upstream first" : "the client first";
		peer_send(first, "last words");
		peer_shutdown(first);
		peer_expect(second, "last words");
		peer_expect_fin(second);
		/* The other direction still stands. */
		peer_send(second, "answer");
		peer_expect(first, "answer");
		peer_expect_silence(first, 20);
		peer_shutdown(second);
		peer_expect_fin(first);
	}
	rig_end(&r);
}

Test(interim_upgrade, reset_in_a_tunnel_ends_both_sides)
{
	struct rig r;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = open_tunnel(&r, client);
	peer_reset(upstream);
	peer_expect_end(client);
	client = rig_client(&r);
	upstream = open_tunnel(&r, client);
	peer_reset(client);
	peer_expect_end(upstream);
	rig_end(&r);
}

/* Nothing of a side that has ended its stream is read any more; that it is gone must be noticed all the same. */
Test(interim_upgrade, reset_behind_a_half_close_ends_both_sides)
{
	struct rig r;

	rig_start(&r);
	for (int side = 0; side < 2; side++) {
		struct peer *client = rig_client(&r);
		struct peer *upstream = open_tunnel(&r, client);
		struct peer *first = side ? upstream : client;
		struct peer *second = side ? client : upstream;

		r.context = side ? "the upstream" : "the client";
		peer_shutdown(first);
		peer_expect_fin(second);
		peer_reset(first);
		(void)rig_log_line(&r, (unsigned)side);
	}
	rig_end(&r);
}

/* Both directions full at once: neither may wait for the other. */
Test(interim_upgrade, much_in_both_directions_at_once)
{
	enum { TOTAL = 8 * 1024 * 1024 };
	static char out[65536];
	static char in[65536];
	struct rig r;
	struct peer *ends[2];
	size_t sent[2] = { 0, 0 };
	size_t received[2] = { 0, 0 };

	rig_start(&r);
	ends[0] = rig_client(&r);
	ends[1] = open_tunnel(&r, ends[0]);
	memset(out, 'w', sizeof(out));
	while (received[0] < TOTAL || received[1] < TOTAL) {
		struct pollfd pollers[2];

		for (int i = 0; i < 2; i++)
			pollers[i] = (struct pollfd){ ends[i]->fd, (short)(POLLIN | (sent[i] < TOTAL ? POLLOUT : 0)), 0 };
		rig_check(&r, poll(pollers, 2, PATIENCE_MS) > 0, "stuck at %zu and %zu", received[0], received[1]);
		for (int i = 0; i < 2; i++) {
			size_t n = TOTAL - sent[i] < sizeof(out) ? TOTAL - sent[i] : sizeof(out);
			ssize_t got = n ? send(ends[i]->fd, out, n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

			rig_check(&r, got >= 0 || errno == EAGAIN, "send: %s", strerror(errno));
			sent[i] += got > 0 ? (size_t)got : 0;
			got = recv(ends[i]->fd, in, sizeof(in), MSG_DONTWAIT);
			rig_check(&r, got > 0 || (got < 0 && errno == EAGAIN), "%s is closed", ends[i]->name);
			received[i] += got > 0 ? (size_t)got : 0;
		}
	}
	rig_check(&r, received[0] == TOTAL && received[1] == TOTAL, "too many bytes");
	rig_end(&r);
}

/* A throttle, or a drip, goes on where the connection has become a tunnel, in both directions and at the end. */
Test(interim_upgrade, the_pace_of_a_rule_holds_in_a_tunnel)
{
	static const char *const paces[] = { "throttle: {download: 20KiB/s, upload: 20KiB/s}",
		"throttle: {upload: 20KiB/s}, drip: {bytes: 500, every: 20ms}" };
	char *bytes = malloc(4000);

	memset(bytes, 'x', 4000);
	for (size_t i = 0; i < sizeof(paces) / sizeof(paces[0]); i++) {
		struct peer *client, *upstream;
		struct rig r;
		long long took;

		rig_start_with(&r, "rules:\n  - {name: slow, %s}\n", paces[i]);
		r.context = paces[i];
		client = rig_client(&r);
		upstream = open_tunnel(&r, client);
		took = now_ms();
		peer_send_n(client, bytes, 4000);
		peer_send_n(upstream, bytes, 4000);
		peer_take(upstream, 4000);
		peer_take(client, 4000);
		took = now_ms() - took;
		rig_check(&r, took >= 120, "4000 bytes each way took %lld ms", took);
		/* What is held back when a side ends is not lost. */
		peer_send_n(client, bytes, 2000);
		peer_shutdown(client);
		peer_take(upstream, 2000);
		peer_expect_fin(upstream);
		peer_send_n(upstream, bytes, 2000);
		peer_close(upstream);
		peer_take(client, 2000);
		peer_expect_fin(client);
		rig_check(&r, strcmp(rig_log_value(rig_log_line(&r, 0), "close"), "tunnel_end") == 0, "the log says otherwise");
		rig_end(&r);
	}
	free(bytes);
}

/* All that is held back goes at once, and the tunnel stays. */
Test(interim_upgrade, a_disarm_ends_the_pace_of_a_tunnel)
{
	struct peer *client, *upstream;
	struct rig r;

	rig_start_with(&r, "admin: 127.0.0.1:0\nrules:\n  - {match: {path: /ws}, throttle: {upload: 2000B/s}}\n");
	rig_check(&r, program_wait_admin(&r.program), "no admin listener");
	client = rig_client(&r);
	upstream = open_tunnel(&r, client);
	peer_printf(client, "%60000s", "end");
	peer_take(upstream, 10);
	free(ask(&r, "POST", "/v1/disarm", NULL, NULL, 200));
	peer_take(upstream, 60000 - 10);
	peer_expect_silence(client, 50);
	peer_send(upstream, "still");
	peer_expect(client, "still");
	rig_end(&r);
}

Test(interim_upgrade, refused_upgrade_is_an_ordinary_answer)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	rig_exchange(&r, client, HANDSHAKE, OK_HI, &request, &answer);
	expect_status(&answer, 200);
	expect_body(&answer, "hi");
	rig_expect_usable(&r, client);
	free_both(&request, &answer);
	rig_exchange(&r, client, HANDSHAKE,
		"HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n",
		&request, &answer);
	expect_status(&answer, 426);
	/* RFC 9110 section 15.5.22: 426 must carry it. */
	expect_field(&answer, "upgrade", "h2c");
	rig_expect_usable(&r, client);
	free_both(&request, &answer);
	rig_end(&r);
}

Test(interim_upgrade, switch_without_being_asked)
{
	struct rig r;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_reach(&r, client, GET("/"));
	peer_send(upstream, SWITCHING);
	expect_failure(client, "GET", 502, "http_upgrade_failed");
	peer_expect_end(upstream);
	rig_end(&r);
}

/* RFC 9110 section 7.8: the upstream has not read the request that it would switch behind. */
Test(interim_upgrade, switch_before_the_request_has_ended)
{
	struct rig r;
	struct message request;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, "POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 4\r\n\r\n"
		"bo");
	upstream = rig_request_head(&r, &request);
	peer_take(upstream, 2);
	peer_send(upstream, SWITCHING);
	expect_failure(client, "POST", 502, "http_upgrade_failed");
	peer_expect_end(upstream);
	message_free(&request);
	rig_end(&r);
}

/* Behind a switch to HTTP/2 no rule would be asked any more: it is not passed on, and not taken where it comes all the same. */
Test(interim_upgrade, upgrade_to_h2c_goes_no_further)
{
	struct rig r;
	struct message request, answer;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r),
		"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
		OK_HI, &request, &answer);
	expect_status(&answer, 200);
	expect_field(&request, "upgrade", NULL);
	expect_field(&request, "connection", NULL);
	expect_field(&request, "http2-settings", NULL);
	free_both(&request, &answer);
	rig_exchange(&r, rig_client(&r), "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, websocket\r\nConnection: Upgrade\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", &request, &answer);
	expect_status(&answer, 502);
	expect_error(&answer, "http_upgrade_failed");
	expect_field(&request, "upgrade", "websocket");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(interim_upgrade, no_upgrade_in_http_1_0)
{
	struct rig r;
	struct message request, answer;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r), "GET /ws HTTP/1.0\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
		OK_HI, &request, &answer);
	expect_field(&request, "upgrade", NULL);
	expect_field(&request, "connection", NULL);
	free_both(&request, &answer);
	rig_end(&r);
}
