/*
 * 76 streams: faults of time and of the connection, in both phases: hang, throttle, drip, truncate, refuse, early hints, a body
 * that waits; and that what a fault holds is given back when the client leaves.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(streams, .timeout = 60);

/* What should be quick is the quickest of so many: one alone may be slow because the machine is. */
#define TRIES 10

#define BARE "fault_header: false\nproxy_status: false\n"
#define TEN "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 10\r\n\r\n0123456789"
#define TEN_HEAD "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 10\r\nVia: 1.1 brownout\r\n\r\n"

/* ---- hang ---- */

Test(streams, hang_never_answers_and_ends_at_its_maximum)
{
	struct peer *client;
	struct rig r;
	long long from;

	rig_start_with(&r, "rules:\n  - {name: silent, hang: {max: 300ms}}\n");
	client = rig_client(&r);
	from = now_ms();
	peer_send(client, GET("/"));
	peer_expect_fin(client);
	rig_check(&r, peer_rest_n(client) == 0, "bytes came");
	rig_check(&r, now_ms() - from >= 300, "it ended after %lld ms", now_ms() - from);
	rig_expect_upstream_silence(&r, 20);
	rig_end(&r);
}

/* Its place in the ceiling is free at once when the client goes. */
Test(streams, hang_is_given_back_when_the_client_leaves)
{
	struct peer *first, *second, *third;
	struct message request, answer;
	struct rig r;

	rig_start_with(&r, "rules:\n  - {name: silent, match: {path: /held}, max_active_faults: 1, hang: {max: 60s}}\n");
	first = rig_client(&r);
	peer_send(first, GET("/held"));
	peer_expect_silence(first, 50);
	/* The one place is taken: the next is forwarded. */
	second = rig_client(&r);
	rig_exchange(&r, second, GET("/held"), OK_HI, &request, &answer);
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	peer_reset(first);
	sleep_ms(50);
	third = rig_client(&r);
	peer_send(third, GET("/held"));
	peer_expect_silence(third, 50);
	rig_expect_upstream_silence(&r, 1);
	peer_close(third);
	rig_end(&r);
}

/* ---- pace ---- */

/* A body of so many bytes, behind its head or alone, takes at least so long. */
static void expect_throttled(const char *rate, unsigned bytes, bool head_alone, int least_ms)
{
	struct message answer;
	struct peer *client, *upstream;
	char *body = malloc(bytes);
	struct rig r;
	long long took;

	memset(body, 'x', bytes);
	rig_start_with(&r, "rules:\n  - {name: slow, throttle: {download: %s}}\n", rate);
	client = rig_client(&r);
	upstream = rig_reach(&r, client, GET("/"));
	took = now_ms();
	peer_printf(upstream, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", bytes);
	if (head_alone)
		message_read_answer_head(&answer, client, "GET");
	peer_send_n(upstream, body, bytes);
	if (head_alone)
		message_read_body(&answer);
	else
		message_read_answer(&answer, client, "GET");
	took = now_ms() - took;
	rig_check(&r, took >= least_ms, "%u bytes took %lld ms at %s", bytes, took, rate);
	message_free(&answer);
	free(body);
	rig_end(&r);
}

Test(streams, throttle_meets_its_rate)
{
	expect_throttled("20KiB/s", 20000, false, 930);
	/* So much that it would not have to be looked at. */
	expect_throttled("400KiB/s", 400000, true, 930);
}

Test(streams, throttle_of_the_upload)
{
	struct message request, answer;
	struct peer *client;
	struct rig r;
	long long from;

	rig_start_with(&r, "rules:\n  - {name: slow, throttle: {upload: 1000B/s}}\n");
	client = rig_client(&r);
	from = now_ms();
	peer_printf(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n%500s", "x");
	peer_send(rig_request(&r, &request), OK_HI);
	rig_check(&r, now_ms() - from >= 450, "500 bytes and a head took %lld ms at 1000 B/s", now_ms() - from);
	message_read_answer(&answer, client, "POST");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(streams, drip_lets_out_a_piece_after_each_pause)
{
	struct peer *client;
	struct rig r;
	long long from;

	rig_start_with(&r, BARE "rules:\n  - {name: drop, drip: {bytes: 20, every: 50ms}}\n");
	client = rig_client(&r);
	from = now_ms();
	peer_send(rig_reach(&r, client, GET("/")), TEN);
	peer_expect(client, TEN_HEAD "0123456789");
	/* 77 bytes in pieces of twenty are four, with three pauses between them. */
	rig_check(&r, now_ms() - from >= 150, "it took %lld ms", now_ms() - from);
	rig_end(&r);
}

/* Once, before the upstream is touched, and not once more before the answer: then each would take 800 ms, however often. */
Test(streams, delay_of_phase_request_acts_once)
{
	struct peer *client;
	struct rig r;
	long long took, quickest = LLONG_MAX;

	rig_start_with(&r, "rules:\n  - {name: late, delay: 400ms}\n");
	client = rig_client(&r);
	for (unsigned i = 0; i < TRIES && quickest >= 780; i++) {
		struct message request, answer;

		took = now_ms();
		rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
		took = now_ms() - took;
		rig_check(&r, took >= 400, "it took %lld ms", took);
		quickest = took < quickest ? took : quickest;
		free_both(&request, &answer);
	}
	rig_check(&r, quickest < 780, "the quickest took %lld ms", quickest);
	rig_end(&r);
}

/* The head is there at once, in the quickest of some, and the body after its delay of 250 ms in each of them. */
static void expect_late_body(const char *rules, void (*take_head)(struct rig *r, struct peer *client), const char *body)
{
	struct peer *client;
	struct rig r;
	long long took, quickest = LLONG_MAX;

	rig_start_with(&r, "%s", rules);
	client = rig_client(&r);
	for (unsigned i = 0; i < TRIES && quickest >= 240; i++) {
		long long from = now_ms();

		peer_send(client, GET("/"));
		take_head(&r, client);
		took = now_ms() - from;
		quickest = took < quickest ? took : quickest;
		peer_expect(client, body);
		rig_check(&r, now_ms() - from >= 250, "the body took %lld ms", now_ms() - from);
	}
	rig_check(&r, quickest < 240, "the quickest head took %lld ms", quickest);
	rig_end(&r);
}

static void take_forwarded_head(struct rig *r, struct peer *client)
{
	struct message request;

	peer_send(rig_request(r, &request), TEN);
	peer_expect(client, TEN_HEAD);
	message_free(&request);
}

static void take_own_head(struct rig *r, struct peer *client)
{
	char *line;

	(void)r;
	while (*(line = peer_take_line(client)))
		free(line);
	free(line);
}

Test(streams, delay_at_the_body_lets_the_head_through)
{
	expect_late_body(BARE "rules:\n  - {name: later, delay: {fixed: 250ms, at: body}}\n", take_forwarded_head, "0123456789");
}

/* Each phase may have one. */
Test(streams, delays_at_the_body_add_up)
{
	expect_late_body(BARE "rules:\n  - {name: later, delay: {fixed: 120ms, at: body}}\n"
			      "  - {name: still, phase: response, delay: {fixed: 130ms, at: body}}\n",
		take_forwarded_head, "0123456789");
}

/* An answer of a rule's own has a body that can wait as well. */
Test(streams, delay_at_the_body_of_an_injected_answer)
{
	expect_late_body(BARE "rules:\n  - {name: later, delay: {fixed: 250ms, at: body}, abort: {status: 503, body: late}}\n",
		take_own_head, "late");
}

/* ---- cuts ---- */

static const struct {
	const char *rule;
	const char *answered;
	const char *seen;
	bool reset;
} cuts[] = {
	{ "truncate: {after: 4}", TEN, TEN_HEAD "0123", false },
	{ "truncate: {after: 50%}", TEN, TEN_HEAD "01234", false },
	{ "truncate: {after: 4, reset: true}", TEN, TEN_HEAD "0123", true },
	{ "truncate: {after: 4}", "HTTP/1.1 200 OK\r\nDate: d\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nDate: d\r\nVia: 1.1 brownout\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n", false },
};

Test(streams, truncate)
{
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct peer *client;
		struct rig r;

		rig_start_with(&r, BARE "rules:\n  - {name: cut, %s}\n", cuts[i].rule);
		r.context = cuts[i].rule;
		client = rig_client(&r);
		peer_send(rig_reach(&r, client, GET("/")), cuts[i].answered);
		peer_expect(client, cuts[i].seen);
		if (cuts[i].reset)
			peer_expect_reset(client);
		else
			peer_expect_fin(client);
		rig_end(&r);
	}
}

Test(streams, truncate_leaves_what_is_shorter)
{
	struct peer *client;
	struct rig r;

	rig_start_with(&r, BARE "rules:\n  - {name: cut, truncate: {after: 10}}\n");
	client = rig_client(&r);
	for (int i = 0; i < 2; i++) {
		peer_send(rig_reach(&r, client, GET("/")), TEN);
		peer_expect(client, TEN_HEAD "0123456789");
	}
	rig_end(&r);
}

/* Of nothing there is no part to leave out: the answer is whole, and the connection stays. */
Test(streams, truncate_leaves_an_answer_without_content)
{
	static const struct {
		const char *rule, *sent, *answered, *seen;
	} rows[] = {
		{ "truncate: {after: 50%}", GET("/"), "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 0\r\nVia: 1.1 brownout\r\n\r\n" },
		{ "truncate: {after: 0}", GET("/"), "HTTP/1.1 304 Not Modified\r\nDate: d\r\n\r\n",
			"HTTP/1.1 304 Not Modified\r\nDate: d\r\nVia: 1.1 brownout\r\n\r\n" },
		{ "truncate: {after: 0}", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
			"HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 10\r\n\r\n", TEN_HEAD },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct peer *client;
		struct rig r;

		rig_start_with(&r, BARE "rules:\n  - {name: cut, %s}\n", rows[i].rule);
		r.context = rows[i].sent;
		client = rig_client(&r);
		for (int n = 0; n < 2; n++) {
			peer_send(rig_reach(&r, client, rows[i].sent), rows[i].answered);
			peer_expect(client, rows[i].seen);
		}
		rig_end(&r);
	}
}

Test(streams, truncate_of_an_injected_answer)
{
	struct peer *client;
	struct rig r;

	rig_start_with(&r, BARE "rules:\n  - {name: cut, abort: {status: 500, body: 0123456789, headers: {date: d}}, "
			   "truncate: {after: 3}}\n");
	client = rig_client(&r);
	peer_send(client, GET("/"));
	peer_expect(client, "HTTP/1.1 500 Internal Server Error\r\ndate: d\r\nCache-Control: no-store\r\n"
			    "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 10\r\n\r\n012");
	peer_expect_fin(client);
	rig_end(&r);
}

/* ---- clients that leave ---- */

/*
 * What a fault holds back is given up when its client leaves, by FIN or by RST, and not when the fault's time has come: the place
 * in the ceiling is there for the next one.
 */
static void expect_given_up(const char *faults, const char *sent, bool reset)
{
	struct peer *client;
	struct rig r;

	rig_start_with(&r, "rules:\n  - {name: slow, %s}\n", faults);
	r.context = faults;
	client = rig_client(&r);
	peer_send(client, sent);
	sleep_ms(100);
	if (reset)
		peer_reset(client);
	else
		peer_close(client);
	expect_log(&r, 0, "close", "client_left");
	rig_end(&r);
}

Test(streams, client_that_leaves_what_is_held_back)
{
	static const struct {
		const char *faults, *sent;
	} rows[] = {
		{ "abort: 503, drip: 100s", GET("/") },
		{ "throttle: {upload: 1B/s}", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expect_given_up(rows[i].faults, rows[i].sent, false);
		expect_given_up(rows[i].faults, rows[i].sent, true);
	}
}

/* ---- the connection ---- */

Test(streams, refuse_resets_the_next_connection_as_it_comes)
{
	struct message request, answer;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, "rules:\n  - {name: no, match: {path: /no}, connection: refuse}\n");
	client = rig_client(&r);
	peer_send(client, GET("/no"));
	peer_expect_reset(client);
	client = rig_client(&r);
	peer_expect_reset(client);
	rig_exchange(&r, rig_client(&r), GET("/"), OK_HI, &request, &answer);
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(streams, each_refuse_resets_a_connection)
{
	struct message request, answer;
	struct peer *asking[3];
	struct rig r;

	rig_start_with(&r, "rules:\n  - {name: no, match: {path: /no}, connection: refuse}\n");
	for (int i = 0; i < 3; i++)
		asking[i] = rig_client(&r);
	for (int i = 0; i < 3; i++) {
		peer_send(asking[i], GET("/no"));
		peer_expect_reset(asking[i]);
	}
	for (int i = 0; i < 3; i++)
		peer_expect_reset(rig_client(&r));
	rig_exchange(&r, rig_client(&r), GET("/"), OK_HI, &request, &answer);
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(streams, early_hints_come_before_the_answer)
{
	struct message request;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, BARE "rules:\n  - {name: hint, early_hints: {headers: {link: </a>}}}\n");
	client = rig_client(&r);
	peer_send(client, GET("/"));
	peer_expect(client, "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
	peer_send(rig_request(&r, &request), TEN);
	peer_expect(client, TEN_HEAD "0123456789");
	message_free(&request);
	client = rig_client(&r);
	peer_send(client, "GET / HTTP/1.0\r\nHost: a\r\n\r\n");
	peer_send(rig_request(&r, &request), TEN);
	peer_expect(client, "HTTP/1.1 200 OK\r\n");
	message_free(&request);
	rig_end(&r);
}
