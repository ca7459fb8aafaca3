/*
 * cmd_status: `brownout status`: what codes mean and demand, from the classifier's table.
 */
#ifndef BROWNOUT_CLI_CMD_STATUS_H
#define BROWNOUT_CLI_CMD_STATUS_H

#include "base/base.h"

/*
 * argv[0] is "status". Prints to standard output all that was asked for, or nothing: a wrong argument is refused with
 * one line on standard error before anything is printed. Returns the exit code: 0, 2 for wrong usage, 125 where the
 * output could not be written.
 */
int cmd_status(int argc, char **argv) MUST_USE;

#endif
