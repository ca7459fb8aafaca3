/*
 * options: takes the arguments of one subcommand apart. One table per command is both the parser and the help text.
 *
 *   --name value, --name=value, -n value, -nvalue, -qv (two flags), -- (the rest is not looked at)
 */
#ifndef BROWNOUT_CLI_OPTIONS_H
#define BROWNOUT_CLI_OPTIONS_H

#include "base/text.h"

struct option_row {
	const char *name; /* without dashes */
	char letter; /* 0: none */
	/* Name of its value in the help, or its words ("text|json"); NULL: a flag. "[=X]": may be left out, else --name=X */
	const char *argument;
	const char *help;
};

/* The options of one command, for its parser, its help, the manual page and the completions. */
struct option_table {
	const struct option_row *rows;
	unsigned n;
};

/* options_next returns the row's place in the table, or one of these. */
enum {
	OPTIONS_END = -1,
	OPTIONS_ERROR = -2, /* one line was written to standard error */
	OPTIONS_ARGUMENT = -3, /* value is an argument that is no option */
	OPTIONS_REST = -4, /* "--": what follows is argv[at] and on; options_next must not be called again */
	OPTIONS_HELP = -5, /* --help or -h, which every command has without a row */
};

struct options {
	const char *command; /* for messages */
	const struct option_row *rows;
	unsigned n_rows;
	int argc;
	char **argv;
	int at; /* the next argument */
	const char *cluster; /* the letters left of "-abc"; NULL: none */
	const char *value; /* of the option just returned; NULL for a flag. Lives like argv */
};

/* argv[0] is the command and is passed over. */
void options_init(struct options *o, const struct option_row *rows, unsigned n_rows, int argc, char **argv);
int options_next(struct options *o);

/* For a command that takes no (more) arguments: says so of the argument just returned. Returns EXIT_CODE_USAGE. */
int options_refuse_argument(const struct options *o);

/* Of a command that takes neither options nor arguments: OPTIONS_END, OPTIONS_HELP, or OPTIONS_ERROR (said). */
int options_none(int argc, char **argv);

/* Two columns, --help last. */
void options_write_help(const struct option_row *rows, unsigned n_rows, struct text *out);

/* Digits only, min to max. False after one line on standard error that names the option. */
bool options_number(const struct options *o, int row, uint64_t min, uint64_t max, uint64_t *value);

#endif
