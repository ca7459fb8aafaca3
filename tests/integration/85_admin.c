/*
 * 85 admin: the admin listener as a careful or hostile client sees it: who may ask, what a request may be, how it is answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(admin, .timeout = 60);

#define ADMIN "admin: 127.0.0.1:0\n"
#define WITH_TOKEN "admin: {address: 127.0.0.1:0, token: a-token-of-this-test}\n"
#define ASK(path, fields) "GET " path " HTTP/1.1\r\nHost: localhost\r\n" fields "\r\n"

static const struct {
	const char *sent;
	unsigned status;
	const char *field;
	const char *value;
} cases[] = {
	{ ASK("/healthz", ""), 200, "content-type", "application/json" },
	{ ASK("/readyz", ""), 200, "cache-control", "no-store" },
	{ ASK("/openapi.json", ""), 200, "x-content-type-options", "nosniff" },
	{ ASK("/v1/status", ""), 200, "access-control-allow-origin", NULL },
	{ ASK("/v1/totals", ""), 200, "cross-origin-resource-policy", "same-origin" },
	{ ASK("/v1/history", ""), 200, NULL, NULL },
	{ ASK("/v1/history?since=1795185977.206", ""), 200, NULL, NULL },
	{ ASK("/v1/history?since=yesterday", ""), 400, NULL, NULL },
	{ ASK("/v1/history?since=99999999999999999999", ""), 400, NULL, NULL },
	{ ASK("/v1/history?since=1.0000000001", ""), 400, NULL, NULL },
	{ ASK("/v1/recent", ""), 200, NULL, NULL },
	{ ASK("/v1/recent?limit=1000&faulted=1&rule=a%2Fb&since=18446744073709551615", ""), 200, NULL, NULL },
	{ ASK("/v1/recent?limit=0", ""), 400, NULL, NULL },
	{ ASK("/v1/recent?limit=1001", ""), 400, NULL, NULL },
	{ ASK("/v1/recent?limit=-1", ""), 400, NULL, NULL },
	{ ASK("/v1/recent?faulted=yes", ""), 400, NULL, NULL },
	{ ASK("/v1/events?exchanges=10001", ""), 400, NULL, NULL },
	{ ASK("/v1/events?faulted=2", ""), 400, NULL, NULL },
	{ ASK("/v1/status?x=%zz&", ""), 200, NULL, NULL },
	{ ASK("http://localhost/v1/status", ""), 200, NULL, NULL },
	{ ASK("/v1/nothing", ""), 404, NULL, NULL },
	{ ASK("/v1/status/", ""), 404, NULL, NULL },
	{ ASK("//v1/status", ""), 404, NULL, NULL },
	{ "POST /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "allow", "GET, HEAD" },
	{ "BREW /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "allow", "GET, HEAD" },
	{ "OPTIONS /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "allow", "GET, HEAD" },
	{ "GET /v1/status HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, NULL, NULL },
	{ "GET /v1/nothing HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, NULL, NULL },
	{ "GET http://evil.example/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n", 403, NULL, NULL },
	{ ASK("/v1/status", "Origin: http://evil.example\r\n"), 403, NULL, NULL },
	{ ASK("/v1/status", "Sec-Fetch-Site: cross-site\r\n"), 403, NULL, NULL },
};

/* On one connection, one after the other. */
Test(admin, answers)
{
	struct message answer;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, ADMIN);
	client = rig_admin(&r);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r.context = cases[i].sent;
		peer_send(client, cases[i].sent);
		message_read_answer(&answer, client, "GET");
		expect_status(&answer, cases[i].status);
		expect_field(&answer, "content-type", "application/json");
		rig_check(&r, answer.status < 400 || strncmp(bytes_text(&answer.body), "{\"error\":\"", 10) == 0,
			"no error is said");
		if (cases[i].field)
			expect_field(&answer, cases[i].field, cases[i].value);
		message_free(&answer);
	}
	rig_end(&r);
}

/* What cannot be read as a request is refused, and the connection ends. */
static const struct {
	const char *sent;
	unsigned status;
} broken[] = {
	{ "GET /v1/status\r\n\r\n", 400 },
	{ "GET /v1/status HTTP/1.1\r\n\r\n", 400 },
	{ "GET /v1/status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400 },
	{ "GET /v1/status HTTP/1.1\nHost: localhost\n\n", 400 },
	{ "GET /v1/status HTTP/2.0\r\nHost: localhost\r\n\r\n", 505 },
	{ "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n", 501 },
	{ "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx", 415 },
	{ "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	  "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400 },
	{ "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	  "Content-Length: 1048577\r\n\r\n", 413 },
};

Test(admin, what_is_no_request)
{
	struct message answer;
	struct rig r;

	rig_start_with(&r, ADMIN);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct peer *client = rig_admin(&r);

		r.context = broken[i].sent;
		peer_send(client, broken[i].sent);
		message_read_answer(&answer, client, "GET");
		expect_status(&answer, broken[i].status);
		expect_field(&answer, "connection", "close");
		peer_expect_fin(client);
		message_free(&answer);
	}
	rig_end(&r);
}

/* A head has 16 KiB, whether it comes at once or in pieces. */
Test(admin, heads_are_bounded)
{
	char *field = malloc(17000);
	struct message answer;
	struct peer *client;
	struct rig r;

	memset(field, 'x', 16999);
	field[16999] = '\0';
	rig_start_with(&r, ADMIN);
	client = rig_admin(&r);
	peer_printf(client, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\n\r\n", field);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 431);
	message_free(&answer);
	client = rig_admin(&r);
	peer_printf(client, "GET /healthz?%s", field);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 414);
	message_free(&answer);
	client = rig_admin(&r);
	peer_printf(client, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: %.15000s\r\n\r\n", field);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	message_free(&answer);
	client = rig_admin(&r);
	peer_printf(client, "GET /healthz?%.2000s HTTP/1.1\r\nHost: localhost\r\n\r\n", field);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 414);
	message_free(&answer);
	free(field);
	rig_end(&r);
}

/* A body in chunks is as bounded as one with a length; after a good one the connection goes on. */
Test(admin, bodies_are_bounded)
{
	char *piece = malloc(70000);
	struct message answer;
	struct peer *client;
	struct rig r;

	memset(piece, ' ', 65536);
	memcpy(piece + 65536, "\r\n", 3);
	rig_start_with(&r, ADMIN);
	client = rig_admin(&r);
	peer_send(client, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 17; i++) {
		peer_try_send(client, "10000\r\n");
		peer_try_send(client, piece);
	}
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 413);
	message_free(&answer);
	client = rig_admin(&r);
	peer_send_bytewise(client, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
				   "GET /readyz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
				   "Content-Type: application/json\r\n\r\n");
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	message_free(&answer);
	peer_expect(client, "HTTP/1.1 100 Continue\r\n\r\n");
	peer_send(client, "{}");
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	message_free(&answer);
	free(piece);
	rig_end(&r);
}

Test(admin, token)
{
	struct message answer;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, WITH_TOKEN);
	client = rig_admin(&r);
	peer_send(client, ASK("/v1/status", ""));
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 401);
	expect_field(&answer, "www-authenticate", "Bearer realm=\"brownout\"");
	message_free(&answer);
	peer_send(client, ASK("/v1/status", "Authorization: Bearer a-token-of-this-tesT\r\n"));
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 401);
	message_free(&answer);
	peer_send(client, ASK("/v1/nothing", ""));
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 401);
	message_free(&answer);
	peer_send(client, "GET /v1/status HTTP/1.1\r\nHost: pod-7\r\nAuthorization: Bearer a-token-of-this-test\r\n\r\n");
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	message_free(&answer);
	peer_send(client, ASK("/healthz", ""));
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	message_free(&answer);
	rig_end(&r);
}

/* Behind a unix socket, which is for its user alone, no name is asked for. */
Test(admin, unix_socket)
{
	struct message answer;
	struct peer *client;
	struct stat st;
	struct rig r;

	(void)umask(0);
	rig_start_with(&r, "admin: unix:@dir@/admin.sock\n");
	client = rig_admin(&r);
	rig_check(&r, strncmp(r.program.admin, "unix:/", 6) == 0, "it is %s", r.program.admin);
	rig_check(&r, stat(r.program.admin + 5, &st) == 0 && (st.st_mode & 0777) == 0700, "mode %o", st.st_mode);
	peer_send(client, "GET /v1/status HTTP/1.1\r\nHost: whatever\r\nConnection: close\r\n\r\n");
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	peer_expect_fin(client);
	message_free(&answer);
	rig_end(&r);
}

/* HEAD has the fields of GET and no body; pipelined requests are answered in their order; HTTP/1.0 ends by itself. */
Test(admin, messages)
{
	struct message answer;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, ADMIN);
	client = rig_admin(&r);
	peer_send(client, "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" ASK("/v1/status", "") ASK("/nothing", ""));
	message_read_answer(&answer, client, "HEAD");
	expect_status(&answer, 200);
	expect_field(&answer, "content-length", "16");
	message_free(&answer);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	message_free(&answer);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 404);
	message_free(&answer);
	client = rig_admin(&r);
	peer_send(client, "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	peer_expect_fin(client);
	message_free(&answer);
	rig_end(&r);
}

/* Whoever would be reached by other machines does not start without a token: exit code 2, and the place in the file. */
Test(admin, no_open_door)
{
	static const char *const files[][2] = {
		{ "upstream: origin\nlisten: 127.0.0.1:0\nadmin: 0.0.0.0:0\n", "rules.yaml:3:8: error:" },
		{ "upstream: origin\nlisten: 127.0.0.1:0\nadmin:\n  address: \"[::]:0\"\n", "rules.yaml:4:12: error:" },
		{ "upstream: origin\nlisten: 127.0.0.1:0\nadmin: {address: some-host:1}\n", "needs a token" },
		{ "upstream: origin\nlisten: 127.0.0.1:0\nadmin: {address: \":0\", token: \"a b\"}\n", "a token is made of" },
	};
	struct program p;

	program_open(&p);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct bytes err;

		program_write_file(&p, "rules.yaml", files[i][0]);
		cr_assert_eq(program_run(&p, (const char *const[]){ "run", program_path(&p, "rules.yaml"), NULL }, NULL), 2);
		err = program_stderr(&p);
		cr_assert(strstr(bytes_text(&err), files[i][1]), "%s is not in\n%s", files[i][1], bytes_text(&err));
		bytes_free(&err);
	}
	cr_assert_eq(program_run(&p, (const char *const[]){ "run", "-u", "origin", "--admin=0.0.0.0:0", NULL },
			     (const char *const[]){ "BROWNOUT_TOKEN=", NULL }), 2);
	program_close(&p);
}

/* Whoever is slow with a head is told so, and let go; who says nothing is just let go later. */
Test(admin, slow_heads)
{
	struct message answer;
	struct peer *client, *idle;
	struct rig r;
	long long from;

	rig_start_with(&r, ADMIN);
	from = now_ms();
	client = rig_admin(&r);
	idle = rig_admin(&r);
	/* Not even by a byte now and then. */
	for (int i = 0; i < 90 && !peer_read(client, 100); i++)
		peer_try_send(client, i ? "x" : "GET /healthz?");
	while (!peer_read(client, 100) && now_ms() - from < 15000)
		;
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 408);
	rig_check(&r, now_ms() - from >= 10000, "after %lld ms", now_ms() - from);
	message_free(&answer);
	peer_send(idle, ASK("/healthz", ""));
	message_read_answer(&answer, idle, "GET");
	expect_status(&answer, 200);
	message_free(&answer);
	rig_end(&r);
}

/* So many connections at a time: one more takes the place of the one that was idle for longest, never of one that is in use. */
Test(admin, connections_are_counted)
{
	struct peer *clients[260];
	struct message answer;
	struct rig r;
	int ended = 0;

	rig_start_with(&r, ADMIN);
	for (int i = 0; i < 256; i++)
		clients[i] = rig_admin(&r);
	peer_send(clients[0], "GET /healthz HTTP/1.1\r\n");
	peer_send(clients[1], ASK("/healthz", ""));
	message_read_answer(&answer, clients[1], "GET");
	message_free(&answer);
	for (int i = 256; i < 260; i++)
		clients[i] = rig_admin(&r);
	for (int i = 2; i < 6; i++)
		peer_expect_end(clients[i]);
	peer_send(clients[0], "Host: localhost\r\n\r\n");
	for (int i = 0; i < 260; i = i == 1 ? 6 : i + 1) {
		if (i)
			peer_send(clients[i], ASK("/healthz", ""));
		message_read_answer(&answer, clients[i], "GET");
		expect_status(&answer, 200);
		message_free(&answer);
	}
	/* All in use, as soon as it has seen that they are: the newest is refused. */
	for (int i = 0; i < 260; i = i == 1 ? 6 : i + 1)
		peer_send(clients[i], "GET /healthz HTTP/1.1\r\n");
	for (int i = 0; i < 100 && ended < 4; i++) {
		struct peer *client = rig_admin(&r);

		peer_try_send(client, "GET /healthz HTTP/1.1\r\n");
		(void)peer_read(client, 20);
		ended += client->ended || client->was_reset;
	}
	rig_check(&r, ended == 4, "%d of 4 were refused", ended);
	rig_end(&r);
}
