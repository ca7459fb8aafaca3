/*
 * 70 faults: what a rule injects is exactly what it says: the answer, the wait, the end of the connection; what the
 * upstream sees of it; and that each can be told from a real failure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(faults, .timeout = 60);


/* Sends and reads the answer that no upstream had a part in. */
static void ask(struct rig *r, struct peer *client, const char *sent, struct message *answer)
{
	char method[16];

	snprintf(method, sizeof(method), "%.*s", (int)strcspn(sent, " "), sent);
	peer_send(client, sent);
	message_read_answer(answer, client, method);
	rig_check(r, r->n_accepted == 0, "the upstream got a connection");
}

static void expect_evidence(const struct message *answer, const char *rule, const char *fault)
{
	char begin[128];

	snprintf(begin, sizeof(begin), "rule=%s; fault=%s; id=", rule, fault);
	rig_check(answer->peer->rig, strncmp(message_list(answer, "x-brownout"), begin, strlen(begin)) == 0,
		"X-Brownout is \"%s\", not %s...", message_list(answer, "x-brownout"), begin);
}

static double log_number(struct rig *r, unsigned line, const char *key)
{
	const char *found = rig_log_value(rig_log_line(r, line), key);

	rig_check(r, found, "the log has no %s: %s", key, rig_log_line(r, line));
	return strtod(found, NULL);
}

Test(faults, abort)
{
	struct rig r;
	struct message answer;
	struct peer *client;

	rig_start_with(&r, "rules:\n  - {name: overload, abort: 503}\n");
	client = rig_client(&r);
	for (int i = 0; i < 3; i++) {
		ask(&r, client, GET("/x"), &answer);
		expect_line(&answer, "HTTP/1.1 503 Service Unavailable");
		expect_evidence(&answer, "overload", "abort");
		expect_field(&answer, "cache-control", "no-store");
		expect_field(&answer, "connection", NULL);
		expect_field(&answer, "proxy-status", "brownout; error=proxy_internal_response");
		rig_check(&r, message_field(&answer, "date"), "no Date");
		rig_check(&r, answer.framing == MESSAGE_LENGTH && answer.body.n > 0, "no explanation");
		message_free(&answer);
	}
	rig_expect_upstream_silence(&r, 50);
	expect_log(&r, 0, "status", "503");
	expect_log(&r, 0, "rule", "overload");
	expect_log(&r, 0, "fault", "abort");
	expect_log(&r, 0, "phase", "request");
	expect_log(&r, 0, "close", "complete");
	expect_log(&r, 0, "failure", NULL);
	expect_log(&r, 0, "upstream_status", NULL);
	expect_log(&r, 2, "occurrence", "3");
	rig_end(&r);
}

Test(faults, abort_of_head_has_no_body)
{
	struct rig r;
	struct message get, head;
	struct peer *client;

	rig_start_with(&r, "rules:\n  - abort: {status: 503, body: later}\n");
	client = rig_client(&r);
	ask(&r, client, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", &head);
	expect_status(&head, 503);
	/* The same fields as GET, and the next answer begins right behind. */
	expect_field(&head, "content-length", "5");
	ask(&r, client, GET("/"), &get);
	expect_body(&get, "later");
	free_both(&get, &head);
	rig_end(&r);
}

Test(faults, abort_as_written)
{
	struct rig r;
	struct message answer;
	struct peer *client;

	rig_start_with(&r,
		"rules:\n"
		"  - match: {path: /text}\n"
		"    abort: {status: 429, reason: Slow Down, retry_after: 1500ms, body: 'not now',\n"
		"            headers: {x-a: b, cache-control: max-age=5, content-type: text/x-plain}}\n"
		"  - match: {path: /json}\n"
		"    abort: {status: 500, body: {json: {error: broken, codes: [1, 2]}}}\n"
		"  - match: {path: /empty}\n"
		"    abort: {status: 404, body: ''}\n");
	client = rig_client(&r);
	ask(&r, client, GET("/text"), &answer);
	expect_line(&answer, "HTTP/1.1 429 Slow Down");
	expect_field(&answer, "x-a", "b");
	expect_field(&answer, "cache-control", "max-age=5");
	expect_field(&answer, "content-type", "text/x-plain");
	expect_field(&answer, "retry-after", "2");
	expect_body(&answer, "not now");
	message_free(&answer);
	ask(&r, client, GET("/json"), &answer);
	expect_field(&answer, "content-type", "application/json");
	expect_body(&answer, "{\"error\":\"broken\",\"codes\":[1,2]}");
	message_free(&answer);
	ask(&r, client, GET("/empty"), &answer);
	expect_status(&answer, 404);
	expect_field(&answer, "content-length", "0");
	message_free(&answer);
	rig_end(&r);
}

/* What a code demands is there though the rule does not say it; NULL: nothing special. */
static const struct {
	unsigned status;
	const char *field;
	bool has_body;
} codes[] = {
	{ 200, NULL, true },
	{ 201, NULL, true },
	{ 204, NULL, false },
	{ 205, "content-length", false },
	{ 301, NULL, true },
	{ 400, NULL, true },
	{ 401, "www-authenticate", true },
	{ 404, NULL, true },
	{ 405, "allow", true },
	{ 407, "proxy-authenticate", true },
	{ 418, NULL, true },
	{ 426, "upgrade", true },
	{ 429, NULL, true },
	{ 451, NULL, true },
	{ 500, NULL, true },
	{ 502, NULL, true },
	{ 504, NULL, true },
	{ 511, NULL, true },
	{ 529, NULL, true },
	{ 599, NULL, true },
};

Test(faults, codes_carry_what_they_must)
{
	struct rig r;
	struct peer *client;
	struct bytes yaml = { 0 };

	bytes_printf(&yaml, "rules:\n");
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		bytes_printf(&yaml, "  - {match: {path: /%u}, abort: %u}\n", codes[i].status, codes[i].status);
	rig_start_with(&r, "%s", yaml.p);
	client = rig_client(&r);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct message answer;
		char sent[64];

		snprintf(sent, sizeof(sent), "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n", codes[i].status);
		r.context = sent;
		ask(&r, client, sent, &answer);
		expect_status(&answer, codes[i].status);
		rig_check(&r, !codes[i].field || message_field(&answer, codes[i].field), "%s is missing", codes[i].field);
		rig_check(&r, codes[i].has_body == (answer.body.n > 0), "a body of %zu bytes", answer.body.n);
		message_free(&answer);
	}
	bytes_free(&yaml);
	rig_end(&r);
}

Test(faults, abort_in_phase_response)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start_with(&r, "rules:\n  - {name: lost, phase: response, abort: 503}\n");
	client = rig_client(&r);
	upstream = rig_exchange(&r, client, "POST /pay HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n100",
		"HTTP/1.1 201 Created\r\nX-Real: yes\r\nContent-Length: 4\r\n\r\npaid", &request, &answer);
	expect_body(&request, "100");
	expect_status(&answer, 503);
	expect_evidence(&answer, "lost", "abort");
	expect_field(&answer, "x-real", NULL);
	rig_check(&r, !strstr(bytes_text(&answer.body), "paid"), "the real answer shows");
	rig_expect_upstream_silence(&r, 30); /* exactly one request */
	free_both(&request, &answer);
	expect_log(&r, 0, "status", "503");
	expect_log(&r, 0, "upstream_status", "201");
	expect_log(&r, 0, "phase", "response");
	/* Where that connection is used again, nothing of the discarded answer is left on it. */
	rig_exchange(&r, client, GET("/again"), OK_HI, &request, &answer);
	expect_status(&answer, 503);
	free_both(&request, &answer);
	peer_expect_silence(client, 20);
	(void)upstream;
	rig_end(&r);
}

Test(faults, phase_response_by_status)
{
	static const struct {
		const char *answer;
		unsigned status;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200 },
		{ "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", 429 },
		{ "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", 404 },
		{ "HTTP/1.1 599 X\r\nContent-Length: 0\r\n\r\n", 429 },
		{ "HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", 410 },
		{ "HTTP/1.1 303 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", 303 },
	};
	struct rig r;
	struct peer *client;

	rig_start_with(&r,
		"rules:\n"
		"  - {phase: response, match: {status: 5xx}, abort: 429}\n"
		"  - {phase: response, match: {status: [300-302, 304]}, abort: 410}\n");
	client = rig_client(&r);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message request, answer;

		r.context = rows[i].answer;
		rig_exchange(&r, client, GET("/"), rows[i].answer, &request, &answer);
		expect_status(&answer, rows[i].status);
		free_both(&request, &answer);
	}
	rig_end(&r);
}

Test(faults, delay_is_never_early)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "rules:\n  - {name: slow, delay: 120ms}\n");
	client = rig_client(&r);
	for (unsigned i = 0; i < 3; i++) {
		struct message request, answer;
		long long since_ms = now_ms();

		rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
		rig_check(&r, now_ms() - since_ms >= 119, "after %lld ms", now_ms() - since_ms);
		expect_body(&answer, "hi");
		expect_evidence(&answer, "slow", "delay");
		rig_check(&r, log_number(&r, i, "delay") == 0.12, "intended: %f", log_number(&r, i, "delay"));
		rig_check(&r, log_number(&r, i, "delay_actual") >= 0.12, "actual: %f", log_number(&r, i, "delay_actual"));
		expect_log(&r, i, "fault", "delay");
		free_both(&request, &answer);
	}
	rig_end(&r);
}

Test(faults, delay_holds_before_the_upstream_is_touched)
{
	struct rig r;
	struct message request;
	struct peer *client;
	long long since_ms;

	rig_start_with(&r, "rules:\n  - delay: 200ms\n");
	client = rig_client(&r);
	since_ms = now_ms();
	peer_send(client, GET("/"));
	rig_request(&r, &request);
	rig_check(&r, now_ms() - since_ms >= 199, "the upstream got it after %lld ms", now_ms() - since_ms);
	message_free(&request);
	rig_end(&r);
}

Test(faults, delay_in_phase_response_holds_the_answer)
{
	struct rig r;
	struct message answer;
	struct peer *client;
	struct peer *upstream;
	long long since_ms;

	rig_start_with(&r, "rules:\n  - {phase: response, delay: 200ms}\n");
	client = rig_client(&r);
	upstream = rig_reach(&r, client, GET("/"));
	since_ms = now_ms();
	peer_send(upstream, OK_HI);
	message_read_answer(&answer, client, "GET");
	rig_check(&r, now_ms() - since_ms >= 199, "after %lld ms", now_ms() - since_ms);
	expect_body(&answer, "hi");
	message_free(&answer);
	rig_end(&r);
}

Test(faults, uniform_delay_keeps_to_its_range)
{
	struct rig r;
	struct peer *client;
	double first = 0;
	bool differs = false;

	rig_start_with(&r, "rules:\n  - {delay: {uniform: 10ms..60ms}}\n");
	client = rig_client(&r);
	for (unsigned i = 0; i < 20; i++) {
		struct message request, answer;
		double delay;

		rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
		delay = log_number(&r, i, "delay");
		rig_check(&r, delay >= 0.01 && delay <= 0.06, "delay %f", delay);
		rig_check(&r, log_number(&r, i, "delay_actual") >= delay, "%f instead of %f", log_number(&r, i, "delay_actual"),
			delay);
		differs |= i && delay != first;
		first = delay;
		free_both(&request, &answer);
	}
	rig_check(&r, differs, "all the same");
	rig_end(&r);
}

Test(faults, delays_add_up_and_an_abort_comes_behind_them)
{
	struct rig r;
	struct message answer;
	long long since_ms;

	rig_start_with(&r, "rules:\n  - delay: 70ms\n  - delay: 80ms\n  - {name: end, abort: 504}\n  - {delay: 60s}\n");
	since_ms = now_ms();
	ask(&r, rig_client(&r), GET("/"), &answer);
	expect_status(&answer, 504);
	expect_evidence(&answer, "end", "abort");
	rig_check(&r, now_ms() - since_ms >= 149, "after %lld ms", now_ms() - since_ms);
	message_free(&answer);
	rig_end(&r);
}

/* What the log says of it is what both phases have asked for, and what both have taken. */
Test(faults, delays_of_both_phases_are_told_in_one)
{
	struct message request, answer;
	struct rig r;

	rig_start_with(&r, "rules:\n  - delay: 70ms\n  - {phase: response, delay: 80ms}\n");
	rig_exchange(&r, rig_client(&r), GET("/"), OK_HI, &request, &answer);
	expect_log(&r, 0, "delay", "0.150000");
	rig_check(&r, strtod(rig_log_value(rig_log_line(&r, 0), "delay_actual"), NULL) >= 0.15, "%s", rig_log_line(&r, 0));
	free_both(&request, &answer);
	rig_end(&r);
}

Test(faults, client_that_leaves_during_a_delay)
{
	static const char *const how[] = { "RST", "FIN" };
	struct rig r;

	/* Longer than a line of the log is waited for. */
	rig_start_with(&r, "rules:\n  - delay: 60s\n");
	for (unsigned i = 0; i < 2; i++) {
		struct peer *client = rig_client(&r);

		r.context = how[i];
		peer_send(client, GET("/"));
		sleep_ms(50);
		if (i)
			peer_close(client);
		else
			peer_reset(client);
		expect_log(&r, i, "close", "client_left");
		expect_log(&r, i, "status", NULL);
	}
	rig_expect_upstream_silence(&r, 50);
	rig_end(&r);
}

Test(faults, pipelined_requests_are_delayed_in_their_order)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r,
		"rules:\n"
		"  - {match: {path: /slow}, delay: 150ms}\n"
		"  - {match: {path: /slow}, abort: 504}\n"
		"  - {match: {path: /fast}, abort: 503}\n");
	client = rig_client(&r);
	peer_send(client, GET("/slow") GET("/fast") GET("/slow") GET("/fast"));
	for (int i = 0; i < 4; i++) {
		struct message answer;

		message_read_answer(&answer, client, "GET");
		expect_status(&answer, i % 2 ? 503 : 504);
		message_free(&answer);
	}
	rig_end(&r);
}

Test(faults, connection_close_and_reset)
{
	struct rig r;

	rig_start_with(&r,
		"rules:\n"
		"  - {name: fin, match: {path: /close}, connection: close}\n"
		"  - {name: rst, match: {path: /reset}, connection: reset}\n");
	for (int i = 0; i < 2; i++) {
		struct peer *client = rig_client(&r);

		peer_send(client, i ? GET("/reset") : GET("/close"));
		if (i)
			peer_expect_reset(client);
		else
			peer_expect_fin(client);
		rig_check(&r, client->in.n == 0, "a byte came");
	}
	rig_expect_upstream_silence(&r, 50);
	expect_log(&r, 0, "close", "fault_close");
	expect_log(&r, 0, "fault", "connection");
	expect_log(&r, 0, "status", NULL);
	expect_log(&r, 1, "close", "fault_reset");
	expect_log(&r, 1, "rule", "rst");
	rig_end(&r);
}

/* With a body that was not read a plain close would be a RST. */
Test(faults, connection_close_is_a_fin_though_a_body_comes)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "rules:\n  - connection: close\n");
	client = rig_client(&r);
	peer_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n12345678");
	peer_expect_fin(client);
	rig_expect_upstream_silence(&r, 30);
	rig_end(&r);
}

Test(faults, connection_faults_in_phase_response)
{
	struct rig r;

	rig_start_with(&r, "rules:\n  - {phase: response, match: {path: /close}, connection: close}\n"
			   "  - {phase: response, match: {path: /reset}, connection: reset}\n");
	for (int i = 0; i < 2; i++) {
		struct peer *client = rig_client(&r);

		peer_send(rig_reach(&r, client, i ? GET("/reset") : GET("/close")), OK_HI);
		if (i)
			peer_expect_reset(client);
		else
			peer_expect_fin(client);
		rig_check(&r, client->in.n == 0, "a byte came");
		rig_expect_upstream_silence(&r, 20);
		expect_log(&r, (unsigned)i, "upstream_status", "200");
	}
	rig_end(&r);
}

Test(faults, evidence_can_be_switched_off)
{
	struct rig r;
	struct message answer;

	rig_start_with(&r, "fault_header: false\nproxy_status: false\nrules:\n  - abort: 503\n");
	ask(&r, rig_client(&r), GET("/"), &answer);
	expect_status(&answer, 503);
	expect_field(&answer, "x-brownout", NULL);
	expect_field(&answer, "proxy-status", NULL);
	message_free(&answer);
	rig_end(&r);
}

Test(faults, answer_does_not_wait_for_the_body)
{
	struct rig r;
	struct message answer;
	struct peer *client;
	char block[16384];

	rig_start_with(&r, "rules:\n  - abort: {status: 503, body: no}\n");
	memset(block, 'x', sizeof(block));
	client = rig_client(&r);
	ask(&r, client, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n", &answer);
	expect_status(&answer, 503);
	expect_body(&answer, "no");
	for (int i = 0; i < 64; i++)
		peer_send_n(client, block, sizeof(block)); /* taken to its end, or at least not answered by a RST */
	if (strcmp(message_list(&answer, "connection"), "close") == 0) {
		peer_expect_fin(client);
	} else {
		message_free(&answer);
		ask(&r, client, GET("/"), &answer);
		expect_body(&answer, "no");
	}
	message_free(&answer);
	rig_end(&r);
}

Test(faults, abort_instead_of_continue)
{
	struct rig r;
	struct message answer;

	rig_start_with(&r, "rules:\n  - abort: 503\n");
	ask(&r, rig_client(&r), "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", &answer);
	expect_status(&answer, 503); /* and no 100 before it */
	message_free(&answer);
	rig_end(&r);
}

Test(faults, abort_of_a_websocket)
{
	struct rig r;
	struct message answer;
	struct peer *client;

	rig_start_with(&r, "rules:\n  - {match: {path: /ws}, abort: 503}\n");
	client = rig_client(&r);
	ask(&r, client, "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", &answer);
	expect_status(&answer, 503);
	expect_field(&answer, "upgrade", NULL);
	message_free(&answer);
	rig_end(&r);
}

Test(faults, abort_for_http_1_0)
{
	struct rig r;
	struct message answer;
	struct peer *client;

	rig_start_with(&r, "rules:\n  - abort: 503\n");
	client = rig_client(&r);
	ask(&r, client, "GET / HTTP/1.0\r\n\r\n", &answer);
	expect_status(&answer, 503);
	peer_expect_fin(client);
	message_free(&answer);
	rig_end(&r);
}

/* Faults of all kinds on one connection, pipelined, between real answers: each answer to its own request. */
Test(faults, mixed_in_a_pipeline)
{
	static const struct {
		const char *path;
		unsigned status;
	} rows[] = { { "/real", 200 }, { "/abort", 503 }, { "/slow", 200 }, { "/late", 504 }, { "/real", 200 },
		{ "/abort", 503 } };
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	struct rig r;
	struct peer *client;

	rig_start_with(&r,
		"rules:\n"
		"  - {match: {path: /abort}, abort: 503}\n"
		"  - {match: {path: /slow}, delay: 30ms}\n"
		"  - {match: {path: /late}, phase: response, delay: 30ms, abort: 504}\n");
	client = rig_client(&r);
	for (int i = 0; i < ROWS; i++)
		peer_printf(client, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n%d", rows[i].path, i);
	for (int i = 0; i < ROWS; i++) {
		struct message request, answer;
		char digit[2] = { (char)('0' + i), 0 };

		r.context = rows[i].path;
		if (rows[i].status != 503) {
			struct peer *upstream = rig_request(&r, &request);

			rig_check(&r, strcmp(request.target, rows[i].path) == 0, "the upstream got %s", request.target);
			expect_body(&request, digit);
			peer_send(upstream, OK_HI);
			message_free(&request);
		}
		message_read_answer(&answer, client, "POST");
		expect_status(&answer, rows[i].status);
		message_free(&answer);
	}
	rig_end(&r);
}
