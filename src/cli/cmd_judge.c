/*
 * cmd_judge: the arguments, what is expected, the reports.
 */
#include "cli/cmd_judge.h"

#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/judge_traces.h"
#include "cli/output.h"
#include "cli/reports.h"
#include "cli/serve.h"

/* OPTION(id, "name", letter, argument, help) */
#define JUDGE_OPTIONS(X)                                                                                                        \
	X(RULES, "rules", 'r', "FILE", "judge by what FILE expects, and by which of its rules are required")                    \
	X(PROFILE, "profile", 'p', EXPECT_PROFILE_CHOICES, "judge by this profile (default: recommended)")                      \
	REPORTS_OPTIONS(X)                                                                                                      \
	X(QUIET, "quiet", 'q', NULL, "say nothing where all is well")

enum {
#define X(id, name, letter, argument, help) JUDGE_##id,
	JUDGE_OPTIONS(X)
#undef X
};

static const struct option_row rows[] = {
#define X(id, name, letter, argument, help) { name, letter, argument, help },
	JUDGE_OPTIONS(X)
#undef X
};

const struct option_table cmd_judge_options = { rows, ARRAY_LEN(rows) };

struct judge_flags {
	const char *traces[JUDGE_TRACES_MAX]; /* all live like argv */
	unsigned n_traces;
	const char *rules; /* NULL: not given */
	const char *profile;
	struct reports_flags reports;
	bool quiet;
};

static int print_help(void)
{
	struct text out;

	text_init(&out);
	text_put_literal(&out, "Usage: brownout judge TRACE... [OPTION]...\n"
			       "\n"
			       "How did the clients behave? The verdict again, from recorded traces (log: {trace: FILE}\n"
			       "in a rule file, or run --trace FILE; - is standard input). Several are those of replicas\n"
			       "and are judged together, by their clocks. The same traces give the same bytes.\n"
			       "\n");
	options_write_help(rows, ARRAY_LEN(rows), &out);
	text_put_literal(&out,
		"\nExit code 0: as expected; 3: not; 4: cannot be told, and the rule file says that this must fail;\n"
		"2: a file that is no trace, or wrong usage.\n");
	return output_write(&out);
}

static int parse(struct judge_flags *f, int argc, char **argv, bool *help)
{
	struct options o;
	int row;

	options_init(&o, rows, ARRAY_LEN(rows), argc, argv);
	while ((row = options_next(&o)) != OPTIONS_END) {
		switch (row) {
		case JUDGE_RULES: f->rules = o.value; break;
		case JUDGE_PROFILE: f->profile = o.value; break;
		case JUDGE_JSON: f->reports.json = o.value; break;
		case JUDGE_JUNIT: f->reports.junit = o.value; break;
		case JUDGE_TAP: f->reports.tap = o.value; break;
		case JUDGE_SUMMARY_MD: f->reports.markdown = o.value; break;
		case JUDGE_GITHUB: f->reports.github = true; break;
		case JUDGE_QUIET: f->quiet = true; break;
		case OPTIONS_ARGUMENT:
			if (f->n_traces == JUDGE_TRACES_MAX)
				return options_refuse_argument(&o);
			f->traces[f->n_traces++] = o.value;
			break;
		case OPTIONS_HELP: *help = true; return EXIT_CODE_OK;
		case OPTIONS_ERROR: return EXIT_CODE_USAGE;
		default: return options_refuse_argument(&o);
		}
	}
	if (f->n_traces)
		return EXIT_CODE_OK;
	log_error("judge: a trace is needed; see brownout judge --help");
	return EXIT_CODE_USAGE;
}

/* The profile that was asked for, else what the file expects, else what everybody should. */
static int choose(const struct judge_flags *f, const struct plan *plan, struct expect *expect)
{
	enum expect_profile profile = EXPECT_PROFILE_RECOMMENDED;

	if (f->profile && expect_profile_of(span_of_string(f->profile), &profile) != 0) {
		log_error("judge: --profile: there is no %.100s (recommended, sre, aws, strict, none)", f->profile);
		return EXIT_CODE_USAGE;
	}
	if (!f->profile && plan && plan->has_expect)
		*expect = plan->expect;
	else
		expect_init(expect, profile);
	return EXIT_CODE_OK;
}

static int judge(const struct judge_flags *f, const struct plan *plan)
{
	struct reports reports;
	struct expect expect;
	struct verdict v;
	int rc = choose(f, plan, &expect), written;

	if (rc == EXIT_CODE_OK)
		rc = reports_open(&reports, &f->reports, f->quiet);
	if (rc != EXIT_CODE_OK)
		return rc;
	rc = judge_traces(f->traces, f->n_traces, &expect, plan, &v);
	if (rc != EXIT_CODE_OK) {
		reports_close(&reports);
		return rc;
	}
	v.run.rules_file = f->rules;
	written = reports_write(&reports, &v);
	rc = written == EXIT_CODE_OK ? reports_exit_code(&v) : written;
	verdict_deinit(&v);
	return rc;
}

int cmd_judge(int argc, char **argv)
{
	struct judge_flags f = { .n_traces = 0 };
	struct plan *plan = NULL;
	bool help = false;
	int rc = parse(&f, argc, argv, &help);

	if (help)
		return print_help();
	if (rc == EXIT_CODE_OK && f.rules)
		rc = serve_load_file(f.rules, NULL, NULL, &plan);
	if (rc == EXIT_CODE_OK)
		rc = judge(&f, plan);
	plan_unref(plan);
	return rc;
}
