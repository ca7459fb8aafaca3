/*
 * commands: the table of subcommands, for main and for help.
 */
#ifndef BROWNOUT_CLI_COMMANDS_H
#define BROWNOUT_CLI_COMMANDS_H

#include "cli/options.h"

struct command {
	const char *name;
	const char *arguments; /* for the usage line; "" where there are none */
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the name; returns the exit code */
	const struct option_table *options;
};

/* Each command has its table, empty or not, beside its function. */
#define COMMAND(name, arguments, summary) extern const struct option_table cmd_##name##_options;
#include "cli/commands.def"
#undef COMMAND

/* The command number i, in the order of help; NULL past the last. */
const struct command *command_at(size_t i);
/* NULL where there is none. */
const struct command *command_find(const char *name);
/* The name that was probably meant; "" where none is near. */
const char *command_suggest(const char *name);

#endif
