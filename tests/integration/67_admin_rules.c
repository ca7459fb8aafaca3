/*
 * 67 admin rules: rules changed one by one: what the text in force becomes, what serves then, and what is refused.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/ask.h"

TestSuite(admin_rules, .timeout = 60);

#define RULES                                                                                                                   \
	"admin: 127.0.0.1:0\n"                                                                                                  \
	"rules:\n"                                                                                                              \
	"  # the first\n"                                                                                                       \
	"  - name: one  # its name\n"                                                                                           \
	"    match: {path: /one}\n"                                                                                             \
	"    abort: 503\n"                                                                                                      \
	"  - {name: two, match: {path: /two}, abort: 504}  # second\n"                                                          \
	"  - match: {path: /three}\n"                                                                                           \
	"    outcomes: [{weight: 1, abort: 500}, {weight: 1, abort: 502}]\n"                                                    \
	"# the end\n"

/* One request and its answer. */
struct step {
	const char *method;
	const char *target;
	const char *type;
	const char *body;
	unsigned status;
	const char *part;
};

static void expect_steps(struct rig *r, const struct step *steps, size_t n)
{
	for (const struct step *s = steps; s < steps + n; s++)
		expect_ask(r, s->method, s->target, s->type, s->body, s->status, s->part);
}
#define EXPECT_STEPS(r, steps) expect_steps((r), (steps), sizeof(steps) / sizeof((steps)[0]))

/* The text in force is `before`, one piece of it replaced. */
static void expect_text(struct rig *r, const char *before, const char *what, const char *with)
{
	struct bytes wanted = { 0 };
	char *said = ask(r, "GET", "/v1/config", NULL, NULL, 200);

	bytes_printf(&wanted, "%s", before);
	if (*what)
		bytes_replace(&wanted, what, with);
	rig_check(r, strcmp(said, bytes_text(&wanted)) == 0, "the text in force is\n%s\nnot\n%s", said, bytes_text(&wanted));
	bytes_free(&wanted);
	free(said);
}

static const struct step one_by_one[] = {
	{ "GET", "/v1/rules/two", NULL, NULL, 200, "\"text\":\"{name: two, match: {path: /two}, abort: 504}\"" },
	{ "GET", "/v1/rules/%74w%6f", NULL, NULL, 200, "\"name\":\"two\"" },
	{ "GET", "/v1/rules/rule-3", NULL, NULL, 200, "\"name\":\"rule-3\"" },
	{ "GET", "/v1/rules/rule-2", NULL, NULL, 404, "no rule named" },
	{ "GET", "/v1/rules/", NULL, NULL, 404, "error" },
	{ "GET", "/v1/rules/%zz", NULL, NULL, 404, "error" },
	{ "GET", "/v1/rules/%ff%00", NULL, NULL, 404, "error" },
	{ "GET", "/v1/rules?text=2", NULL, NULL, 400, "error" },
	{ "POST", "/v1/rules/one", NULL, NULL, 405, "error" },
};

Test(admin_rules, listed)
{
	struct peer *client;
	struct rig r;
	char *said;

	rig_start_with(&r, RULES);
	client = rig_client(&r);
	cr_assert_eq(ask_status(&r, client, "/one"), 503);
	said = ask_until(&r, "/v1/rules", "\"active\":0,\"text\":\"name: one ");
	rig_check(&r, strstr(said, "{\"generation\":1,\"rules\":[{\"name\":\"one\",\"phase\":\"request\",\"enabled\":true,"
		"\"dry_run\":false,\"percentage\":100,\"faults\":[\"abort\"],\"matched\":1,\"fired\":1,\"dry\":0,\"refused\":0,"
		"\"early\":0,\"active\":0,\"text\":\"name: one  # its name\\nmatch: {path: /one}\\nabort: 503\"},"), "%s", said);
	rig_check(&r, strstr(said, "\"name\":\"rule-3\",\"phase\":\"request\",\"enabled\":true,\"dry_run\":false,"
		"\"percentage\":null,"), "%s", said);
	free(said);
	said = ask(&r, "GET", "/v1/rules?text=0", NULL, NULL, 200);
	rig_check(&r, strstr(said, "\"name\":\"two\"") && !strstr(said, "\"text\""), "%s", said);
	free(said);
	EXPECT_STEPS(&r, one_by_one);
	rig_end(&r);
}

Test(admin_rules, merged)
{
	struct peer *client;
	struct rig r;
	char *before;

	rig_start_with(&r, RULES);
	client = rig_client(&r);
	before = ask(&r, "GET", "/v1/config", NULL, NULL, 200);
	expect_ask(&r, "PATCH", "/v1/rules/one", JSON, "{\"enabled\": false}", 200, "\"enabled\":false");
	expect_text(&r, before, "    abort: 503\n", "    abort: 503\n    enabled: false\n");
	cr_assert_eq(ask_status(&r, client, "/one"), 200);
	expect_ask(&r, "PATCH", "/v1/rules/one", "application/merge-patch+json", "{\"enabled\": null}", 200, "\"enabled\":true");
	expect_text(&r, before, "", "");
	cr_assert_eq(ask_status(&r, client, "/one"), 503);
	expect_ask(&r, "PATCH", "/v1/rules/two", YAML, "abort: 429\nmatch: {method: [GET]}\n", 200, "\"name\":\"two\"");
	expect_text(&r, before, "match: {path: /two}, abort: 504", "match: {path: /two, method: [GET]}, abort: 429");
	cr_assert_eq(ask_status(&r, client, "/two"), 429);
	expect_ask(&r, "PATCH", "/v1/rules/two", JSON, "{\"name\": \"zwei\"}", 200, "\"name\":\"zwei\"");
	expect_ask(&r, "GET", "/v1/rules/two", NULL, NULL, 404, "no rule");
	/* Counts go on where only a switch was turned. */
	expect_ask(&r, "PATCH", "/v1/rules/one", JSON, "{\"percentage\": 50.5}", 200, "\"percentage\":50.5,");
	expect_ask(&r, "GET", "/v1/rules/one", NULL, NULL, 200, "\"matched\":1,");
	free(before);
	rig_end(&r);
}

Test(admin_rules, put_and_removed)
{
	struct peer *client;
	struct rig r;
	char *before;

	rig_start_with(&r, RULES);
	client = rig_client(&r);
	before = ask(&r, "GET", "/v1/config", NULL, NULL, 200);
	expect_ask(&r, "PUT", "/v1/rules/new", YAML, "# why\nmatch: {path: /new}\nabort: 418\n", 201, "\"name\":\"new\"");
	expect_text(&r, before, "{weight: 1, abort: 502}]\n",
		"{weight: 1, abort: 502}]\n  - name: new\n    # why\n    match: {path: /new}\n    abort: 418\n");
	cr_assert_eq(ask_status(&r, client, "/new"), 418);
	expect_ask(&r, "PUT", "/v1/rules/new", JSON, "{\"name\": \"new\", \"match\": {\"path\": \"/new\"}, \"abort\": 410}", 200,
		"\"name\":\"new\"");
	cr_assert_eq(ask_status(&r, client, "/new"), 410);
	expect_ask(&r, "DELETE", "/v1/rules/new", NULL, NULL, 204, "");
	expect_ask(&r, "DELETE", "/v1/rules/new", NULL, NULL, 404, "no rule");
	cr_assert_eq(ask_status(&r, client, "/new"), 200);
	expect_ask(&r, "PUT", "/v1/rules/all?before=one", JSON, "{\"abort\": 599}", 201, "\"name\":\"all\"");
	cr_assert_eq(ask_status(&r, client, "/one"), 599);
	expect_ask(&r, "DELETE", "/v1/rules/all", NULL, NULL, 204, "");
	expect_text(&r, before, "", "");
	expect_ask(&r, "DELETE", "/v1/rules/one", NULL, NULL, 204, "");
	expect_ask(&r, "DELETE", "/v1/rules/two", NULL, NULL, 204, "");
	expect_ask(&r, "DELETE", "/v1/rules/rule-3", NULL, NULL, 404, "no rule");
	expect_ask(&r, "DELETE", "/v1/rules/rule-1", NULL, NULL, 204, "");
	expect_ask(&r, "GET", "/v1/rules", NULL, NULL, 200, "\"rules\":[]}");
	expect_ask(&r, "PUT", "/v1/rules/again", JSON, "{\"abort\": 418}", 201, "\"name\":\"again\"");
	cr_assert_eq(ask_status(&r, client, "/one"), 418);
	free(before);
	rig_end(&r);
}

static const struct step refused[] = {
	{ "PATCH", "/v1/rules/none", JSON, "{\"enabled\":false}", 404, "no rule named" },
	{ "PATCH", "/v1/rules/one", JSON, "{\"enabled\":", 400, "no JSON: line 1, column 11" },
	{ "PATCH", "/v1/rules/one", JSON, "[]", 400, "no JSON object" },
	{ "PATCH", "/v1/rules/one", JSON, "{\"enabled\":1,\"enabled\":2}", 400, "no JSON" },
	{ "PATCH", "/v1/rules/one", JSON, "{\"name\":\"two\"}", 422, "another rule is named" },
	{ "PATCH", "/v1/rules/one", JSON, "{\"name\":\"a b\"}", 422, "is not a name" },
	/* The places are those of the rule as it would have been. */
	{ "PATCH", "/v1/rules/one", JSON, "{\"percentage\":101}", 422,
	  "\"details\":[{\"line\":4,\"column\":13,\"level\":\"error\",\"message\":\"rules[0].percentage" },
	{ "PATCH", "/v1/rules/one", JSON, "{\"abort\":null}", 422, "\"file_line\":4" },
	{ "PUT", "/v1/rules/new", YAML, "match:\n  pth: /x\nabort: 503\n", 422, "\"details\":[{\"line\":3,\"column\":3," },
	/* Those of the body, where it cannot be read at all. */
	{ "PUT", "/v1/rules/new", YAML, "a: [\n", 422, "\"details\":[{\"line\":2,\"column\":1," },
	{ "PUT", "/v1/rules/new", YAML, "- abort: 503\n", 422, "a rule is a mapping" },
	{ "PUT", "/v1/rules/new", YAML, "", 422, "a rule is a mapping" },
	{ "PUT", "/v1/rules/new", YAML, "name: other\nabort: 503\n", 422, "the name is another one" },
	{ "PUT", "/v1/rules/one", JSON, "{\"name\":\"two\",\"abort\":503}", 422, "the name is another one" },
	{ "PUT", "/v1/rules/new?before=none", JSON, "{\"abort\":503}", 404, "before: there is no rule" },
	{ "PUT", "/v1/rules/a%20b", JSON, "{\"abort\":503}", 422, "is not a name" },
	{ "PUT", "/v1/rules/new", "text/plain", "abort: 503", 415, "Content-Type" },
};

Test(admin_rules, what_is_refused_changes_nothing)
{
	struct rig r;
	char *before;

	rig_start_with(&r, RULES);
	before = ask(&r, "GET", "/v1/config", NULL, NULL, 200);
	EXPECT_STEPS(&r, refused);
	expect_text(&r, before, "", "");
	expect_ask(&r, "GET", "/v1/status", NULL, NULL, 200, "\"generation\":1,");
	free(before);
	rig_end(&r);
}

static unsigned put_status(struct rig *r, const char *target, const char *body)
{
	struct peer *client = rig_admin(r);
	struct message answer;
	unsigned status;

	peer_printf(client, "PUT %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: " JSON
		"\r\nContent-Length: %zu\r\n\r\n%s", target, strlen(body), body);
	message_read_answer(&answer, client, "PUT");
	status = answer.status;
	message_free(&answer);
	peer_close(client);
	return status;
}

/* The file, which has the rule, is read again at that moment: it is replaced or added, whichever came first. */
Test(admin_rules, put_while_the_file_is_read_again)
{
	struct rig r;

	rig_start_with(&r, RULES);
	for (int i = 0; i < 100; i++) {
		unsigned status;

		expect_ask(&r, "DELETE", "/v1/rules/two", NULL, NULL, 204, "");
		program_signal(&r.program, SIGHUP);
		status = put_status(&r, "/v1/rules/two", "{\"abort\":418}");
		rig_check(&r, status == 200 || status == 201, "PUT %d is answered with %u", i, status);
		rig_check(&r, rig_wait_reloads(&r, (unsigned)i + 1, 0), "not read again");
	}
	rig_end(&r);
}

/* A file that cannot be changed in one place alone is left as it is. */
Test(admin_rules, aliases)
{
	struct rig r;

	rig_start_with(&r, "admin: 127.0.0.1:0\nrules:\n  - {name: a, match: &m {path: /a}, abort: 503}\n"
			   "  - {name: b, match: *m, delay: 1ms}\n");
	expect_ask(&r, "PATCH", "/v1/rules/a", JSON, "{\"match\":{\"path\":\"/b\"}}", 409, "PUT /v1/config");
	expect_ask(&r, "PATCH", "/v1/rules/b", JSON, "{\"match\":{\"path\":\"/b\"}}", 200, "match: {path: /b}");
	expect_ask(&r, "PATCH", "/v1/rules/a", JSON, "{\"match\":{\"path\":\"/c\"}}", 200, "match: &m {path: /c}");
	rig_end(&r);
}

/* Characters that JSON and YAML write differently come through as they are. */
Test(admin_rules, texts)
{
	struct message answer;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, RULES);
	client = rig_client(&r);
	expect_ask(&r, "PATCH", "/v1/rules/one", JSON,
		"{\t\"abort\": {\"status\": 503, \"body\": "
		"\"\\ud83d\\ude00\xe2\x80\xa8\\u2029\\/\\\\u0041\\t#: \xc2\x85\x7f\"}}", 200,
		"\"name\":\"one\"");
	peer_send(client, GET("/one"));
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "\xf0\x9f\x98\x80\xe2\x80\xa8\xe2\x80\xa9/\\u0041\t#: \xc2\x85\x7f");
	message_free(&answer);
	rig_end(&r);
}
