/*
 * 71 matching: which requests a rule is for: every condition, how they combine, and what no rule may touch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(matching, .timeout = 60);


/* A condition and a request line with fields: does the rule fire? */
struct match_case {
	const char *match;
	const char *request;
	bool fires;
};

static const struct match_case cases[] = {
	{ "method: GET", "GET / HTTP/1.1", true },
	{ "method: GET", "HEAD / HTTP/1.1", false },
	{ "method: [POST, PUT]", "PUT / HTTP/1.1", true },
	{ "method: [POST, PUT]", "put / HTTP/1.1", false },
	{ "host: shop.test", "GET / HTTP/1.1\r\nHost: shop.test", true },
	{ "host: shop.test", "GET / HTTP/1.1\r\nHost: SHOP.test:8080", true },
	{ "host: shop.test", "GET / HTTP/1.1\r\nHost: shop.test.evil", false },
	{ "host: '*.shop.test'", "GET / HTTP/1.1\r\nHost: a.b.shop.test", true },
	{ "host: '*.shop.test'", "GET / HTTP/1.1\r\nHost: shop.test", false },
	{ "host: shop.test", "GET http://shop.test/ HTTP/1.1\r\nHost: other", true },
	{ "path: /a", "GET /a HTTP/1.1", true },
	{ "path: /a", "GET /a?b=c HTTP/1.1", true },
	{ "path: /a", "GET /a/ HTTP/1.1", false },
	{ "path: /a", "GET /ab HTTP/1.1", false },
	{ "path: /a", "GET /A HTTP/1.1", false },
	{ "path: /a/*", "GET /a/b HTTP/1.1", true },
	{ "path: /a/*", "GET /a/b/c HTTP/1.1", false },
	{ "path: /a/**", "GET /a/b/c HTTP/1.1", true },
	{ "path: /a/**/z", "GET /a/b/c/z HTTP/1.1", true },
	{ "path: '/a/?'", "GET /a/b HTTP/1.1", true },
	{ "path: [/x, /y]", "GET /y HTTP/1.1", true },
	{ "path: {prefix: /api}", "GET /api/v1 HTTP/1.1", true },
	{ "path: {prefix: /api}", "GET /api HTTP/1.1", true },
	{ "path: {prefix: /api}", "GET /apiary HTTP/1.1", false },
	{ "path: {regex: '^/v[12]/'}", "GET /v2/x HTTP/1.1", true },
	{ "path: {regex: '^/v[12]/'}", "GET /v3/x HTTP/1.1", false },
	{ "path: /b", "GET /a/../b HTTP/1.1", true },
	{ "path: /b", "GET /%62 HTTP/1.1", true },
	{ "path: /a/b", "GET //a///b HTTP/1.1", true },
	{ "query: {dry: '1'}", "GET /?dry=1 HTTP/1.1", true },
	{ "query: {dry: '1'}", "GET /?x=2&dry=1 HTTP/1.1", true },
	{ "query: {dry: '1'}", "GET /?dry=10 HTTP/1.1", false },
	{ "query: {dry: '1'}", "GET /?drier=1 HTTP/1.1", false },
	{ "query: {q: 'a b*'}", "GET /?q=a+b%63 HTTP/1.1", true },
	{ "query: {dry: {present: false}}", "GET / HTTP/1.1", true },
	{ "query: {dry: {present: false}}", "GET /?dry HTTP/1.1", false },
	{ "headers: {x-tenant: acme}", "GET / HTTP/1.1\r\nX-Tenant: acme", true },
	{ "headers: {X-Tenant: acme}", "GET / HTTP/1.1\r\nx-tenant: acme", true },
	{ "headers: {x-tenant: acme}", "GET / HTTP/1.1\r\nX-Tenant: ACME", false },
	{ "headers: {x-tenant: acme}", "GET / HTTP/1.1\r\nX-Tenant: other\r\nX-Tenant: acme", true },
	{ "headers: {x-tenant: 'ac*'}", "GET / HTTP/1.1\r\nX-Tenant: acme/1", true },
	{ "headers: {x-tenant: {regex: '^ac+me$'}}", "GET / HTTP/1.1\r\nX-Tenant: accme", true },
	{ "headers: {x-tenant: {present: true}}", "GET / HTTP/1.1\r\nX-Tenant:", true },
	{ "headers: {x-tenant: {present: true}}", "GET / HTTP/1.1", false },
	{ "headers: {x-tenant: {present: false}}", "GET / HTTP/1.1", true },
	{ "headers: {x-a: '1', x-b: '2'}", "GET / HTTP/1.1\r\nX-A: 1\r\nX-B: 2", true },
	{ "headers: {x-a: '1', x-b: '2'}", "GET / HTTP/1.1\r\nX-A: 1\r\nX-B: 3", false },
	{ "client: 127.0.0.0/8", "GET / HTTP/1.1", true },
	{ "client: 127.0.0.1", "GET / HTTP/1.1", true },
	{ "client: [10.0.0.0/8, '::1']", "GET / HTTP/1.1", false },
	{ "client: 127.0.0.1", "GET / HTTP/1.1\r\nX-Forwarded-For: 9.9.9.9", true },
	{ "client: 9.9.9.9", "GET / HTTP/1.1\r\nX-Forwarded-For: 9.9.9.9", false },
	{ "listener: default", "GET / HTTP/1.1", true },
	{ "upstream: default", "GET / HTTP/1.1", true },
	{ "not: {path: /a}", "GET /b HTTP/1.1", true },
	{ "not: {path: /a}", "GET /a HTTP/1.1", false },
	{ "not: {path: /a, method: GET}", "POST /a HTTP/1.1", true },
	{ "any: [{path: /a}, {method: PUT}]", "PUT /b HTTP/1.1", true },
	{ "any: [{path: /a}, {method: PUT}]", "GET /b HTTP/1.1", false },
	{ "path: /a, method: GET, host: shop.test", "GET /a HTTP/1.1\r\nHost: shop.test", true },
	{ "path: /a, method: GET, host: shop.test", "GET /a HTTP/1.1\r\nHost: other", false },
};
#define N_CASES (sizeof(cases) / sizeof(cases[0]))

/* One rule per case, told apart by a field, so that all run in one program. */
Test(matching, conditions)
{
	struct rig r;
	struct bytes yaml = { 0 };

	bytes_printf(&yaml, "rules:\n");
	for (size_t i = 0; i < N_CASES; i++)
		bytes_printf(&yaml, "  - match: {headers: {x-case: '%zu'}, any: [{%s}]}\n    abort: 503\n", i, cases[i].match);
	rig_start_with(&r, "%s", yaml.p);
	for (size_t i = 0; i < N_CASES; i++) {
		struct peer *client = rig_client(&r);
		struct message request, answer;
		struct bytes sent = { 0 };
		char method[16];

		r.context = cases[i].match;
		snprintf(method, sizeof(method), "%.*s", (int)strcspn(cases[i].request, " "), cases[i].request);
		bytes_printf(&sent, "%s\r\n%sX-Case: %zu\r\n\r\n", cases[i].request,
			strstr(cases[i].request, "Host:") ? "" : "Host: a\r\n", i);
		peer_send(client, sent.p);
		if (!cases[i].fires) {
			peer_send(rig_request(&r, &request), OK_HI);
			message_free(&request);
		}
		message_read_answer(&answer, client, method);
		rig_check(&r, answer.status == (cases[i].fires ? 503 : 200), "%s: the rule %s", cases[i].request,
			cases[i].fires ? "did not fire" : "fired");
		message_free(&answer);
		bytes_free(&sent);
		peer_close(client);
	}
	rig_expect_upstream_silence(&r, 30);
	bytes_free(&yaml);
	rig_end(&r);
}

/* Whatever a client writes for a protected path, no rule touches it. */
Test(matching, exclude_is_absolute)
{
	static const char *const excluded[] = { "/healthz", "/healthz?x=1", "//healthz", "/./healthz", "/a/../healthz",
		"/%68ealthz", "/h%65althz", "/internal/a", "/internal/a/b", "/x/%2e%2e/healthz" };
	static const char *const touched[] = { "/healthz2", "/Healthz", "/a/healthz", "/internalx", "/" };
	struct rig r;
	struct peer *client;

	rig_start_with(&r,
		"exclude: [/healthz, /internal/**]\n"
		"rules:\n"
		"  - {name: all, abort: 503}\n"
		"  - {name: all-answers, phase: response, abort: 503}\n");
	client = rig_client(&r);
	for (size_t i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++) {
		struct message request, answer;
		char sent[128];

		r.context = excluded[i];
		snprintf(sent, sizeof(sent), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", excluded[i]);
		rig_exchange(&r, client, sent, OK_HI, &request, &answer);
		rig_check(&r, strcmp(request.target, excluded[i]) == 0, "the target became %s", request.target);
		expect_status(&answer, 200);
		expect_field(&answer, "x-brownout", NULL);
		message_free(&request);
		message_free(&answer);
	}
	for (size_t i = 0; i < sizeof(touched) / sizeof(touched[0]); i++) {
		struct message answer;

		r.context = touched[i];
		peer_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", touched[i]);
		message_read_answer(&answer, client, "GET");
		expect_status(&answer, 503);
		message_free(&answer);
	}
	rig_end(&r);
}

Test(matching, first_rule_that_ends_the_list_wins)
{
	struct rig r;
	struct message answer;
	struct peer *client;

	rig_start_with(&r,
		"rules:\n"
		"  - {name: off, enabled: false, abort: 500}\n"
		"  - {name: never, percentage: 0, abort: 501}\n"
		"  - {name: other, match: {path: /other}, abort: 502}\n"
		"  - {name: wins, abort: 503}\n"
		"  - {name: hidden, match: {path: /x}, abort: 504}\n");
	client = rig_client(&r);
	peer_send(client, "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /other HTTP/1.1\r\nHost: a\r\n\r\n");
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 503);
	message_free(&answer);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 502);
	message_free(&answer);
	rig_end(&r);
}
