/*
 * 68 ctl: the command line against a running brownout: what it says, to people and to programs, and how it ends.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/wait.h>

#include <criterion/criterion.h>

#include "harness/ask.h"

TestSuite(ctl, .timeout = 60);

#define RULES                                                                                                                   \
	"rules:\n"                                                                                                              \
	"  - {name: one, match: {path: /one}, abort: 503}\n"                                                                    \
	"  - {name: a/b, match: {path: /two}, delay: 60s}\n"
#define ADMIN "admin: 127.0.0.1:0\n"

/* `brownout ctl` with these words (apart by one blank) ends with this code, and what it says has this part. */
static void expect_ctl_with(struct rig *r, const char *words, const char *const *variables, int code, const char *part)
{
	const char *arguments[PROGRAM_ARGUMENTS_MAX] = { "ctl" };
	char *copy = strdup(words), *rest = copy, *word;
	struct program p = { 0 };
	struct bytes out, err;
	int n = 1, got;

	while ((word = strsep(&rest, " ")) && n < PROGRAM_ARGUMENTS_MAX - 1) {
		if (*word)
			arguments[n++] = word;
	}
	arguments[n] = NULL;
	program_open(&p);
	got = program_run(&p, arguments, variables);
	out = program_stdout(&p);
	err = program_stderr(&p);
	rig_check(r, !program_has_report(&p), "%s: %s", words, bytes_text(&err));
	rig_check(r, got == code && (strstr(bytes_text(&out), part) || strstr(bytes_text(&err), part)),
		"ctl %s ended with %d and said\n%s%sbut not %s", words, got, bytes_text(&out), bytes_text(&err), part);
	bytes_free(&out);
	bytes_free(&err);
	program_close(&p);
	free(copy);
}

/* The same against the rig's program. */
static void expect_ctl(struct rig *r, const char *words, int code, const char *part)
{
	char variable[160];

	rig_check(r, program_wait_admin(&r->program), "the program has no admin listener");
	snprintf(variable, sizeof(variable), "BROWNOUT_ADMIN=%s", r->program.admin);
	expect_ctl_with(r, words, (const char *const[]){ variable, "BROWNOUT_TOKEN=", NULL }, code, part);
}

/* The switch is thrown, but who threw it must not be told that nothing happens any more while one worker may not have heard. */
Test(ctl, a_worker_that_hangs_is_named)
{
	struct peer *client;
	struct rig r;
	pid_t worker;

	rig_start_with(&r, ADMIN RULES);
	client = rig_client(&r);
	cr_assert_eq(ask_status(&r, client, "/one"), 503);
	rig_check(&r, program_wait_admin(&r.program), "the program has no admin listener");
	worker = rig_hold_worker(&r, "worker 0");
	expect_ctl(&r, "disarm", 125, "ctl: disarmed, but no sign of worker 0: ");
	expect_ctl(&r, "reload", 125, "ctl: reload: no sign of worker 0 for 3 s\n");
	expect_ask(&r, "GET", "/v1/exchanges", NULL, NULL, 200, "\"exchanges\":[]");
	expect_ctl(&r, "status", 0, "DISARMED: no fault is decided\n2 rules, generation 1,");
	rig_wait_said(&r, "disarm: no sign of worker 0 for 3 s");
	program_release_thread(worker);
	/* What it was asked for it does in that order: when it has said what it knows, it has disarmed. */
	expect_ask(&r, "GET", "/v1/exchanges", NULL, NULL, 200, "\"exchanges\":[]");
	cr_assert_eq(ask_status(&r, client, "/one"), 200);
	expect_ctl(&r, "disarm", 0, "disarmed; what was held goes on\n");
	expect_ctl(&r, "reload", 0, "is in force\n");
	expect_ctl(&r, "arm", 0, "armed\n");
	cr_assert_eq(ask_status(&r, client, "/one"), 503);
	rig_end(&r);
}

/* What a worker does not come to do is given back where the program ends before. */
Test(ctl, a_worker_that_hangs_until_the_end)
{
	struct rig r;
	pid_t worker;

	rig_start_with(&r, ADMIN RULES);
	rig_check(&r, program_wait_admin(&r.program), "the program has no admin listener");
	worker = rig_hold_worker(&r, "worker 0");
	expect_ctl(&r, "disarm", 125, "no sign of worker 0");
	program_signal(&r.program, SIGTERM);
	program_release_thread(worker);
	rig_end(&r);
}

/* One that never comes round does not keep the program from its end, which says what was lost. */
Test(ctl, a_worker_that_hangs_beyond_the_end)
{
	struct peer *client;
	struct rig r;
	pid_t worker;

	rig_start_with(&r, ADMIN "limits: {drain: 1s}\n" RULES);
	client = rig_client(&r);
	cr_assert_eq(ask_status(&r, client, "/one"), 503);
	worker = rig_hold_worker(&r, "worker 0");
	program_signal(&r.program, SIGTERM);
	rig_wait_said(&r, "no sign of worker 0 for 5 s: its exchanges are lost");
	cr_assert_eq(waitpid(worker, NULL, __WALL), worker); /* it is traced: until then the program has not ended */
	rig_expect_exit(&r, 125);
}

Test(ctl, verbs)
{
	struct message request, answer;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, ADMIN RULES "# the end\n");
	client = rig_client(&r);
	cr_assert_eq(ask_status(&r, client, "/one"), 503);
	expect_ctl(&r, "status", 0, "armed\n2 rules, generation 1, seed 1, 1 worker\n");
	expect_ctl(&r, "rules", 0,
		"RULE  STATE  PERCENT  PHASE    FAULTS  MATCHED  FIRED  DRY  REFUSED  ACTIVE\n"
		"one   on         100  request  abort         1      1    0        0       0\n"
		"a/b   on         100  request  delay         0      0    0        0       0\n");
	expect_ctl(&r, "rules a/b", 0, "\n  {name: a/b, match: {path: /two}, delay: 60s}\n");
	expect_ctl(&r, "disable one", 0, "one: disabled\n");
	cr_assert_eq(ask_status(&r, client, "/one"), 200);
	expect_ctl(&r, "enable one a/b", 0, "one: enabled\na/b: enabled\n");
	cr_assert_eq(ask_status(&r, client, "/one"), 503);
	expect_ctl(&r, "set one abort.status=429 abort.headers.x-why=because match.method=[\"GET\"] percentage=100", 0,
		"one: set\n");
	cr_assert_eq(ask_status(&r, client, "/one"), 429);
	expect_ctl(&r, "config", 0,
		"- {name: one, match: {path: /one, method: [GET]}, abort: {status: 429, headers: {x-why: because}}");
	expect_ctl(&r, "disarm", 0, "disarmed; what was held goes on\n");
	expect_ctl(&r, "status", 0, "DISARMED");
	/* A rule that is on looks as if it did something. */
	expect_ctl(&r, "rules", 0, "0\ndisarmed: no fault is decided before brownout ctl arm\n");
	expect_ctl(&r, "rules one", 0, "disarmed: no fault");
	cr_assert_eq(ask_status(&r, client, "/one"), 200);
	expect_ctl(&r, "arm", 0, "armed\n");
	peer_send(client, GET("/two"));
	rig_expect_upstream_silence(&r, 30);
	free(ask_until(&r, "/v1/exchanges", "\"target\":\"/two\""));
	expect_ctl(&r, "exchanges", 0, "a/b   GET     /two");
	expect_ctl(&r, "disarm --keep-held", 0, "disarmed; what was held stays held\n");
	rig_expect_upstream_silence(&r, 30);
	expect_ctl(&r, "disarm", 0, "goes on");
	peer_send(rig_request(&r, &request), OK_HI);
	message_read_answer(&answer, client, "GET");
	free_both(&request, &answer);
	expect_ctl(&r, "arm", 0, "armed\n");
	expect_ctl(&r, "reset", 0, "begin at 0");
	expect_ctl(&r, "rules one", 0, "one   on         100  request  abort         0      0");
	expect_ctl(&r, "reload", 0, "is in force\n");
	cr_assert_eq(ask_status(&r, client, "/one"), 503);
	expect_ctl(&r, "remove one", 0, "one: removed\n");
	expect_ctl(&r, "top", 0, "in all 7 requests");
	/* There was no delay to be measured: that is not one of 0. */
	expect_ctl(&r, "top", 0, "  delay error -\n\n");
	expect_ctl(&r, "top --json --count 2", 0, "}\n{\"");
	rig_end(&r);
}

Test(ctl, files)
{
	char words[200];
	struct rig r;

	rig_start_with(&r, ADMIN RULES);
	program_write_file(&r.program, "rule.yaml", "# a new one\nmatch: {path: /new}\nabort: 410\n");
	snprintf(words, sizeof(words), "put new %s --before one", program_path(&r.program, "rule.yaml"));
	expect_ctl(&r, words, 0, "new: added\n");
	expect_ctl(&r, "config", 0,
		"rules:\n  - name: new\n    # a new one\n    match: {path: /new}\n    abort: 410\n  - {name: one");
	snprintf(words, sizeof(words), "put new %s", program_path(&r.program, "rule.yaml"));
	expect_ctl(&r, words, 0, "new: replaced\n");
	program_write_file(&r.program, "whole.yaml", "upstream: origin\nlisten: 127.0.0.1:0\nrules: []\n");
	snprintf(words, sizeof(words), "config %s", program_path(&r.program, "whole.yaml"));
	expect_ctl(&r, words, 0, "is in force\n");
	expect_ctl(&r, "rules", 0, "there are no rules\n");
	program_write_file(&r.program, "bad.yaml", "upstream: origin\nrules:\n  - abort: 1\n");
	snprintf(words, sizeof(words), "config %s", program_path(&r.program, "bad.yaml"));
	expect_ctl(&r, words, 2, "  3:12: error: rules[0].abort");
	expect_ctl(&r, "put x /nonexistent/file", 2, "/nonexistent/file: No such file");
	rig_end(&r);
}

Test(ctl, for_programs)
{
	struct rig r;

	rig_start_with(&r, ADMIN RULES);
	expect_ctl(&r, "--json status", 0, "{\"version\":\"");
	expect_ctl(&r, "rules --json", 0, "{\"generation\":1,\"rules\":[{\"name\":\"one\"");
	expect_ctl(&r, "disarm --json", 0, "{\"armed\":false}\n");
	expect_ctl(&r, "--json set one percentage=5", 0, "\"percentage\":5,");
	expect_ctl(&r, "--json top", 0, "{\"time\":");
	expect_ctl(&r, "--json reload", 0, "{\"generation\":");
	rig_end(&r);
}

Test(ctl, verdict)
{
	struct rig r;

	rig_start_with(&r, ADMIN RULES "expect: {retry_after: 100%%}\n");
	expect_ctl(&r, "verdict", 0, "verdict so far: ");
	expect_ctl(&r, "verdict", 0, "CHECK");
	expect_ctl(&r, "verdict --json", 0, "\"so_far\":");
	program_signal(&r.program, SIGTERM);
	rig_expect_exit(&r, 3); /* nobody came, which is never a pass */
}

Test(ctl, wrong_words)
{
	static const struct {
		const char *words;
		const char *part;
	} cases[] = {
		{ "", "a verb is needed" },
		{ "rule", "did you mean rules?" },
		{ "nonsense", "there is no verb nonsense" },
		{ "set one", "usage: brownout ctl set NAME KEY=VALUE..." },
		{ "set one percentage", "percentage is not KEY=VALUE" },
		{ "set one =1", "=1 is not KEY=VALUE" },
		{ "set one a..b=1", "a..b=1 is not KEY=VALUE" },
		{ "set one .a=1", ".a=1 is not KEY=VALUE" },
		{ "set one a.=1", "a.=1 is not KEY=VALUE" },
		{ "set one a.b=1 a=2", "a is set twice" },
		{ "set one a=1 a=2", "a is set twice" },
		{ "set one percentage=lots", "refused for 1 error\n" },
		{ "set one percentage=lots", "error: rules[0].percentage: \"lots\" is not a percentage" },
		{ "set none percentage=1", "there is no rule named \"none\"" },
		{ "enable none", "there is no rule named" },
		{ "remove none", "there is no rule named" },
		{ "rules none", "there is no rule named" },
		{ "tail --count 0", "a whole number from 1" },
		{ "tail --rule none", "there is no rule named" },
		{ "verdict", "the rule file expects nothing" },
		{ "status more", "usage: brownout ctl status" },
	};
	struct rig r;

	rig_start_with(&r, ADMIN RULES);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_ctl(&r, cases[i].words, 2, cases[i].part);
	expect_ctl(&r, "--admin nonsense status", 2, "\"nonsense\" has no port");
	expect_ctl(&r, "set one a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1", 2, "is not KEY=VALUE");
	expect_ctl(&r, "--help", 0, "disarm");
	rig_end(&r);
}

/* Exchanges as they end, one line each; what a client sent cannot drive a terminal. */
Test(ctl, tail)
{
	struct program p = { 0 };
	struct message answer;
	struct peer *client;
	struct bytes out;
	struct rig r;

	rig_start_with(&r, ADMIN RULES);
	rig_check(&r, program_wait_admin(&r.program), "no admin listener");
	program_open(&p);
	program_start(&p, (const char *const[]){ "ctl", "-a", r.program.admin, "tail", "-n", "2", "--rule", "one", NULL }, NULL);
	client = rig_client(&r);
	/* It may not listen yet: what it misses is asked for again. */
	for (int i = 0; i < 200 && !program_wait(&p, 20); i++) {
		peer_send(client, GET("/one"));
		message_read_answer(&answer, client, "GET");
		message_free(&answer);
	}
	out = program_stdout(&p);
	rig_check(&r, p.code == 0 && strstr(bytes_text(&out), " 503 GET /one  ") && strstr(bytes_text(&out), "rule one: abort"),
		"%d: %s", p.code, bytes_text(&out));
	bytes_free(&out);
	program_close(&p);
	rig_end(&r);
}

/* Fewer than were asked for are no success. */
Test(ctl, tail_of_one_that_ends)
{
	struct bytes out = { 0 }, said;
	struct message answer;
	struct peer *client;
	struct program p;
	struct rig r;

	rig_start_with(&r, ADMIN RULES);
	rig_check(&r, program_wait_admin(&r.program), "no admin listener");
	program_open(&p);
	program_start(&p, (const char *const[]){ "ctl", "-a", r.program.admin, "tail", "-n", "100000", NULL }, NULL);
	client = rig_client(&r);
	for (int i = 0; i < 200 && out.n == 0; i++) {
		peer_send(client, GET("/one"));
		message_read_answer(&answer, client, "GET");
		message_free(&answer);
		(void)program_wait(&p, 20);
		out = program_stdout(&p);
	}
	rig_check(&r, out.n > 0, "it has not listened");
	bytes_free(&out);
	program_signal(&r.program, SIGTERM);
	rig_check(&r, program_wait(&p, 20000), "it goes on");
	said = program_stderr(&p);
	rig_check(&r, p.code == 125 && strstr(bytes_text(&said), "has ended, or closed the connection"), "%d: %s", p.code,
		bytes_text(&said));
	bytes_free(&said);
	program_close(&p);
	rig_expect_exit(&r, 0);
}

Test(ctl, token_and_unix_socket)
{
	char words[200];
	struct rig r;

	rig_start_with(&r, "admin: {address: unix:@dir@/a.sock, token: a-token-of-this-test}\n" RULES);
	expect_ctl(&r, "status", 2, "a token is needed");
	expect_ctl(&r, "--token a-token-of-this-tesT status", 2, "a token is needed");
	expect_ctl(&r, "--token a-token-of-this-test status", 0, "armed\n");
	snprintf(words, sizeof(words), "--admin %s rules", r.program.admin);
	expect_ctl_with(&r, words,
		(const char *const[]){ "BROWNOUT_ADMIN=127.0.0.1:1", "BROWNOUT_TOKEN=a-token-of-this-test", NULL }, 0, "a/b");
	rig_end(&r);
}

/* Nobody is there; somebody else is there. */
Test(ctl, nobody_answers)
{
	struct rig r;
	char words[200];

	rig_start_with(&r, RULES);
	snprintf(words, sizeof(words), "--admin http://%s/ status", r.program.listeners[0]);
	rig_close_upstream(&r, 0);
	expect_ctl_with(&r, words, NULL, 125, "an answer with status 502");
	expect_ctl_with(&r, "--admin 127.0.0.1:1 status", NULL, 125, "nothing listens on 127.0.0.1:1\n");
	expect_ctl_with(&r, "--admin unix:/nonexistent/socket status", NULL, 125,
		"nothing listens on unix:/nonexistent/socket\n");
	rig_end(&r);
}

/* Without a file the rules are what the flags have made, and can be changed all the same. */
Test(ctl, rules_of_flags)
{
	struct rig r = { 0 };

	program_open(&r.program);
	program_start(&r.program, (const char *const[]){ "run", "-u", "origin", "-l", "127.0.0.1:0", "--abort", "503",
		"--admin=127.0.0.1:0", "--workers", "1", NULL }, NULL);
	rig_check(&r, program_wait_listening(&r.program, 1), "it does not listen");
	expect_ctl(&r, "set rule-1 percentage=50", 0, "rule-1: set\n");
	expect_ctl(&r, "config", 0, "\"abort\": 503,\n      percentage: 50\n");
	expect_ctl(&r, "reload", 2, "there is no file to be read again");
	expect_ctl(&r, "remove rule-1", 0, "rule-1: removed\n");
	expect_ctl(&r, "rules", 0, "there are no rules\n");
	rig_end(&r);
}
