/*
 * main: finds the subcommand. Must do nothing else: what a command means is in cmd_NAME.c.
 */
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "cli/cmd_help.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"

static int unknown_command(const char *name)
{
	const char *meant = command_suggest(name);

	if (*meant)
		log_error("there is no command %.40s; did you mean %s?", name, meant);
	else
		log_error("there is no command %.40s (see brownout help)", name);
	return EXIT_CODE_USAGE;
}

int main(int argc, char **argv)
{
	static char help[] = "help";
	static char version[] = "version";
	const struct command *command;
	struct text usage;

	/* A reader that has gone, a log that may not grow: an error of the write, not the end of the process. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		text_init(&usage);
		help_write_usage(&usage);
		output_note(&usage);
		return EXIT_CODE_USAGE;
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		argv[1] = help;
	else if (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0)
		argv[1] = version;
	command = command_find(argv[1]);
	return command ? command->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}
