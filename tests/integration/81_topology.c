/*
 * 81 topology: several listeners and upstreams in one process, routes between them, unix sockets on both sides, workers,
 * and the embedded upstream.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "harness/crowd.h"
#include "harness/rig.h"

TestSuite(topology, .timeout = 60);


/* The request reaches this upstream and no other. */
static void expect_route(struct rig *r, struct peer *client, const char *line, const char *host, unsigned upstream)
{
	struct message request, answer;
	struct peer *p;

	peer_printf(client, "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", line, host);
	p = rig_accept_on(r, upstream);
	message_read_request(&request, p);
	peer_send(p, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	peer_close(p);
}

Test(topology, routes_by_host_and_path)
{
	static const struct {
		const char *line;
		const char *host;
		unsigned upstream;
	} rows[] = {
		{ "GET /v1/users", "api.test", 0 },
		{ "GET /v1/users", "API.test:80", 0 },
		{ "GET /v1/a/b/c?d", "api.test", 0 },
		{ "GET /%761/users", "api.test", 0 },
		{ "GET /v2/users", "api.test", 1 },
		{ "GET /v1/users", "www.test", 1 },
		{ "POST /v1/users", "api.test", 0 },
		{ "GET /", "anything", 1 },
	};
	struct rig r;

	rig_start_with(&r,
		"listeners:\n"
		"  - name: public\n"
		"    address: 127.0.0.1:0\n"
		"    routes:\n"
		"      - {match: {host: api.test, path: /v1/**}, upstream: api}\n"
		"      - {upstream: web}\n"
		"upstreams:\n"
		"  api: {url: 'http://@upstream@'}\n"
		"  web: {url: 'http://@upstream2@'}\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r.context = rows[i].line;
		expect_route(&r, rig_client(&r), rows[i].line, rows[i].host, rows[i].upstream);
	}
	rig_end(&r);
}

Test(topology, request_that_no_route_is_for)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r,
		"listeners:\n"
		"  - {name: only, address: '127.0.0.1:0', routes: [{match: {path: /a/**}, upstream: a}]}\n"
		"upstreams:\n"
		"  a: {url: 'http://@upstream@'}\n");
	client = rig_client(&r);
	peer_send(client, GET("/b"));
	expect_failure(client, "GET", 404, "destination_not_found");
	rig_expect_upstream_silence(&r, 20);
	rig_end(&r);
}

Test(topology, rules_by_listener_and_upstream)
{
	struct rig r;
	struct message request, answer;

	rig_start_n(&r, 3,
		"listeners:\n"
		"  - {name: one, address: '127.0.0.1:0', routes: [{upstream: a}]}\n"
		"  - {name: two, address: '127.0.0.1:0', routes: [{upstream: a}]}\n"
		"  - {name: three, address: '127.0.0.1:0', routes: [{upstream: b}]}\n"
		"upstreams:\n"
		"  a: {url: 'http://@upstream@'}\n"
		"  b: {url: 'http://@upstream2@'}\n"
		"rules:\n"
		"  - {match: {listener: two}, abort: 502}\n"
		"  - {match: {upstream: b}, abort: 504}\n");
	rig_exchange(&r, rig_client_to(&r, 0), GET("/"), OK_HI, &request, &answer);
	expect_status(&answer, 200);
	free_both(&request, &answer);
	for (unsigned i = 1; i < 3; i++) {
		struct peer *client = rig_client_to(&r, i);

		peer_send(client, GET("/"));
		message_read_answer(&answer, client, "GET");
		expect_status(&answer, i == 1 ? 502 : 504);
		message_free(&answer);
	}
	rig_end(&r);
}

Test(topology, unix_sockets_on_both_sides)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct stat info;
	char path[128];

	rig_start_with(&r, "listen: 'unix:@dir@/front.sock'\nupstream: 'unix:@dir@/upstream.sock'\n");
	client = rig_client(&r);
	for (int i = 0; i < 3; i++) {
		rig_exchange(&r, client, "POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", OK_HI, &request, &answer);
		expect_body(&request, "abc");
		expect_body(&answer, "hi");
		/* RFC 7239 section 6: what has no address is unknown, which is no IPv6 address in brackets either. */
		expect_field(&request, "X-Forwarded-For", "unknown");
		expect_field(&request, "Forwarded", "for=unknown;host=a;proto=http");
		free_both(&request, &answer);
	}
	rig_check(&r, r.n_accepted == 1, "%u connections to the upstream", r.n_accepted);
	rig_check(&r, strcmp(rig_log_value(rig_log_line(&r, 0), "client"), "unix") == 0, "the log says %s", rig_log_line(&r, 0));
	/* Killed, the program leaves its socket behind, and the next one takes the place over. */
	program_signal(&r.program, SIGKILL);
	rig_check(&r, program_wait(&r.program, PATIENCE_MS), "does not end");
	snprintf(path, sizeof(path), "%s", program_path(&r.program, "front.sock"));
	rig_check(&r, stat(path, &info) == 0, "there is no stale socket to test with");
	program_start(&r.program, (const char *const[]){ "run", program_path(&r.program, "rules.yaml"), NULL }, NULL);
	rig_check(&r, program_wait_listening(&r.program, 1), "the stale socket is in the way");
	client = rig_client(&r);
	rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

/* RFC 9110 section 7.6: a request must not go round for ever. */
Test(topology, request_that_comes_back_to_where_it_was)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "listen: 'unix:@dir@/front.sock'\nupstream: 'unix:@dir@/front.sock'\n");
	client = rig_client(&r);
	peer_send(client, GET("/"));
	expect_failure(client, "GET", 502, "proxy_loop_detected");
	rig_end(&r);
}

Test(topology, unix_upstream_that_is_gone)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "upstream: 'unix:@dir@/nobody.sock'\n");
	client = rig_client(&r);
	expect_get(client, "/", 502);
	rig_end(&r);
}

Test(topology, workers_share_the_connections)
{
	struct rig r;
	struct crowd c = { .rig = &r, .target = "/status/200", .n_connections = 64, .n_requests = 4000 };

	rig_start_with(&r, "workers: 4\nupstream: 'origin:'\n");
	crowd_run(&c);
	rig_check(&r, crowd_count(&c, 200) == 4000, "%u of 4000", crowd_count(&c, 200));
	crowd_free(&c);
	rig_end(&r);
}

/* ---- the embedded upstream ---- */

static void ask(struct rig *r, const char *sent, struct message *answer)
{
	struct peer *client = rig_client(r);
	char method[16];

	snprintf(method, sizeof(method), "%.*s", (int)strcspn(sent, " "), sent);
	peer_send(client, sent);
	message_read_answer(answer, client, method);
}

Test(topology, origin_echoes_the_request)
{
	struct rig r;
	struct message answer;

	rig_start_with(&r, "upstream: 'origin:'\n");
	ask(&r, "POST /echo/me?a=b HTTP/1.1\r\nHost: shop.test\r\nX-A: \"q\"\r\nContent-Length: 5\r\n\r\nhello", &answer);
	expect_status(&answer, 200);
	expect_field(&answer, "content-type", "application/json");
	rig_check(&r, strstr(bytes_text(&answer.body), "\"POST\""), "no method");
	rig_check(&r, strstr(bytes_text(&answer.body), "/echo/me"), "no path");
	rig_check(&r, strstr(bytes_text(&answer.body), "hello"), "no body");
	rig_check(&r, strstr(bytes_text(&answer.body), "\\\"q\\\""), "a quote is not escaped");
	message_free(&answer);
	ask(&r, "GET /headers HTTP/1.1\r\nHost: shop.test\r\nX-Mine: yes\r\n\r\n", &answer);
	rig_check(&r, strstr(bytes_text(&answer.body), "yes") && strcasestr(bytes_text(&answer.body), "x-mine"), "no fields");
	message_free(&answer);
	rig_end(&r);
}

Test(topology, origin_answers_as_asked)
{
	struct rig r;
	struct message answer;
	long long since_ms;

	rig_start_with(&r, "upstream: 'origin:'\n");
	ask(&r, GET("/status/418"), &answer);
	expect_status(&answer, 418);
	message_free(&answer);
	ask(&r, GET("/status/204"), &answer);
	expect_status(&answer, 204);
	message_free(&answer);
	since_ms = now_ms();
	ask(&r, GET("/delay/150ms"), &answer);
	expect_status(&answer, 200);
	rig_check(&r, now_ms() - since_ms >= 149, "after %lld ms", now_ms() - since_ms);
	message_free(&answer);
	ask(&r, GET("/bytes/300KiB"), &answer);
	rig_check(&r, answer.body.n == 300 * 1024 && answer.framing == MESSAGE_LENGTH, "%zu bytes", answer.body.n);
	message_free(&answer);
	ask(&r, GET("/bytes/70000?chunked=1"), &answer);
	rig_check(&r, answer.body.n == 70000 && answer.framing == MESSAGE_CHUNKED, "%zu bytes", answer.body.n);
	message_free(&answer);
	since_ms = now_ms();
	ask(&r, GET("/drip?bytes=4&every=50ms"), &answer);
	rig_check(&r, answer.body.n == 4 && now_ms() - since_ms >= 149, "%zu bytes after %lld ms", answer.body.n,
		now_ms() - since_ms);
	message_free(&answer);
	ask(&r, "HEAD /bytes/10 HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
	expect_field(&answer, "content-length", "10");
	message_free(&answer);
	ask(&r, GET("/status/99"), &answer);
	expect_status(&answer, 400);
	message_free(&answer);
	rig_end(&r);
}
