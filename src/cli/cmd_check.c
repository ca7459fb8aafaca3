/*
 * cmd_check: loads each file the way `run` does, and throws the plan away. Nothing is opened but the file: neither
 * addresses nor names are tried.
 */
#include "cli/cmd_check.h"

#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/serve.h"

static void write_help(struct text *out)
{
	text_put_literal(out,
		"Usage: brownout check FILE...\n"
		"\n"
		"Reads rule files (- is standard input) and says all that is wrong with them, each\n"
		"with its line and column. Nothing is started.\n"
		"\n"
		"Exit code 0: all are good (there may be warnings); 2: some are not.\n");
}

static int check_file(const char *file)
{
	struct plan *plan = NULL;
	struct text out;
	int rc = serve_load_file(file, NULL, &plan);

	if (rc == EXIT_CODE_OK) {
		text_init(&out);
		text_printf(&out, "%s: ok, %u rule%s\n", file, plan->rules.n, plan->rules.n == 1 ? "" : "s");
		rc = output_write(&out);
	}
	plan_unref(plan);
	return rc;
}

int cmd_check(int argc, char **argv)
{
	int worst = EXIT_CODE_OK, row;
	struct options o;
	struct text out;

	/* Twice over the arguments: a wrong one is refused before any file is read. */
	options_init(&o, NULL, 0, argc, argv);
	while ((row = options_next(&o)) == OPTIONS_ARGUMENT)
		;
	if (row == OPTIONS_ERROR)
		return EXIT_CODE_USAGE;
	if (row == OPTIONS_REST)
		return options_refuse_argument(&o);
	if (row == OPTIONS_HELP) {
		text_init(&out);
		write_help(&out);
		return output_write(&out);
	}
	if (argc < 2) {
		log_error("check: a rule file is needed; see brownout check --help");
		return EXIT_CODE_USAGE;
	}
	options_init(&o, NULL, 0, argc, argv);
	while (options_next(&o) == OPTIONS_ARGUMENT) {
		int rc = check_file(o.value);

		worst = MAX(worst, rc);
	}
	return worst;
}
