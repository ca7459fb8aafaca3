/*
 * 88 admin control: what the admin listener switches and replaces, and that what is refused changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/ask.h"

TestSuite(admin_control, .timeout = 60);

#define ADMIN "admin: 127.0.0.1:0\n"
#define RULES                                                                                                                   \
	ADMIN "rules:\n  - {name: bad, match: {path: /bad}, abort: 503}\n"                                                     \
	      "  - {name: hold, match: {path: /hold}, delay: 60s}\n"

Test(admin_control, disarm_and_arm)
{
	struct peer *client;
	struct rig r;

	rig_start_with(&r, RULES);
	client = rig_client(&r);
	cr_assert_eq(ask_status(&r, client, "/bad"), 503);
	expect_ask(&r, "POST", "/v1/disarm", NULL, NULL, 200, "{\"armed\":false}");
	cr_assert_eq(ask_status(&r, client, "/bad"), 200);
	expect_ask(&r, "GET", "/v1/status", NULL, NULL, 200, "\"armed\":false");
	expect_ask(&r, "POST", "/v1/disarm", JSON, "{\"held\":\"keep\"}", 200, "{\"armed\":false}");
	expect_ask(&r, "POST", "/v1/arm", NULL, NULL, 200, "{\"armed\":true}");
	cr_assert_eq(ask_status(&r, client, "/bad"), 503);
	rig_end(&r);
}

/* What is held goes on at once, or not, as is asked for. */
Test(admin_control, disarm_and_what_is_held)
{
	struct message request, answer;
	struct peer *client;
	struct rig r;
	char *said;

	rig_start_with(&r, RULES);
	client = rig_client(&r);
	peer_send(client, GET("/hold"));
	rig_expect_upstream_silence(&r, 50);
	said = ask_until(&r, "/v1/exchanges", "\"rule\":\"hold\"");
	rig_check(&r, strcmp(rig_log_value(said, "total"), "1") == 0 && strcmp(rig_log_value(said, "target"), "/hold") == 0 &&
		strcmp(rig_log_value(said, "rule"), "hold") == 0 && strcmp(rig_log_value(said, "status"), "null") == 0,
		"%s", said);
	free(said);
	expect_ask(&r, "POST", "/v1/disarm", JSON, "{\"held\":\"keep\"}", 200, "{\"armed\":false}");
	rig_expect_upstream_silence(&r, 50);
	expect_ask(&r, "POST", "/v1/disarm", JSON, "{\"held\":\"release\"}", 200, "{\"armed\":false}");
	peer_send(rig_request(&r, &request), OK_HI);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	free_both(&request, &answer);
	free(ask_until(&r, "/v1/exchanges?limit=10000", "\"exchanges\":[]"));
	rig_end(&r);
}

/* Of what is held nothing has been said yet: what the rule would have done to the answer is let go of with the wait. */
Test(admin_control, what_is_let_go_is_whole)
{
	struct message request, answer;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, ADMIN "rules:\n  - {delay: 60s, truncate: 1, request: {headers: {set: {x-set: a}}}}\n");
	client = rig_client(&r);
	peer_send(client, GET("/"));
	rig_expect_upstream_silence(&r, 50);
	free(ask_until(&r, "/v1/exchanges", "\"total\":1,"));
	expect_ask(&r, "POST", "/v1/disarm", NULL, NULL, 200, "{\"armed\":false}");
	peer_send(rig_request(&r, &request), OK_HI);
	expect_field(&request, "x-set", NULL);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

/* A connection that a rule wants refused, and that has not come yet, is let in. */
Test(admin_control, no_connection_is_refused_once_it_is_disarmed)
{
	struct peer *client;
	struct rig r;

	rig_start_with(&r, ADMIN "rules:\n  - {match: {path: /bad}, connection: refuse}\n");
	client = rig_client(&r);
	peer_send(client, GET("/bad"));
	peer_expect_reset(client);
	expect_ask(&r, "POST", "/v1/disarm", NULL, NULL, 200, "{\"armed\":false}");
	rig_expect_usable(&r, rig_client(&r));
	rig_end(&r);
}

Test(admin_control, what_a_switch_does_not_take)
{
	static const char *const bodies[] = { "{", "[]", "\"release\"", "{\"held\":1}", "{\"held\":\"maybe\"}",
		"{\"hold\":\"keep\"}", "{\"held\":\"keep\",\"x\":1}", "{\"held\":\"keep\",\"held\":\"release\"}" };
	struct rig r;

	rig_start_with(&r, RULES);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		expect_ask(&r, "POST", "/v1/disarm", JSON, bodies[i], 400, "{\"error\":\"");
	expect_ask(&r, "POST", "/v1/disarm", YAML, "held: keep", 415, "{\"error\":\"");
	expect_ask(&r, "POST", "/v1/disarm", "application/x-www-form-urlencoded", "held=keep", 415, "{\"error\":\"");
	expect_ask(&r, "GET", "/v1/disarm", NULL, NULL, 405, "{\"error\":\"");
	expect_ask(&r, "GET", "/v1/exchanges?limit=0", NULL, NULL, 400, "{\"error\":\"");
	expect_ask(&r, "GET", "/v1/status", NULL, NULL, 200, "\"armed\":true");
	rig_end(&r);
}

/* A page of another origin can neither switch nor read, whatever it sends. */
Test(admin_control, not_by_a_page_of_another_origin)
{
	static const char *const fields[] = { "Host: localhost\r\nOrigin: http://evil.example\r\n",
		"Host: localhost\r\nOrigin: null\r\n", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n",
		"Host: rebound.evil.example\r\n" };
	struct message answer;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, RULES);
	client = rig_admin(&r);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		r.context = fields[i];
		peer_printf(client, "POST /v1/disarm HTTP/1.1\r\n%s\r\n", fields[i]);
		message_read_answer(&answer, client, "POST");
		expect_status(&answer, 403);
		expect_field(&answer, "access-control-allow-origin", NULL);
		message_free(&answer);
	}
	r.context = NULL;
	expect_ask(&r, "GET", "/v1/status", NULL, NULL, 200, "\"armed\":true");
	rig_end(&r);
}

Test(admin_control, the_whole_file)
{
	struct bytes yaml = { 0 };
	struct peer *client;
	struct rig r;
	char *said;

	rig_start_with(&r, RULES "# the end\n");
	client = rig_client(&r);
	cr_assert_eq(ask_status(&r, client, "/bad"), 503);
	said = ask(&r, "GET", "/v1/config", NULL, NULL, 200);
	cr_assert(strstr(said, "# the end\n"), "%s", said);
	bytes_printf(&yaml, "%s", said);
	free(said);
	bytes_replace(&yaml, "abort: 503", "abort: 504");
	expect_ask(&r, "PUT", "/v1/config", YAML, bytes_text(&yaml), 200, "{\"generation\":2,\"warnings\":[],\"notes\":[]}");
	cr_assert_eq(ask_status(&r, client, "/bad"), 504);
	said = ask(&r, "GET", "/v1/config", NULL, NULL, 200);
	cr_assert_str_eq(said, bytes_text(&yaml));
	free(said);
	/* A warning with its place; a note on what only a restart changes. */
	bytes_printf(&yaml, "limits: {drain: 1s}\nexpect: recommended\n");
	bytes_replace(&yaml, "workers: 1", "workers: 2");
	bytes_replace(&yaml, "  - {name: hold", "  - {abort: 500}\n  - {required: true, name: hold");
	said = ask(&r, "PUT", "/v1/config", YAML, bytes_text(&yaml), 200);
	cr_assert(strstr(said, "\"level\":\"warning\",\"message\":\"rules[2]") || strstr(said, "can never act"), "%s", said);
	cr_assert(strstr(said, "\"notes\":[\""), "%s", said);
	cr_assert(strstr(said, "\"expect: takes effect at the next start\""), "%s", said);
	cr_assert(strstr(said, "\"required: takes effect at the next start\""), "%s", said);
	free(said);
	/* Who is not judged yet is not said to be. */
	expect_ask(&r, "GET", "/v1/status", NULL, NULL, 200, "\"expectations\":false");
	expect_ask(&r, "GET", "/v1/verdict", NULL, NULL, 404, "or did not when brownout was started");
	/* The file itself is as it was: read again it has its way. */
	expect_ask(&r, "POST", "/v1/reload", NULL, NULL, 200, "\"generation\":4");
	cr_assert_eq(ask_status(&r, client, "/bad"), 503);
	bytes_free(&yaml);
	rig_end(&r);
}

Test(admin_control, what_is_refused_changes_nothing)
{
	static const struct {
		const char *type;
		const char *body;
		unsigned status;
		const char *part;
	} cases[] = {
		{ YAML, "", 422, "there is no upstream" },
		{ YAML, "upstream: origin\nrules:\n  - abort: 700\n    delay: soon\n", 422,
		  "{\"line\":3,\"column\":12,\"level\":\"error\"" },
		{ YAML, "upstream: origin\nrules:\n  - abort: 700\n    delay: soon\n", 422, "\"line\":4,\"column\":12" },
		{ YAML, "upstream: origin\nrules: [", 422, "\"details\":[{\"line\":" },
		{ YAML, "\xff\xfe", 422, "not UTF-8" },
		{ JSON, "{\"upstream\": \"origin\", \"rules\": [{\"abort\": 99}]}", 422, "\"column\":" },
		{ "text/plain", "upstream: origin\n", 415, "Content-Type" },
		/* An address that is taken: the plan is right, the machine says no. */
		{ YAML, "upstream: origin\nlisten: 192.0.2.1:1\n", 409, "cannot listen on" },
	};
	struct peer *client;
	struct rig r;
	char *before;

	rig_start_with(&r, RULES);
	before = ask(&r, "GET", "/v1/config", NULL, NULL, 200);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_ask(&r, "PUT", "/v1/config", cases[i].type, cases[i].body, cases[i].status, cases[i].part);
	expect_ask(&r, "GET", "/v1/config", NULL, NULL, 200, before);
	expect_ask(&r, "GET", "/v1/status", NULL, NULL, 200, "\"generation\":1");
	client = rig_client(&r);
	cr_assert_eq(ask_status(&r, client, "/bad"), 503);
	free(before);
	rig_end(&r);
}

/* A rule file that is not one any more is read again: refused, with the place. */
Test(admin_control, a_file_with_an_error_is_not_read)
{
	struct rig r;

	rig_start_with(&r, RULES);
	program_write_file(&r.program, "rules.yaml", "upstream: origin\nrules:\n  - abort: 1000\n");
	expect_ask(&r, "POST", "/v1/reload", NULL, NULL, 422, "\"details\":[{\"line\":3,\"column\":12,");
	expect_ask(&r, "GET", "/v1/status", NULL, NULL, 200, "\"generation\":1");
	rig_end(&r);
}

Test(admin_control, not_ready_while_stopping)
{
	struct peer *client;
	struct rig r;

	rig_start_with(&r, RULES);
	client = rig_client(&r);
	peer_send(client, GET("/hold"));
	rig_expect_upstream_silence(&r, 30);
	free(ask_until(&r, "/v1/exchanges", "\"rule\":\"hold\""));
	expect_ask(&r, "GET", "/readyz", NULL, NULL, 200, "\"ok\"");
	program_signal(&r.program, 15);
	free(ask_until(&r, "/v1/status", "\"draining\":true"));
	expect_ask(&r, "GET", "/readyz", NULL, NULL, 503, "\"draining\"");
	expect_ask(&r, "GET", "/healthz", NULL, NULL, 200, "\"ok\"");
	expect_ask(&r, "PUT", "/v1/config", YAML, "upstream: origin\n", 503, "\"error\"");
	peer_close(client);
	rig_expect_exit(&r, 0);
}

/* What asks for the file to be watched may come from elsewhere than the file, which may change in the very next moment. */
Test(admin_control, a_file_that_is_watched_from_now_on)
{
	struct bytes text = { 0 };
	struct peer *client;
	struct rig r;
	char *said;

	rig_start_with(&r, ADMIN "rules:\n  - {abort: 501}\n");
	client = rig_client(&r);
	rig_replace_rules(&r, ADMIN "watch: true\nrules:\n  - {abort: 502}\n");
	expect_ask(&r, "POST", "/v1/reload", NULL, NULL, 200, "\"generation\":2,");
	rig_replace_rules(&r, ADMIN "watch: true\nrules:\n  - {abort: 503}\n");
	rig_check(&r, rig_wait_reloads(&r, 1, 0), "the change is not noticed");
	cr_assert_eq(ask_status(&r, client, "/"), 503);
	/* A text that only asks for that is no news of the file. */
	rig_replace_rules(&r, ADMIN "rules:\n  - {abort: 504}\n");
	rig_check(&r, rig_wait_reloads(&r, 2, 0), "the change is not noticed");
	said = ask(&r, "GET", "/v1/config", NULL, NULL, 200);
	bytes_printf(&text, "watch: true\n%s", said);
	bytes_replace(&text, "504", "505");
	expect_ask(&r, "PUT", "/v1/config", YAML, bytes_text(&text), 200, "generation");
	sleep_ms(600);
	cr_assert_eq(ask_status(&r, client, "/"), 505);
	bytes_free(&text);
	free(said);
	rig_end(&r);
}
