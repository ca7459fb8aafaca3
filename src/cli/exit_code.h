/*
 * exit_code: the numbers that the process ends with.
 */
#ifndef BROWNOUT_CLI_EXIT_CODE_H
#define BROWNOUT_CLI_EXIT_CODE_H

enum exit_code {
#define EXIT_CODE(id, number, meaning) EXIT_CODE_##id = (number),
#include "cli/exit_code.def"
#undef EXIT_CODE
};

/* What the table has no rows for. */
#define EXIT_CODES_OF_COMMAND                                                                          \
	"With run -- COMMAND, a command that failed gives its own code, and 128 + n where signal n ended it."

#endif
