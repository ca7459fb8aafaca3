/*
 * cmd_check: `brownout check`: whether rule files would be served.
 */
#ifndef BROWNOUT_CLI_CMD_CHECK_H
#define BROWNOUT_CLI_CMD_CHECK_H

#include "base/base.h"

/*
 * argv[0] is "check". Prints "FILE: ok, N rules" and what it amounts to for each good file, every error and warning of each
 * to standard error. Returns the exit code: 0 where all are good; 2 for a file with errors, one that cannot be read, or wrong
 * usage; 125.
 */
int cmd_check(int argc, char **argv) MUST_USE;

#endif
