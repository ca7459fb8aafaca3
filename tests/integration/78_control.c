/*
 * 78 control: faults that requests ask for themselves, what they may not ask for, and that the upstream sees none of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(control, .timeout = 60);

#define ASK(path, fields) "GET " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define TOKEN "x-brownout-token: right\r\n"
#define RULES                                                                                                                   \
	"header_control: {enabled: true, allow: [abort, delay, rule], max_delay: 300ms, token: right}\nexclude: [/healthz]\n"   \
	"rules:\n  - {name: never, percentage: 0, abort: {status: 429, retry_after: 3s}}\n"

/* Without an answer of the upstream: status 0 is "forwarded". */
static const struct {
	const char *sent;
	unsigned status;
	const char *field;
	const char *value;
} cases[] = {
	{ ASK("/", TOKEN "x-brownout-abort: 503\r\n"), 503, "cache-control", "no-store" },
	{ ASK("/", TOKEN "X-Brownout-Abort: 401\r\n"), 401, "www-authenticate", "Basic realm=\"brownout\"" },
	{ ASK("/", TOKEN "x-brownout-rule: never\r\n"), 429, "retry-after", "3" },
	{ ASK("/", "x-brownout-abort: 503\r\n"), 403, "proxy-status", "brownout; error=http_request_denied" },
	{ ASK("/", "x-brownout-token: righ\r\nx-brownout-abort: 503\r\n"), 403, NULL, NULL },
	{ ASK("/", "x-brownout-token: rightx\r\nx-brownout-abort: 503\r\n"), 403, NULL, NULL },
	{ ASK("/", TOKEN "x-brownout-abort: 99\r\n"), 400, NULL, NULL },
	{ ASK("/", TOKEN "x-brownout-abort: 103\r\n"), 400, NULL, NULL },
	{ ASK("/", TOKEN "x-brownout-delay: soon\r\n"), 400, NULL, NULL },
	{ ASK("/", TOKEN "x-brownout-rule: other\r\n"), 400, NULL, NULL },
	{ ASK("/", TOKEN "x-brownout-delay: 18446744073709551616ms\r\n"), 400, NULL, NULL },
	{ ASK("/", TOKEN), 0, NULL, NULL },
	{ ASK("/healthz", TOKEN "x-brownout-abort: 503\r\n"), 0, NULL, NULL },
};

/* The log says that nothing was drawn, and names the rule where one was asked for. */
static void expect_asked(struct rig *r, unsigned line, const char *rule)
{
	const char *text = rig_log_line(r, line);
	const char *asked = rig_log_value(text, "asked"), *named = rig_log_value(text, "rule");

	rig_check(r, asked && strcmp(asked, "true") == 0 && named && strcmp(named, rule) == 0, "%s", text);
	rig_check(r, !rig_log_value(text, "draw") && !rig_log_value(text, "threshold"), "%s", text);
	rig_check(r, !rig_log_value(text, "occurrence"), "%s", text);
}

Test(control, asks)
{
	struct message request, answer;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, RULES);
	client = rig_client(&r);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r.context = cases[i].sent;
		peer_send(client, cases[i].sent);
		if (!cases[i].status) {
			peer_send(rig_request(&r, &request), OK_HI);
			expect_field(&request, "x-brownout-token", NULL);
			expect_field(&request, "x-brownout-abort", NULL);
			message_free(&request);
		}
		message_read_answer(&answer, client, "GET");
		expect_status(&answer, cases[i].status ? cases[i].status : 200);
		if (cases[i].field)
			expect_field(&answer, cases[i].field, cases[i].value);
		message_free(&answer);
	}
	rig_expect_upstream_silence(&r, 20);
	expect_asked(&r, 0, "header");
	expect_asked(&r, 2, "never");
	rig_check(&r, rig_log_value(rig_log_line(&r, 3), "asked") == NULL, "a refused one has asked");
	rig_end(&r);
}

static void expect_bounded_delay(const char *sent)
{
	struct message request, answer;
	struct peer *client;
	struct rig r;
	long long from;

	rig_start_with(&r, RULES);
	r.context = sent;
	client = rig_client(&r);
	from = now_ms();
	peer_send(client, sent);
	peer_send(rig_request(&r, &request), OK_HI);
	rig_check(&r, now_ms() - from >= 300, "it took %lld ms", now_ms() - from);
	expect_field(&request, "x-brownout-delay", NULL);
	expect_field(&request, "x-brownout-token", NULL);
	expect_field(&request, "x-other", "1");
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	message_free(&request);
	message_free(&answer);
	rig_end(&r);
}

/* Also one that is more nanoseconds than there are numbers for. */
Test(control, delay_is_bounded_and_the_upstream_sees_nothing_of_it)
{
	expect_bounded_delay(ASK("/", TOKEN "x-brownout-delay: 2m\r\nx-other: 1\r\n"));
	expect_bounded_delay(ASK("/", TOKEN "x-brownout-delay: 3000000000m\r\nx-other: 1\r\n"));
}

/* Off, as it is by default: the fields mean nothing here, and pass like any other. */
Test(control, is_off_by_default)
{
	struct message request, answer;
	struct rig r;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r), ASK("/", "x-brownout-abort: 503\r\n"), OK_HI, &request, &answer);
	expect_status(&answer, 200);
	expect_field(&request, "x-brownout-abort", "503");
	message_free(&request);
	message_free(&answer);
	rig_end(&r);
}
