/*
 * cmd_check: loads each file the way `run` does, and throws the plan away. Nothing is opened but the file: neither
 * addresses nor names are tried.
 */
#include "cli/cmd_check.h"

#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/plan_text.h"
#include "cli/serve.h"
#include "proxy/generation.h"

enum { CHECK_QUIET };

static const struct option_row rows[] = {
	[CHECK_QUIET] = { "quiet", 'q', NULL, "of a good file say only that it is one" },
};

const struct option_table cmd_check_options = { rows, ARRAY_LEN(rows) };

static void write_help(struct text *out)
{
	text_put_literal(out,
		"Usage: brownout check [OPTION]... FILE...\n"
		"\n"
		"Reads rule files (- is standard input) and says all that is wrong with them, each\n"
		"with its line and column; of a good one what it amounts to. Nothing is started.\n"
		"\n");
	options_write_help(rows, ARRAY_LEN(rows), out);
	text_put_literal(out, "\nExit code 0: all are good (there may be warnings); 2: some are not.\n");
}

static int check_file(const char *file, bool quiet)
{
	struct plan *plan = NULL;
	char error[256];
	struct text out;
	int rc = serve_load_file(file, NULL, NULL, &plan);

	if (rc == EXIT_CODE_OK && generation_check_tls(plan, error, sizeof(error)) < 0) {
		log_error("%s: %s", file, error);
		rc = EXIT_CODE_USAGE;
	}
	if (rc == EXIT_CODE_OK) {
		text_init(&out);
		text_printf(&out, "%s: ok, %u rule%s\n", file, plan->rules.n, plan->rules.n == 1 ? "" : "s");
		if (!quiet)
			plan_text_write(&out, plan);
		rc = output_write(&out);
	}
	plan_unref(plan);
	return rc;
}

/* Once over the arguments before any file is read: a wrong one is refused first. Returns what ended them. */
static int read_options(int argc, char **argv, bool *quiet, unsigned *n_files)
{
	struct options o;
	int row;

	*quiet = false;
	*n_files = 0;
	options_init(&o, rows, ARRAY_LEN(rows), argc, argv);
	while ((row = options_next(&o)) == OPTIONS_ARGUMENT || row == CHECK_QUIET) {
		*quiet |= row == CHECK_QUIET;
		*n_files += row == OPTIONS_ARGUMENT;
	}
	if (row == OPTIONS_REST)
		(void)options_refuse_argument(&o);
	return row;
}

int cmd_check(int argc, char **argv)
{
	int worst = EXIT_CODE_OK, row;
	unsigned n_files;
	struct options o;
	struct text out;
	bool quiet;

	row = read_options(argc, argv, &quiet, &n_files);
	if (row == OPTIONS_HELP) {
		text_init(&out);
		write_help(&out);
		return output_write(&out);
	}
	if (row != OPTIONS_END)
		return EXIT_CODE_USAGE;
	if (n_files == 0) {
		log_error("check: a rule file is needed; see brownout check --help");
		return EXIT_CODE_USAGE;
	}
	options_init(&o, rows, ARRAY_LEN(rows), argc, argv);
	while ((row = options_next(&o)) != OPTIONS_END) {
		int rc = row == OPTIONS_ARGUMENT ? check_file(o.value, quiet) : EXIT_CODE_OK;

		worst = MAX(worst, rc);
	}
	return worst;
}
