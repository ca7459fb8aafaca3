/*
 * options: what each way of writing an argument gives, and what is refused.
 */
#include "cli/options.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <unistd.h>

static const struct option_row rows[] = {
	{ "upstream", 'u', "URL", "forward" },
	{ "quiet", 'q', NULL, "silence" },
	{ "seed", 0, "N", "seed" },
};
enum { UPSTREAM, QUIET, SEED };

#define STEPS_MAX 6

struct step {
	int row;
	const char *value;
};

Test(options, forms)
{
	static const struct {
		const char *argv[STEPS_MAX];
		struct step steps[STEPS_MAX];
	} cases[] = {
		{ { "run" }, { { OPTIONS_END, NULL } } },
		{ { "run", "--upstream", "a" }, { { UPSTREAM, "a" }, { OPTIONS_END, NULL } } },
		{ { "run", "--upstream=a=b" }, { { UPSTREAM, "a=b" }, { OPTIONS_END, NULL } } },
		{ { "run", "--upstream=" }, { { UPSTREAM, "" }, { OPTIONS_END, NULL } } },
		{ { "run", "-u", "a" }, { { UPSTREAM, "a" }, { OPTIONS_END, NULL } } },
		{ { "run", "-ua" }, { { UPSTREAM, "a" }, { OPTIONS_END, NULL } } },
		{ { "run", "-qu", "a", "-q" }, { { QUIET, NULL }, { UPSTREAM, "a" }, { QUIET, NULL }, { OPTIONS_END, NULL } } },
		{ { "run", "-qua" }, { { QUIET, NULL }, { UPSTREAM, "a" }, { OPTIONS_END, NULL } } },
		{ { "run", "f", "-q", "-" },
			{ { OPTIONS_ARGUMENT, "f" }, { QUIET, NULL }, { OPTIONS_ARGUMENT, "-" }, { OPTIONS_END, NULL } } },
		{ { "run", "-u", "--", "x" }, { { UPSTREAM, "--" }, { OPTIONS_ARGUMENT, "x" }, { OPTIONS_END, NULL } } },
		{ { "run", "-q", "--", "-u" }, { { QUIET, NULL }, { OPTIONS_REST, NULL } } },
		{ { "run", "--help" }, { { OPTIONS_HELP, NULL } } },
		{ { "run", "-qh" }, { { QUIET, NULL }, { OPTIONS_HELP, NULL } } },
		{ { "run", "" }, { { OPTIONS_ARGUMENT, "" }, { OPTIONS_END, NULL } } },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		char *argv[STEPS_MAX];
		struct options o;
		int argc = 0;

		while (argc < STEPS_MAX && cases[i].argv[argc]) {
			argv[argc] = (char *)(uintptr_t)cases[i].argv[argc];
			argc++;
		}
		options_init(&o, rows, ARRAY_LEN(rows), argc, argv);
		for (unsigned k = 0;; k++) {
			const struct step *s = &cases[i].steps[k];

			cr_assert_eq(options_next(&o), s->row, "case %u, step %u", i, k);
			if (s->value)
				cr_assert_str_eq(o.value, s->value, "case %u, step %u", i, k);
			else
				cr_assert_null(o.value, "case %u, step %u", i, k);
			if (s->row == OPTIONS_END || s->row == OPTIONS_REST || s->row == OPTIONS_HELP)
				break;
		}
	}
}

static void expect_error(const char *a, const char *b, const char *line)
{
	char run[] = "run";
	char *argv[] = { run, (char *)(uintptr_t)a, (char *)(uintptr_t)b };
	struct options o;

	cr_redirect_stderr();
	options_init(&o, rows, ARRAY_LEN(rows), b ? 3 : 2, argv);
	cr_expect_eq(options_next(&o), OPTIONS_ERROR);
	cr_expect_stderr_eq_str(line);
}

Test(options, an_unknown_name_with_a_guess)
{
	expect_error("--upstrem", "x", "brownout: error: run: there is no option --upstrem; did you mean --upstream?\n");
}

Test(options, an_unknown_name_without)
{
	expect_error("--zzzzzz", NULL, "brownout: error: run: there is no option --zzzzzz (see brownout run --help)\n");
}

/* An abbreviation is no option: a later one could make it ambiguous. */
Test(options, no_abbreviations)
{
	expect_error("--up", "x", "brownout: error: run: there is no option --up (see brownout run --help)\n");
}

Test(options, an_unknown_letter)
{
	expect_error("-x", NULL, "brownout: error: run: there is no option -x (see brownout run --help)\n");
}

Test(options, a_missing_value)
{
	expect_error("--seed", NULL, "brownout: error: run: --seed needs a value: N\n");
}

Test(options, a_missing_value_of_a_letter)
{
	expect_error("-u", NULL, "brownout: error: run: --upstream needs a value: URL\n");
}

Test(options, a_value_for_a_flag)
{
	expect_error("--quiet=1", NULL, "brownout: error: run: --quiet takes no value\n");
}

Test(options, what_comes_from_outside_cannot_drive_the_terminal)
{
	expect_error("--\x1b[2J", NULL, "brownout: error: run: there is no option --\\x1b[2J (see brownout run --help)\n");
}

Test(options, numbers)
{
	static const struct {
		const char *value;
		bool fine;
		uint64_t number;
	} cases[] = {
		{ "5", true, 5 }, { "10", true, 10 }, { "4", false, 0 }, { "11", false, 0 }, { "", false, 0 }, { "-5", false, 0 },
		{ "5x", false, 0 }, { "99999999999999999999", false, 0 },
	};

	cr_redirect_stderr();
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct options o = { .command = "run", .rows = rows, .n_rows = ARRAY_LEN(rows), .value = cases[i].value };
		uint64_t number = 0;

		cr_expect_eq(options_number(&o, SEED, 5, 10, &number), cases[i].fine, "%s", cases[i].value);
		if (cases[i].fine)
			cr_expect_eq(number, cases[i].number);
	}
}

Test(options, help_text)
{
	struct text out;

	text_init(&out);
	options_write_help(rows, ARRAY_LEN(rows), &out);
	cr_expect(span_eq(text_span(&out), SPAN("  -u, --upstream URL        forward\n"
						"  -q, --quiet               silence\n"
						"      --seed N              seed\n"
						"  -h, --help                this text\n")),
		"%.*s", SPAN_ARG(text_span(&out)));
	text_deinit(&out);
}
