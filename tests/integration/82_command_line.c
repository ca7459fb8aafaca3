/*
 * 82 command line: what the subcommands say and where, how they end, and how they refuse.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(command_line, .timeout = 60);


/* Runs it to its end; *said is what it wrote to standard error. */
static int run_file(struct program *p, const char *yaml, struct bytes *said)
{
	int code;

	program_open(p);
	program_write_file(p, "rules.yaml", yaml);
	code = program_run(p, (const char *const[]){ "run", program_path(p, "rules.yaml"), NULL }, NULL);
	*said = program_stderr(p);
	return code;
}

Test(command_line, every_error_of_a_rule_file_with_its_place)
{
	static const char yaml[] = "listen: 127.0.0.1:0\n"
				   "upstrem: http://127.0.0.1:9\n"
				   "rules:\n"
				   "  - abort: 999\n"
				   "  - delay: 10 minutes\n"
				   "  - abort: 503\n"
				   "    abort: 504\n";
	static const char *const places[] = { "rules.yaml:2:1: error:", "rules.yaml:4:12: error:", "rules.yaml:5:12: error:",
		"rules.yaml:7:5: error:" };
	struct program p;
	struct bytes said;
	int code = run_file(&p, yaml, &said);

	cr_assert(code == 2, "exit code %d\n%s", code, bytes_text(&said));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		cr_assert(strstr(bytes_text(&said), places[i]), "%s is not in\n%s", places[i], bytes_text(&said));
	cr_assert(strstr(bytes_text(&said), "upstream"), "no word of what was meant:\n%s", bytes_text(&said));
	cr_assert(!program_has_report(&p), "%s", bytes_text(&said));
	bytes_free(&said);
	program_close(&p);
}

Test(command_line, wrong_arguments)
{
	static const char *const arguments[][4] = {
		{ "run", "/nonexistent/rules.yaml", NULL },
		{ "run", "--no-such-option", NULL },
		{ "nosuchcommand", NULL },
		{ "run", "-u", "not a url", NULL },
		{ "check", "/nonexistent/rules.yaml", NULL },
		{ "status", "99", NULL },
		{ "help", "abort", NULL },
		{ "help", "rules", "abrot", NULL },
		{ "help", "faults", "abort", NULL },
		{ "status", "600", NULL },
		{ "status", "abc", NULL },
	};
	struct program p;

	program_open(&p);
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		int code = program_run(&p, arguments[i], NULL);
		struct bytes said = program_stderr(&p);

		cr_assert(code == 2, "%s %s: exit code %d", arguments[i][0], arguments[i][1] ? arguments[i][1] : "", code);
		cr_assert(said.n > 0, "%s %s: not a word", arguments[i][0], arguments[i][1] ? arguments[i][1] : "");
		bytes_free(&said);
	}
	program_close(&p);
}

Test(command_line, good_commands)
{
	static const char *const arguments[][4] = {
		{ "help", NULL },
		{ "--help", NULL },
		{ "help", "rules", NULL },
		{ "help", "rules", "rules[0].abort", NULL },
		{ "help", "faults", NULL },
		{ "help", "log", NULL },
		{ "help", "origin", NULL },
		{ "help", "exit-codes", NULL },
		{ "version", NULL },
		{ "--version", NULL },
		{ "schema", NULL },
		{ "status", NULL },
		{ "status", "503", NULL },
		{ "status", "5xx", NULL },
		{ "status", "520", NULL },
		{ "status", "222", NULL },
		{ "status", "503", "--json", NULL },
		{ "run", "--help", NULL },
		{ "check", "--help", NULL },
	};
	struct program p;

	program_open(&p);
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		int code = program_run(&p, arguments[i], NULL);
		struct bytes out = program_stdout(&p);
		struct bytes err = program_stderr(&p);
		const char *second = arguments[i][1] ? arguments[i][1] : "";

		cr_assert(code == 0, "%s %s: exit code %d\n%s", arguments[i][0], second, code, bytes_text(&err));
		cr_assert(out.n > 0 && err.n == 0, "%s %s: %zu bytes on standard output, on standard error:\n%s", arguments[i][0],
			second, out.n, bytes_text(&err));
		cr_assert(out.p[out.n - 1] == '\n', "%s %s: the last line has no end", arguments[i][0], second);
		bytes_free(&out);
		bytes_free(&err);
	}
	program_close(&p);
}

Test(command_line, check_says_ok_or_what_is_wrong)
{
	struct program p;
	struct bytes out;
	char path[128];
	char expected[240];
	int code;

	program_open(&p);
	program_write_file(&p, "good.yaml", "upstream: http://127.0.0.1:9\nrules:\n  - abort: 503\n  - delay: 1s\n");
	program_write_file(&p, "good.json",
		"{\"upstream\": \"http://127.0.0.1:9\", \"rules\": [{\"abort\": 503, \"percentage\": 10.5}]}\n");
	program_write_file(&p, "bad.yaml", "upstream: http://127.0.0.1:9\nrules:\n  - abort: 100\n");
	snprintf(path, sizeof(path), "%s", program_path(&p, "good.yaml"));
	code = program_run(&p, (const char *const[]){ "check", path, NULL }, NULL);
	out = program_stdout(&p);
	snprintf(expected, sizeof(expected), "%s: ok, 2 rules\n  listener  default  http://127.0.0.1:8080\n", path);
	cr_assert(code == 0 && strncmp(bytes_text(&out), expected, strlen(expected)) == 0, "exit code %d, said %s", code,
		bytes_text(&out));
	bytes_free(&out);
	code = program_run(&p, (const char *const[]){ "check", path, "-q", NULL }, NULL);
	out = program_stdout(&p);
	snprintf(expected, sizeof(expected), "%s: ok, 2 rules\n", path);
	cr_assert(code == 0 && strcmp(bytes_text(&out), expected) == 0, "exit code %d, said %s", code, bytes_text(&out));
	bytes_free(&out);
	code = program_run(&p, (const char *const[]){ "check", program_path(&p, "good.json"), NULL }, NULL);
	cr_assert(code == 0, "a JSON file: exit code %d", code);
	code = program_run(&p, (const char *const[]){ "check", program_path(&p, "bad.yaml"), NULL }, NULL);
	out = program_stderr(&p);
	cr_assert(code == 2 && strstr(bytes_text(&out), "bad.yaml:3:12: error:"), "exit code %d, said %s", code,
		bytes_text(&out));
	bytes_free(&out);
	program_close(&p);
}

Test(command_line, address_in_use)
{
	struct rig r;
	struct program second;
	struct bytes said;
	char address[160];
	int code;

	rig_start(&r);
	program_open(&second);
	snprintf(address, sizeof(address), "unix:%s", program_path(&r.program, "upstream.sock")); /* the harness listens there */
	code = program_run(&second, (const char *const[]){ "run", "-u", "origin:", "-l", address, NULL }, NULL);
	said = program_stderr(&second);
	rig_check(&r, code == 125 && strstr(bytes_text(&said), "upstream.sock"), "exit code %d, said %s", code,
		bytes_text(&said));
	bytes_free(&said);
	snprintf(address, sizeof(address), "127.0.0.1:%u", r.upstream_ports[0]);
	code = program_run(&second, (const char *const[]){ "run", "-u", "origin:", "-l", address, NULL }, NULL);
	said = program_stderr(&second);
	rig_check(&r, code == 125 && strstr(bytes_text(&said), address), "exit code %d, said %s", code, bytes_text(&said));
	bytes_free(&said);
	program_close(&second);
	rig_end(&r);
}

Test(command_line, run_without_a_file)
{
	struct rig r;
	struct message answer;
	struct peer *client;
	char url[64];

	rig_start(&r);
	program_signal(&r.program, SIGTERM);
	rig_check(&r, program_wait(&r.program, PATIENCE_MS), "does not end");
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", r.upstream_ports[0]);
	program_start(&r.program, (const char *const[]){ "run", "-u", url, "-l", "127.0.0.1:0", "--abort", "429", "--percentage",
		"100", "--path", "/api/**", "--access", "off", NULL }, NULL);
	rig_check(&r, program_wait_listening(&r.program, 1), "does not listen");
	client = rig_client(&r);
	expect_get(client, "/api/x", 429);
	peer_send(client, GET("/else"));
	{
		struct message request;

		peer_send(rig_request(&r, &request), OK_HI);
		message_free(&request);
	}
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	message_free(&answer);
	rig_end(&r);
}
