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

#endif
