/*
 * cmd_run: `brownout run`: serve a rule file, or flags, until told to stop.
 */
#ifndef BROWNOUT_CLI_CMD_RUN_H
#define BROWNOUT_CLI_CMD_RUN_H

#include "base/base.h"

/* argv[0] is "run". Returns the exit code. */
int cmd_run(int argc, char **argv) MUST_USE;

#endif
