/*
 * main: finds the subcommand. Must do nothing else: what a command means is in cmd_NAME.c.
 */
#include <signal.h>

#include "base/log.h"
#include "cli/cmd_check.h"
#include "cli/cmd_demo.h"
#include "cli/cmd_help.h"
#include "cli/cmd_run.h"
#include "cli/cmd_schema.h"
#include "cli/cmd_status.h"
#include "cli/cmd_version.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "config/suggest.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
#define COMMAND(name, arguments, summary) { #name, cmd_##name },
#include "cli/commands.def"
#undef COMMAND
};

static int unknown_command(const char *name)
{
	struct suggestion s;

	suggest_begin(&s, span_of_string(name));
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		suggest_offer(&s, span_of_string(commands[i].name));
	if (s.best.n)
		log_error("there is no command %.40s; did you mean %.*s?", name, SPAN_ARG(s.best));
	else
		log_error("there is no command %.40s (see brownout help)", name);
	return EXIT_CODE_USAGE;
}

int main(int argc, char **argv)
{
	static char help[] = "help";
	static char version[] = "version";
	const char *name = argc > 1 ? argv[1] : "";

	/* A reader that has gone is an error of the write, not the end of the process. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		struct text out;

		text_init(&out);
		help_write_usage(&out);
		output_note(&out);
		return EXIT_CODE_USAGE;
	}
	if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0)
		name = argv[1] = help;
	else if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0)
		name = argv[1] = version;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	return unknown_command(name);
}
