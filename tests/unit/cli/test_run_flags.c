/*
 * run_flags: which flags go together, and that the rules they stand for are what the loader understands.
 */
#include "cli/run_flags.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/exit_code.h"

#define ARGS_MAX 24

static int parse(struct run_flags *f, const char *const *args)
{
	char run[] = "run";
	char *argv[ARGS_MAX] = { run };
	int argc = 1;

	while (args[argc - 1]) {
		argv[argc] = (char *)(uintptr_t)args[argc - 1];
		argc++;
	}
	return run_flags_parse(f, argc, argv);
}

Test(run_flags, all_of_them)
{
	static const char *const args[] = { "-u", "http://a:1", "-l", "127.0.0.1:0", "--seed=7", "-w", "3", "--access", "off",
		"--log-format", "json", "--trace", "t.jsonl", "--summary", "json", "-q", NULL };
	struct run_flags f;

	cr_assert_eq(parse(&f, args), EXIT_CODE_OK);
	cr_expect_str_eq(f.upstream, "http://a:1");
	cr_expect_str_eq(f.listen, "127.0.0.1:0");
	cr_expect(f.has_seed && f.seed == 7);
	cr_expect(f.has_workers && f.workers == 3);
	cr_expect_str_eq(f.access, "off");
	cr_expect_str_eq(f.log_format, "json");
	cr_expect_str_eq(f.trace, "t.jsonl");
	cr_expect_eq(f.serve.summary, SERVE_SUMMARY_JSON);
	cr_expect(f.serve.quiet);
	cr_expect(f.serve.status_line);
	cr_expect_null(f.file);
}

Test(run_flags, a_command_is_not_looked_at)
{
	static const char *const args[] = { "rules.yaml", "--time-limit", "1.5s", "--", "npm", "test", "--", "-x", NULL };
	struct run_flags f;

	cr_assert_eq(parse(&f, args), EXIT_CODE_OK);
	cr_assert_not_null(f.command);
	cr_expect_str_eq(f.command[0], "npm");
	cr_expect_str_eq(f.command[1], "test");
	cr_expect_str_eq(f.command[2], "--");
	cr_expect_str_eq(f.command[3], "-x");
	cr_expect_null(f.command[4]);
	cr_expect_eq(f.time_limit_ns, 1500 * NS_PER_MS);
}

Test(run_flags, a_file)
{
	static const char *const args[] = { "rules.yaml", NULL };
	static const char *const standard_input[] = { "-", "--seed", "0", NULL };
	struct run_flags f;

	cr_assert_eq(parse(&f, args), EXIT_CODE_OK);
	cr_expect_str_eq(f.file, "rules.yaml");
	cr_expect_not(f.has_seed);
	cr_expect_eq(f.serve.summary, SERVE_SUMMARY_TEXT);
	cr_assert_eq(parse(&f, standard_input), EXIT_CODE_OK);
	cr_expect_str_eq(f.file, "-");
	cr_expect(f.has_seed);
}

Test(run_flags, what_does_not_go_together)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *line;
	} cases[] = {
		{ { NULL }, "run: a rule file or an upstream (-u URL) is needed; see brownout run --help\n" },
		{ { "a.yaml", "--abort", "503" },
			"run: --abort makes a rule of its own and does not go with a rule file; write it into a.yaml\n" },
		{ { "a.yaml", "b.yaml" }, "run: one rule file at most: a.yaml and b.yaml are two\n" },
		{ { "-u", "origin:", "--percentage", "5" },
			"run: --percentage says which requests, but no fault: add --abort or --delay\n" },
		{ { "-u", "origin:", "--path", "/x" },
			"run: --path says which requests, but no fault: add --abort or --delay\n" },
		{ { "-u", "origin:", "--" }, "run: a command is wanted behind --\n" },
		{ { "-u", "origin:", "--", "" }, "run: a command is wanted behind --\n" },
		{ { "-u", "origin:", "--time-limit", "5", "--", "true" },
			"run: --time-limit 5: a duration such as 90s or 10m is wanted (write 5ms or 5s)\n" },
		{ { "-u", "origin:", "--time-limit", "0", "--", "true" },
			"run: --time-limit 0: a duration such as 90s or 10m is wanted\n" },
		{ { "-u", "origin:", "--time-limit", "5s" },
			"run: --time-limit is of a command, and none is given (-- COMMAND)\n" },
		{ { "-u", "origin:", "--summary", "xml" }, "run: --summary xml: text, json or off is wanted\n" },
		{ { "-u", "origin:", "--log-format", "xml" }, "run: --log-format xml: text or json is wanted\n" },
		{ { "-u", "origin:", "-w", "0" }, "run: --workers 0: a whole number from 1 to 256 is wanted\n" },
		{ { "a.yaml", "--expect", "sre" }, "run: --expect does not go with a rule file; write expect: into a.yaml\n" },
		{ { "a.yaml", "--admin", "127.0.0.1:0" },
			"run: 127.0.0.1:0 is no rule file; did you mean --admin=127.0.0.1:0?\n" },
		{ { "-u", "origin:", "--access", "x", "--trace", "x" }, "run: --access and --trace cannot both go to x\n" },
		{ { "-u", "origin:", "--access", "" }, "run: --access: stderr, stdout, a file or off is wanted\n" },
		{ { "" }, "run: the name of the rule file is empty\n" },
	};
	char expected[4096] = "";

	cr_redirect_stderr();
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct run_flags f;
		size_t n = strlen(expected);

		cr_expect_eq(parse(&f, cases[i].args), EXIT_CODE_USAGE, "case %u", i);
		(void)snprintf(expected + n, sizeof(expected) - n, "brownout: error: %s", cases[i].line);
	}
	cr_expect_stderr_eq_str(expected);
}

static struct plan *load(const struct run_flags *f, struct diagnostics *d)
{
	struct load_options options = { 0 };
	struct plan *plan = NULL;
	struct text source;

	text_init(&source);
	run_flags_write_rules(f, &source);
	cr_assert_geq(load_plan("x", text_span(&source), &options, &plan, d), 0);
	text_deinit(&source);
	return plan;
}

Test(run_flags, rules_that_the_loader_takes)
{
	struct run_flags f = {
		.upstream = "http://127.0.0.1:9000",
		.listen = "127.0.0.1:0",
		.abort = "503",
		.delay = "100ms..2s",
		.percentage = "12.5",
		.path = "/a\"b: [x]/**",
		.expect = "sre",
	};
	struct diagnostics d = { 0 };
	struct plan *plan = load(&f, &d);
	const struct rule *r;

	cr_assert(plan, "%s", d.n ? d.v[0].message : "");
	cr_assert_eq(plan->rules.n, 1);
	r = &plan->rules.v[0];
	cr_expect_eq(r->faults.abort.status, 503);
	cr_expect_eq(r->faults.delay.kind, DELAY_UNIFORM);
	cr_expect_eq(r->faults.delay.a_ns, 100 * NS_PER_MS);
	cr_expect_eq(r->faults.delay.b_ns, 2 * NS_PER_S);
	cr_expect_eq(r->percentage, 12500000);
	cr_assert_eq(r->match.n_paths, 1);
	cr_expect(span_eq(r->match.paths[0].text, SPAN("/a\"b: [x]/**")));
	cr_expect_eq(plan->n_listeners, 1);
	cr_expect_eq(plan->listeners[0].address.port, 0);
	cr_expect_eq(plan->upstreams[0].address.port, 9000);
	cr_expect(plan->has_expect && plan->expect.profile == EXPECT_PROFILE_SRE);
	plan_unref(plan);
	diagnostics_deinit(&d);
}

Test(run_flags, no_fault_is_no_rule)
{
	struct run_flags f = { .upstream = "origin:" };
	struct diagnostics d = { 0 };
	struct plan *plan = load(&f, &d);

	cr_assert(plan, "%s", d.n ? d.v[0].message : "");
	cr_expect_eq(plan->rules.n, 0);
	cr_expect_eq(plan->upstreams[0].address.kind, ENDPOINT_ORIGIN);
	plan_unref(plan);
	diagnostics_deinit(&d);
}

Test(run_flags, a_fixed_delay)
{
	struct run_flags f = { .upstream = "origin:", .delay = "250ms" };
	struct diagnostics d = { 0 };
	struct plan *plan = load(&f, &d);

	cr_assert(plan, "%s", d.n ? d.v[0].message : "");
	cr_expect_eq(plan->rules.v[0].faults.delay.kind, DELAY_FIXED);
	cr_expect_eq(plan->rules.v[0].faults.delay.a_ns, 250 * NS_PER_MS);
	plan_unref(plan);
	diagnostics_deinit(&d);
}

/* What is wrong with a value is the loader's to say; nothing that is given can become a key or another rule. */
Test(run_flags, values_stay_values)
{
	static const struct run_flags cases[] = {
		{ .upstream = "origin:", .abort = "5xx" },
		{ .upstream = "origin:", .abort = "503, percentage: 10" },
		{ .upstream = "origin:", .abort = "503\n" },
		{ .upstream = "origin:", .abort = "1.2.3" },
		{ .upstream = "origin:", .abort = "503", .percentage = "101" },
		{ .upstream = "origin:", .abort = "503", .percentage = "." },
		{ .upstream = "origin:", .delay = "10" },
		{ .upstream = "origin:\", \"seed\": \"1" },
		{ .upstream = "ftp://x" },
		{ .upstream = "origin:", .listen = "nowhere" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct diagnostics d = { 0 };
		struct plan *plan = load(&cases[i], &d);

		cr_expect_null(plan, "case %u", i);
		cr_expect_geq(d.n_errors, 1, "case %u", i);
		plan_unref(plan);
		diagnostics_deinit(&d);
	}
}
